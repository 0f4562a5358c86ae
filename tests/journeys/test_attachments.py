"""A large file on its way from the county to the top, on RabbitMQ and PostgreSQL."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from node.bootstrap.node import system_clock
from node.config import FILE_NAME
from node.relay import arrivals
from node.relay.arrivals import Arrivals
from node.relay.blobs import BlobSender
from node.storage.files import StoredFile, Transfer
from node.storage.messages import Quarantined
from node.workflow import decisions, files, forwarding, reading
from protocol.identifiers import NodeId
from protocol.messages.items import PIECE
from protocol.messages.links import Blob
from tests.files import chunks, digest, pdf
from tests.journeys import travel
from tests.journeys.travel import Journey
from tests.node.relay.proxy import Proxy
from tests.node.rooms import Room
from tests.offices import DEPTH_3, Hierarchy, MakeDatabase
from tests.servers.rabbitmq import RabbitMQ
from tests.waiting import until

pytestmark = pytest.mark.timeout(400)

SECONDS = 180.0
COUNTY, CITY, PROVINCE = "donghu", "yunzhou", "jiangyuan"
LARGE = pdf(20 * PIECE + 123)
SMALL = pdf(2 * PIECE + 123)


@pytest.fixture
async def hierarchy(
    tmp_path: Path, broker: str, rabbitmq: RabbitMQ, postgresql: MakeDatabase
) -> Hierarchy:
    """The county 东湖, the city 云州 and the province 江原."""
    return await travel.set_up(
        tmp_path,
        DEPTH_3,
        broker=broker,
        management=rabbitmq.management_url,
        make_database=postgresql,
        piece_within=20.0,
    )


@pytest.fixture
async def proxy(hierarchy: Hierarchy, rabbitmq: RabbitMQ) -> AsyncIterator[Proxy]:
    """The network between the county and the city's broker."""
    async with Proxy(rabbitmq.port) as made:
        file = hierarchy.folder / COUNTY / FILE_NAME
        file.write_text(file.read_text().replace(f":{rabbitmq.port}/", f":{made.port}/"))
        yield made


async def forward_with_file(
    county: Room, content: bytes = LARGE, before: Callable[[], None] | None = None
) -> UUID:
    """Lin Xiaoyu hands in an item with the large file, and the editor forwards it.

    `before` happens when the file is here and announced to nobody.
    """
    stored = await files.store(county.desk, county.lin, "调研报告.pdf", chunks(content))
    if before is not None:
        before()
    named = [{"digest": stored.digest, "name": "调研报告.pdf"}]
    item = await county.registered(attachments=named)
    await forwarding.forward_up(county.desk, county.editor, item)
    return item


async def forward_on(journey: Journey, office: str, item: UUID) -> None:
    """The office registers the item and forwards it."""
    await journey.arrived(office, [item])
    room = journey.rooms[office]
    await decisions.register(room.desk, room.editor, item)
    await forwarding.forward_up(room.desk, room.editor, item)


async def finish(journey: Journey, item: UUID) -> None:
    """The top registers the item, and the author hears of it once."""
    await decisions.register(journey.top.desk, journey.top.editor, item)
    # Until the city has it, and then until the county has it from the city.
    await journey.settled()
    await journey.demand_everything_once([item])


async def missing(room: Room) -> int | None:
    """How many pieces are missing here; None when nothing is on its way."""
    async with room.database.reading() as session:
        transfer = await session.scalar(select(Transfer))
        return None if transfer is None else len(transfer.missing)


async def until_some_arrived(room: Room) -> int:
    """Wait until some pieces are here, and not all; how many are missing."""
    total = -(-len(LARGE) // PIECE)
    found: list[int] = []

    async def some() -> bool:
        left = await missing(room)
        found[:] = [left] if left is not None and left < total else []
        return bool(found)

    await until(some, SECONDS, f"some pieces at {room.desk.node}")
    assert found[0] > 0
    return found[0]


async def until_whole(room: Room, content: bytes = LARGE) -> None:
    """Wait until the file is here, and look at it."""

    async def whole() -> bool:
        async with room.database.reading() as session:
            return await session.get(StoredFile, digest(content)) is not None

    await until(whole, SECONDS, f"the file at {room.desk.node}")
    assert room.desk.shelf.place(digest(content)).read_bytes() == content


async def test_a_large_file_climbs_to_the_top_with_two_pieces_in_memory_at_most(
    hierarchy: Hierarchy, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting: list[int] = []
    add = Arrivals.add

    def count(lane: Arrivals, *given: object) -> None:
        add(lane, *given)  # type: ignore[arg-type]
        if lane._waiting[-1].queue.endswith(".blob"):
            waiting.append(len(lane._waiting))

    monkeypatch.setattr(arrivals.Arrivals, "add", count)
    async with travel.opened(hierarchy) as journey:
        item = await forward_with_file(journey.county)
        # The city forwards it whether or not its pieces have come.
        await forward_on(journey, CITY, item)
        await journey.arrived(PROVINCE, [item])
        await until_whole(journey.rooms[CITY])
        await until_whole(journey.top)
        view = await reading.view(journey.top.desk, journey.top.editor, item)
        assert [(file.name, file.complete) for file in view.files] == [("调研报告.pdf", True)]
        await finish(journey, item)
    # Two connections on each side: at most the broker's prefetch on each of them.
    assert max(waiting) <= 2 * 2


async def test_pieces_go_on_as_they_come_and_a_cut_link_is_resumed(
    hierarchy: Hierarchy, proxy: Proxy
) -> None:
    async with travel.opened(hierarchy) as journey:
        item = await forward_with_file(journey.county)
        await forward_on(journey, CITY, item)
        await journey.arrived(PROVINCE, [item])
        await until_some_arrived(journey.rooms[CITY])
        # The county's network swallows everything; then the operator has it dial again.
        proxy.mute()
        await until_some_arrived(journey.top)
        assert await missing(journey.rooms[CITY]) is not None
        transport = journey.county.node._transport
        assert transport is not None
        [broker] = transport._up.values()
        broker.rebuild()
        await until_whole(journey.rooms[CITY])
        await until_whole(journey.top)
        await finish(journey, item)


@pytest.mark.parametrize("office", [COUNTY, CITY, PROVINCE])
async def test_a_node_that_is_restarted_in_the_middle_goes_on_where_it_was(
    hierarchy: Hierarchy, office: str
) -> None:
    async with travel.opened(hierarchy) as journey:
        item = await forward_with_file(journey.county)
        await forward_on(journey, CITY, item)
        before = await until_some_arrived(journey.rooms[CITY])
        await journey.leave(office)
        await journey.enter(office)
        left = await missing(journey.rooms[CITY])
        assert left is None or left <= before
        await until_whole(journey.rooms[CITY])
        await until_whole(journey.rooms[PROVINCE])
        await journey.arrived(PROVINCE, [item])
        await finish(journey, item)


async def test_pieces_that_nobody_fetches_are_no_work_that_is_counted(
    hierarchy: Hierarchy,
) -> None:
    async with travel.opened(hierarchy, COUNTY, PROVINCE) as journey:
        await journey.enter(CITY)
        item = await forward_with_file(journey.county)
        await journey.arrived(CITY, [item])
        await until_some_arrived(journey.rooms[CITY])
        # Every message has its receipt while pieces are under way.
        await journey.settled()


async def test_a_wrong_piece_is_refused_and_asked_for_again_until_the_right_one_comes(
    hierarchy: Hierarchy,
) -> None:
    file = hierarchy.folder / CITY / FILE_NAME
    file.write_text(file.read_text().replace("piece_within = 20.0", "piece_within = 2.0"))
    async with travel.opened(hierarchy, COUNTY, CITY) as journey:
        county, city = journey.county, journey.rooms[CITY]
        shelf = county.desk.shelf
        place = shelf.place(digest(SMALL))
        # The county's disk spoils a piece, which then stays there.
        item = await forward_with_file(
            county, SMALL, before=lambda: shelf.write_piece(place, 1, b"spoilt")
        )

        async def only_it_is_missing() -> bool:
            transfer = await transfer_at(city)
            return transfer is not None and transfer.missing == [1]

        await until(only_it_is_missing, SECONDS, "all other pieces")
        wrong = base64.b64encode(b"x" * PIECE).decode()
        await send(county, CITY, Blob(digest=digest(SMALL), index=1, piece=wrong))

        async def refused_and_asked_for() -> bool:
            transfer, refused = await transfer_at(city), await quarantine(city)
            if transfer is None or not refused:
                return False
            assert (transfer.missing, transfer.faults, transfer.stopped) == ([1], 1, None)
            return transfer.asked == [1] and transfer.asked_at > refused[0].last_at

        await until(refused_and_asked_for, SECONDS, "a question for the refused piece")
        shelf.write_piece(place, 1, SMALL[PIECE : 2 * PIECE])
        await until_whole(city, SMALL)
        view = await reading.view(city.desk, city.editor, item)
        assert [(file.name, file.complete) for file in view.files] == [("调研报告.pdf", True)]
        [refused] = await quarantine(city)
        assert (refused.code, refused.peer, refused.permanent) == ("blob.piece", COUNTY, False)
        assert await quarantine(county) == []


async def transfer_at(room: Room) -> Transfer | None:
    async with room.database.reading() as session:
        found: Transfer | None = await session.scalar(select(Transfer))
        return found


async def quarantine(room: Room) -> list[Quarantined]:
    async with room.database.reading() as session:
        return list(await session.scalars(select(Quarantined)))


async def send(room: Room, to: str, blob: Blob) -> None:
    """Send a blob past the node's own loops, over its broker and signed with its key."""
    transport = room.node._transport
    assert transport is not None
    sender = BlobSender(room.desk, transport.blobs, room.node.signer(), incarnation=1)
    assert await sender.send([(NodeId(to), blob)], system_clock()) == [True]
