"""One office's node: its two halves, in one process or in two."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import select, text
from structlog.testing import capture_logs

from node.bootstrap.node import Node
from node.errors import ConfigurationError
from node.keys import file
from node.relay import quarantine as keeping
from node.relay.errors import PoisonError
from node.relay.transport import Delivery
from node.storage.audit import AuditRow
from node.storage.certificates import Renewal
from node.storage.items import Item
from node.storage.messages import Incoming
from node.storage.offices import Link, Office
from node.workflow import certificates, decisions, forwarding, quarantine
from protocol import envelope
from protocol.errors import ExpiredError
from tests.node import rooms
from tests.node.rooms import Clock, Room
from tests.offices import DEPTH_2, Hierarchy, MakeDatabase
from tests.waiting import until

LONG = 3600.0


async def test_starting_enters_the_office_and_the_one_above_once(two_levels: Hierarchy) -> None:
    for _ in range(2):
        node = two_levels.open("donghu")
        await node.start()
        await node.stop()
    node = two_levels.open("donghu")
    async with node.desk.database.reading() as session:
        known = {office.id: office.relation for office in await session.scalars(select(Office))}
        links = [link.peer for link in await session.scalars(select(Link))]
    await node.desk.database.close()
    assert (known, links) == ({"donghu": "self", "yunzhou": "parent"}, ["yunzhou"])


async def test_a_node_that_runs_seals_what_is_done(lone: Hierarchy) -> None:
    node = lone.open("donghu")
    await node.start()
    try:
        room = await rooms.enter(node, Clock())
        await room.submit()
        await until(lambda: _sealed(node), what="the seal")
    finally:
        await node.stop()


async def test_a_node_that_runs_replays_what_was_asked_of_its_quarantine(lone: Hierarchy) -> None:
    node = lone.open("donghu")
    await node.start()
    desk, admin = node.desk, await lone.actor("donghu", "admin")
    async with desk.database.writing.begin() as session:
        delivery = Delivery(b"no token", None, "zt.donghu.in")
        await keeping.put(session, desk, delivery, PoisonError(), desk.clock())
    [held] = (await quarantine.list_held(desk, admin)).rows

    await quarantine.replay(desk, admin, held.id)

    async def replayed() -> bool:
        return (await quarantine.show(desk, admin, held.id)).held.outcome == "envelope.malformed"

    await until(replayed, what="the replay")
    await node.stop()


async def test_nodes_that_run_renew_a_certificate_and_sign_with_its_key_at_once(
    two_levels: Hierarchy,
) -> None:
    county, city = (two_levels.open(office) for office in ("donghu", "yunzhou"))
    chain = two_levels.folder / "donghu/keys/node.pem"
    old = file.read_certificates(chain)
    await city.start()
    await county.start()
    try:
        admin = await two_levels.actor("donghu", "admin")
        room = await rooms.enter(county, Clock())
        await certificates.renew(county.desk, admin)
        await until(lambda: _renewed(county), what="the renewal")
        new = file.read_certificates(chain)
        assert new != old
        await forwarding.forward_up(county.desk, room.editor, await room.registered())

        async def arrived() -> bool:
            query = select(Incoming.token).where(Incoming.name == "submission")
            async with city.desk.database.reading() as session:
                token = await session.scalar(query)
            if token is None:
                return False
            desk = city.desk
            opened = envelope.open_message(token, chains=desk.chains, place=desk.place, now=None)
            assert opened.chain == (new[0].public_bytes(Encoding.DER),)
            return True

        await until(arrived, what="the item under the new certificate")
    finally:
        await county.stop()
        await city.stop()


async def _renewed(node: Node) -> bool:
    async with node.desk.database.reading() as session:
        return list(await session.scalars(select(Renewal.state))) == ["done"]


async def test_building_a_node_opens_nothing(lone: Hierarchy) -> None:
    database = lone.folder / "donghu" / "zhitong.sqlite"
    database.unlink()
    lone.open("donghu")
    assert not database.exists()


async def test_an_office_without_its_certificate_says_which_file_is_missing(
    lone: Hierarchy,
) -> None:
    (lone.folder / "donghu" / "keys" / "node.pem").unlink()
    with pytest.raises(ConfigurationError, match=r"cannot read the certificates .*node\.pem"):
        lone.open("donghu")


async def test_an_office_whose_certificate_is_over_does_not_start(lone: Hierarchy) -> None:
    clock = Clock()
    clock.now = clock.now.replace(year=clock.now.year + 5)
    with pytest.raises(ExpiredError):
        lone.open("donghu", clock=clock)


async def test_pages_and_relay_in_two_processes_wake_each_other(
    tmp_path: Path, postgresql: MakeDatabase
) -> None:
    # Nobody would look again within the test.
    tree = await rooms.set_up(tmp_path / "tree", DEPTH_2, make_database=postgresql, poll=LONG)
    await _hand_over(tree)


async def test_on_sqlite_too(tmp_path: Path, sqlite: MakeDatabase) -> None:
    await _hand_over(
        await rooms.set_up(tmp_path / "tree", DEPTH_2, make_database=sqlite, poll=LONG)
    )


async def _hand_over(tree: Hierarchy) -> None:
    for node in tree.nodes.values():
        await node.stop()
    city, relay = tree.open("yunzhou"), tree.open("donghu", half="relay")
    pages = tree.open("donghu", half="web")
    nodes = (city, relay, pages)
    with capture_logs() as lines:
        for node in nodes:
            await node.start()
        try:
            if relay.desk.database.is_postgresql:
                await until(lambda: _listens(relay), what="LISTEN")
            room = await rooms.enter(pages, Clock())
            item = await _forwarded(room)
            await until(lambda: _has(city, item), what="the item at the city")
            told = asyncio.Event()
            pages.desk.database.watch.on("events", told.set)
            above = await rooms.enter(city, Clock())
            await decisions.register(above.desk, above.editor, item)
            await until(told.is_set, what="the news at the pages")
        finally:
            for node in reversed(nodes):
                await node.stop()
    assert not [line for line in lines if line["log_level"] == "error"]


async def _forwarded(room: Room) -> UUID:
    item = await room.registered()
    await forwarding.forward_up(room.desk, room.editor, item)
    return item


async def _listens(node: Node) -> bool:
    listening = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND query ILIKE 'LISTEN%'"
    )
    async with node.desk.database.reading() as session:
        # The relay for what is to be done, the pages for what is to be shown.
        return await session.scalar(listening) == 2


async def _has(node: Node, item: UUID) -> bool:
    async with node.desk.database.reading() as session:
        return await session.get(Item, item) is not None


async def _sealed(node: Node) -> bool:
    async with node.desk.database.reading() as session:
        return None not in list(await session.scalars(select(AuditRow.seal)))
