"""Brokers, networks and databases that fall silent and close nothing: no call waits for ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from sqlalchemy.exc import OperationalError

from node.config import FILE_NAME
from node.relay import amqp, arrivals, management, routes
from node.relay.transport import Parcel, Properties
from node.storage.database import Database
from node.workflow import directory
from protocol.identifiers import NodeId
from tests.node.relay.brokered import CITY, COUNTY, UP, Brokered
from tests.node.relay.proxy import BASIC_PUBLISH, QUEUE_DECLARE, Proxy
from tests.waiting import until

PATIENCE = 0.4


@pytest.fixture
async def proxy(place: Brokered, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Proxy]:
    """A network that can fall silent, and offices that do not wait long for an answer."""
    for module in (amqp, arrivals, routes):
        for name in ("CONNECT_SECONDS", "CONFIRM_SECONDS"):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, PATIENCE)
    async with Proxy(place.server.port) as made:
        yield made
        # The offices before their network.
        await place.stop(*place.rooms)


async def test_a_broker_that_does_not_answer_a_declaration_is_dialled_again(
    place: Brokered, proxy: Proxy
) -> None:
    place.reroute(CITY, proxy.port)
    proxy.silent_after = QUEUE_DECLARE
    await place.start(CITY, COUNTY)
    await place.ready()
    assert proxy.swallowed == 1
    await place.demand_once(await place.traffic(3))


async def test_what_was_published_into_a_silent_network_is_published_again(
    place: Brokered, proxy: Proxy
) -> None:
    place.reroute(COUNTY, proxy.port)
    await place.start(CITY, COUNTY)
    await place.ready()
    proxy.silent_after = BASIC_PUBLISH
    items = await place.traffic(3)
    await until(lambda: proxy.swallowed == 1, what="a publish into the void")
    # Nobody noticed: the connection is open. An operator has the node dial again.
    transport = place.transport(COUNTY)
    [broker] = transport._up.values()
    broker.rebuild()
    await place.demand_once(items)


async def test_a_network_that_swallows_everything_is_noticed_by_the_missing_heartbeats(
    place: Brokered, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(amqp, "HEARTBEAT_SECONDS", 1)
    place.reroute(COUNTY, proxy.port)
    await place.start(CITY, COUNTY)
    await place.ready()
    first = await place.traffic(2)
    await place.arrived(first)
    proxy.mute()
    second = await place.traffic(2)
    await place.demand_once(first + second)


@pytest.mark.parametrize("rebuilt", [False, True], ids=["in vain", "until all is rebuilt"])
async def test_a_publish_that_is_never_confirmed_ends(
    place: Brokered, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, *, rebuilt: bool
) -> None:
    """When all is rebuilt, the library raises `CancelledError` where nobody was cancelled."""
    if rebuilt:
        monkeypatch.setattr(amqp, "CONFIRM_SECONDS", 60.0)
    place.reroute(COUNTY, proxy.port)
    await place.start(CITY, COUNTY)
    await place.ready()
    [broker] = place.transport(COUNTY)._up.values()
    proxy.silent_after = BASIC_PUBLISH
    parcel = Parcel(CITY, b"token", Properties(message_id="1", app_id=COUNTY))
    publish = asyncio.create_task(broker.publish(UP.exchange, UP.key, parcel))
    await until(lambda: proxy.swallowed == 1)
    if rebuilt:
        broker.rebuild()
    async with asyncio.timeout(30):
        assert await publish is False


async def test_a_publisher_in_the_middle_of_whose_work_everything_is_rebuilt_goes_on(
    place: Brokered, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(amqp, "CONFIRM_SECONDS", 60.0)
    place.reroute(COUNTY, proxy.port)
    await place.start(CITY, COUNTY)
    await place.ready()
    transport = place.transport(COUNTY)
    [broker] = transport._up.values()
    for _ in range(2):
        proxy.silent_after = BASIC_PUBLISH
        swallowed = proxy.swallowed
        items = await place.traffic(2)
        await until(lambda swallowed=swallowed: proxy.swallowed > swallowed)
        broker.rebuild()
        await place.arrived(items)
    await place.demand_once(await place.traffic(1))


async def test_a_management_api_that_never_answers_holds_up_neither_messages_nor_a_lost_connection(
    place: Brokered, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(management, "TIMEOUT_SECONDS", 600.0)

    async def never(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        waiting.append(writer)

    waiting: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(never, "127.0.0.1", 0)
    file = place.hierarchy.folder / CITY / FILE_NAME
    silent = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    file.write_text(file.read_text().replace(place.server.management_url, silent))
    await place.start(CITY, COUNTY)
    await place.ready()
    await until(lambda: bool(waiting), what="a question to the management API")
    first = await place.traffic(2)
    await place.arrived(first)
    await place.server.close_connections()
    await place.demand_once(first + await place.traffic(2))
    assert len(waiting) > 1
    await place.stop(CITY, COUNTY)
    server.close()
    for writer in waiting:
        writer.transport.abort()


async def test_a_database_that_is_away_while_a_hub_connects_does_not_end_its_relay(
    place: Brokered, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, asked = directory.children, 0

    async def children(database: Database) -> Sequence[NodeId]:
        nonlocal asked
        asked += 1
        if asked <= 3:
            raise OperationalError("SELECT", None, ConnectionRefusedError())
        return await real(database)

    monkeypatch.setattr(directory, "children", children)
    await place.start(CITY, COUNTY)
    await place.ready()
    assert asked > 3
    await place.demand_once(await place.traffic(2))


async def test_stopping_a_node_whose_broker_never_answers_takes_no_longer_than_a_call(
    place: Brokered, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(amqp, "CONNECT_SECONDS", 1.0)

    async def never(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        waiting.append(writer)

    waiting: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(never, "127.0.0.1", 0)
    place.reroute(COUNTY, server.sockets[0].getsockname()[1])
    await place.start(COUNTY)
    await until(lambda: bool(waiting))
    async with asyncio.timeout(60):
        await place.stop(COUNTY)
    server.close()
    for writer in waiting:
        writer.transport.abort()
