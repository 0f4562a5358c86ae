"""A node whose disk is lost goes on from an old backup: it gets back from its neighbours what it
sent and received since, gives no number out twice, and everything stands once at everyone.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from node.bootstrap import archive, restoration
from node.bootstrap.node import system_clock
from node.errors import RecoveringError, SupersededError
from node.storage.items import Item
from node.storage.messages import Incoming, Outgoing
from node.storage.offices import Office
from node.storage.recovery import Epoch
from node.workflow import decisions, files, forwarding, reading, recovery, submissions
from protocol.messages.items import PIECE
from tests.files import chunks, digest, pdf
from tests.journeys import travel
from tests.journeys.travel import Journey
from tests.node.rooms import Room, draft
from tests.offices import DEPTH_2, DEPTH_3, Hierarchy, MakeDatabase
from tests.servers.postgres import Postgres
from tests.servers.rabbitmq import RabbitMQ
from tests.waiting import until

PASSPHRASE = "correct horse battery staple"
# Five hundred messages, one deed after the other.
pytestmark = pytest.mark.timeout(300)

FILE = pdf(3 * PIECE + 123)
INSTRUCTIONS = 12
SINCE = 500
"""How many messages each lost node has sent and received since its backup, at the least."""


async def test_nodes_restored_one_after_the_other_from_old_backups_have_lost_nothing_shared(
    tmp_path: Path, rabbitmq: RabbitMQ, postgres: Postgres
) -> None:
    databases = Databases(postgres, "restore")
    hierarchy = await travel.set_up(
        tmp_path,
        DEPTH_3,
        broker=rabbitmq.url(),
        management=rabbitmq.management_url,
        make_database=databases.make,
    )
    async with travel.opened(hierarchy, *hierarchy.nodes) as journey:
        items = await play(journey, 3)
        await journey.settled()
        files = {
            office: await backup(journey.rooms[office], tmp_path / f"{office}.backup")
            for office in journey.line
        }
        before = {office: await messages(journey.rooms[office]) for office in journey.line}
        for office in journey.line:
            while await messages(journey.rooms[office]) < before[office] + SINCE:
                items += await play(journey, 10)
        await journey.settled()
        # At the bottom, in the middle and at the top. What is restored later does not know from
        # its backup that its neighbours were.
        for office in journey.line:
            shared = await standing(journey.rooms[office])
            assert len(shared) == len(items)
            await lose(journey, databases, office)
            await restore(hierarchy, files[office], office)
            await journey.enter(office)
            await recovered(journey.rooms[office])
            await journey.demand_everything_once(items)
            assert await standing(journey.rooms[office]) == shared, office
        # Work goes on, under new numbers and with facts that nobody has seen.
        items += await play(journey, 1)
        await journey.demand_everything_once(items)
        for office in journey.line:
            stand = await standing(journey.rooms[office])
            assert len({number for _, number, *_ in stand.values()}) == len(items), office


async def test_the_files_of_a_restored_office_come_back_from_the_office_above(
    tmp_path: Path, rabbitmq: RabbitMQ, postgres: Postgres
) -> None:
    databases = Databases(postgres, "restore_files")
    hierarchy = await set_up_two(tmp_path, rabbitmq, databases)
    async with travel.opened(hierarchy) as journey:
        [office, _] = journey.line
        county = journey.county
        file = await backup(county, tmp_path / "old.backup")
        stored = await files.store(county.desk, county.lin, "报告.pdf", chunks(FILE))
        named = [{"digest": stored.digest, "name": "报告.pdf"}]
        item = await county.registered(attachments=named, co_authors=[{"username": "chen"}])
        await forwarding.forward_up(county.desk, county.editor, item)
        await until(lambda: is_whole(journey.top, item), travel.SECONDS, "the file above")
        await decisions.register(journey.top.desk, journey.top.editor, item)
        await journey.settled()
        await lose(journey, databases, office)
        await restore(hierarchy, file, office)
        await journey.enter(office)
        await recovered(journey.county)
        await until(lambda: is_whole(journey.county, item), travel.SECONDS, "the file again")
        county = journey.county
        for author in (county.lin, county.chen):
            found = await files.download(county.desk, author, item, digest(FILE))
            assert (found.name, found.path.read_bytes()) == ("报告.pdf", FILE)
        await journey.demand_everything_once([item])


async def is_whole(room: Room, item: UUID) -> bool:
    """Whether the one file of the item is here."""
    async with room.database.reading() as session:
        if await session.get(Item, item) is None:
            return False
    view = await reading.view(room.desk, room.editor, item)
    return [seen.complete for seen in view.files] == [True]


async def test_while_it_asks_its_neighbours_a_restored_node_takes_in_no_work(
    tmp_path: Path, rabbitmq: RabbitMQ, postgres: Postgres
) -> None:
    databases = Databases(postgres, "restore_waiting")
    hierarchy = await set_up_two(tmp_path, rabbitmq, databases)
    async with travel.opened(hierarchy) as journey:
        [county, city] = journey.line
        item = await submit(journey)
        file = await backup(journey.county, tmp_path / "old.backup")
        await journey.leave(city)
        await lose(journey, databases, county)
        await restore(hierarchy, file, county)
        await journey.enter(county)
        room = journey.county
        with pytest.raises(RecoveringError):
            await decisions.register(room.desk, room.editor, item)
        with pytest.raises(RecoveringError):
            await submit(journey)
        await journey.enter(city)
        await recovered(room)
        await decisions.register(room.desk, room.editor, item)


async def test_an_administrator_goes_on_without_a_neighbour_that_is_off_for_long(
    tmp_path: Path, rabbitmq: RabbitMQ, postgres: Postgres
) -> None:
    databases = Databases(postgres, "restore_waived")
    hierarchy = await set_up_two(tmp_path, rabbitmq, databases)
    # The other county is off.
    async with travel.opened(hierarchy) as journey:
        [_, city] = journey.line
        file = await backup(journey.top, tmp_path / "old.backup")
        [item] = await play(journey, 1)
        await journey.settled()
        await lose(journey, databases, city)
        await restore(hierarchy, file, city)
        await journey.enter(city)
        with pytest.raises(RecoveringError):
            await decisions.close(journey.top.desk, journey.top.editor, item)
        await recovery.waive(
            journey.top.desk, journey.top.admin, "xishan", "西山县停电，预计两周。"
        )
        await recovered(journey.top)
        assert await journey.top.state(item) == "adopted"
        items = [item, *await play(journey, 1)]
        await journey.demand_everything_once(items)


async def test_of_two_nodes_restored_from_one_backup_only_the_later_goes_on(
    tmp_path: Path, rabbitmq: RabbitMQ, postgres: Postgres
) -> None:
    databases = Databases(postgres, "restore_twice")
    hierarchy = await set_up_two(tmp_path, rabbitmq, databases)
    async with travel.opened(hierarchy) as journey:
        [county, _] = journey.line
        item = await submit(journey)
        file = await backup(journey.county, tmp_path / "old.backup")
        # The first one was never lost: it only seemed so.
        first = journey.rooms[county]
        shutil.move(hierarchy.folder / county, tmp_path / "elsewhere")
        databases.addresses[county] = await databases.make(f"{county}_again")
        with archive.Backup(file) as opened, pytest.MonkeyPatch.context() as patch:
            patch.setenv("ZHITONG_DATABASE__URL", databases.addresses[county])
            await restoration.restore(
                opened,
                hierarchy.folder / county,
                passphrase=PASSPHRASE,
                now=system_clock(),
                progress=_silent,
            )
            await journey.enter(county)
        second = journey.county
        await recovered(second)
        # It may have been told already, by the answer to one of its receipts.
        with suppress(SupersededError):
            await decisions.register(first.desk, first.editor, item)
            await forwarding.forward_up(first.desk, first.editor, item)
        await until(lambda: superseded(first), travel.SECONDS, "an end of the first")
        with pytest.raises(SupersededError):
            await decisions.adopt(first.desk, first.editor, item)
        assert not await superseded(second)
        await decisions.register(second.desk, second.editor, item)
        await forwarding.forward_up(second.desk, second.editor, item)
        await journey.arrived(journey.top.desk.node, [item])
        await first.node.stop()


class Databases:
    """The databases of one test, which can be lost."""

    def __init__(self, postgres: Postgres, prefix: str) -> None:
        self._postgres = postgres
        self._prefix = prefix
        self.addresses: dict[str, str] = {}

    async def make(self, office: str) -> str:
        self.addresses[office] = await self._postgres.create_database(f"{self._prefix}_{office}")
        return self.addresses[office]

    async def lose(self, office: str) -> None:
        await self._postgres.drop_database(f"{self._prefix}_{office}")
        await self.make(office)


async def set_up_two(tmp_path: Path, rabbitmq: RabbitMQ, databases: Databases) -> Hierarchy:
    make: MakeDatabase = databases.make
    return await travel.set_up(
        tmp_path,
        DEPTH_2,
        broker=rabbitmq.url(),
        management=rabbitmq.management_url,
        make_database=make,
    )


async def submit(journey: Journey) -> UUID:
    county = journey.county
    return await submissions.submit(county.desk, county.lin, draft())


async def play(journey: Journey, count: int) -> list[UUID]:
    """Items climb to the top, which has much to say of each, and are closed there and below it."""
    items: list[UUID] = []
    for office in journey.line:
        if items:
            await journey.arrived(office, items)
        async with journey.off(office) as room:
            items = items or [await submit(journey) for _ in range(count)]
            for item in items:
                await decisions.register(room.desk, room.editor, item)
                if office != journey.line[-1]:
                    await forwarding.forward_up(room.desk, room.editor, item)
                    continue
                for number in range(INSTRUCTIONS):
                    await instruct(room, item, number + 1)
    for office in reversed(journey.line[1:]):
        async with journey.off(office) as room:
            for item in items:
                await decisions.adopt(room.desk, room.editor, item)
                await decisions.close(room.desk, room.editor, item)
    return items


async def instruct(room: Room, item: UUID, number: int) -> None:
    await decisions.instruct(
        room.desk,
        room.editor,
        item,
        leader="周明远",
        post="副省长",
        text=f"第{number}次批示：请研究办理。",
        on=date(2026, 11, 20),
    )


async def backup(room: Room, file: Path) -> Path:
    await archive.write(
        room.node.settings,
        room.database,
        file,
        passphrase=PASSPHRASE,
        now=system_clock(),
        progress=_silent,
    )
    return file


async def lose(journey: Journey, databases: Databases, office: str) -> None:
    """The machine burns."""
    await journey.leave(office)
    shutil.rmtree(journey.hierarchy.folder / office)
    await databases.lose(office)


async def restore(hierarchy: Hierarchy, file: Path, office: str) -> None:
    with archive.Backup(file) as opened:
        await restoration.restore(
            opened,
            hierarchy.folder / office,
            passphrase=PASSPHRASE,
            now=system_clock(),
            progress=_silent,
        )


async def messages(room: Room) -> int:
    async with room.database.reading() as session:
        counts = [
            await session.scalar(select(func.count()).select_from(table))
            for table in (Incoming, Outgoing)
        ]
    return sum(count or 0 for count in counts)


async def standing(room: Room) -> dict[UUID, tuple[Any, ...]]:
    """How every item stands here."""
    async with room.database.reading() as session:
        rows = await session.scalars(select(Item))
        return {
            item.id: (
                item.state,
                item.number,
                item.closed,
                item.edition,
                item.forwarded_edition,
                item.title,
                {office: (kept["state"], kept["kinds"]) for office, kept in item.standings.items()},
            )
            for item in rows
        }


async def recovered(room: Room) -> None:
    async def done() -> bool:
        async with room.database.reading() as session:
            epoch = (await session.scalars(select(Epoch))).one()
            return epoch.recovered_at is not None

    await until(done, travel.SECONDS, "what the neighbours hold")


async def superseded(room: Room) -> bool:
    async with room.database.reading() as session:
        own = await session.get_one(Office, room.desk.node)
        return own.superseded_by is not None


def _silent(_table: str, _rows: int) -> None:
    return
