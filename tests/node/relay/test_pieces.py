"""Files cross a link piece by piece: asked for, checked, resumed, never more than two at once."""

from __future__ import annotations

import base64
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest

from node.errors import ShelfError
from node.relay import collector
from node.relay.asker import FILES_AT_ONCE
from node.relay.memory import BLOBS
from node.relay.transport import Delivery, Properties
from node.storage.shelf import Shelf
from node.workflow import reading
from protocol.messages.items import PIECE
from protocol.messages.links import Blob
from tests.files import digest, pdf, pieces_of
from tests.node.relay import carriage as carriages
from tests.node.relay.carriage import Carriage, announced, blob_of, piece, put
from tests.node.relay.ends import CITY, COUNTY, SETTINGS, Ends, KilledError, properties_of

THREE = pdf(2 * PIECE + 1000)
FIVE = pdf(5 * PIECE, seed=5)


@pytest.fixture
def carriage(ends: Ends) -> Carriage:
    """The lane of pieces between 东湖 and 云州."""
    return carriages.joined(ends)


async def test_a_file_arrives_whole_and_the_item_can_be_read_before(carriage: Carriage) -> None:
    item = await carriage.forwarded(THREE)
    (seen,) = await carriage.city.seen(item)
    assert (seen.name, seen.size, seen.complete) == ("附件1.pdf", len(THREE), False)
    assert (seen.arrived, seen.pieces) == (0, 3)
    await carriage.carry()
    (seen,) = await carriage.city.seen(item)
    assert (seen.complete, seen.arrived) == (True, 3)
    assert carriage.city.content(digest(THREE)) == THREE
    assert await carriage.city.transfers() == []
    assert await carriage.county.orders() == []


async def test_never_more_than_two_pieces_of_a_file_are_under_way_or_in_memory(
    carriage: Carriage,
) -> None:
    await carriage.forwarded(FIVE)
    most = 0
    while await carriage.city.asker.step() or most == 0:
        (transfer,) = await carriage.city.transfers()
        assert len(transfer.asked) <= 2
        while await carriage.county.step():
            most = max(most, carriage.under_way())
        await carriage.city.collector.step()
        if not await carriage.city.transfers():
            break
    assert most == 2
    assert (carriage.county.lane.at_once, carriage.city.lane.at_once) == (2, 2)
    assert carriage.city.content(digest(FIVE)) == FIVE


async def test_the_same_content_is_stored_once_and_fetched_once(carriage: Carriage) -> None:
    first = await carriage.forwarded(THREE)
    await carriage.carry()
    carriage.county.lane.drain()
    second = await carriage.forwarded(THREE)
    await carriage.carry()
    assert carriage.county.lane.drain() == []
    assert await carriage.city.kept() == [digest(THREE)]
    for item in (first, second):
        assert [file.complete for file in await carriage.city.seen(item)] == [True]


async def test_a_piece_that_is_lost_is_asked_for_again_when_its_time_is_over(
    carriage: Carriage,
) -> None:
    await carriage.forwarded(THREE)
    await carriage.city.asker.step()
    carriage.county.lane.loses = True
    await carriage.carry()
    assert [transfer.missing for transfer in await carriage.city.transfers()] == [[0, 1, 2]]
    carriage.county.lane.loses = False
    await carriage.carry()
    assert await carriage.city.kept() == []
    carriage.ends.wait(SETTINGS.piece_within + 1)
    await carriage.carry()
    assert await carriage.city.kept() == [digest(THREE)]


async def test_a_silent_office_is_probed_for_one_piece_with_growing_pauses(
    carriage: Carriage,
) -> None:
    await carriage.forwarded(FIVE)
    carriage.city.lane.loses = True
    await carriage.carry()
    assert len(carriage.city.lane.drain()) == 2
    pauses = []
    for _ in range(4):
        waited = 0
        while not await carriage.city.asker.step():
            carriage.ends.wait(5)
            waited += 5
        assert [blob_of(parcel.body).index for parcel in carriage.city.lane.drain()] == [0]
        pauses.append(waited)
    assert pauses == sorted(pauses)
    assert pauses[-1] >= 4 * pauses[0]


async def test_an_office_that_is_heard_again_is_asked_at_once(carriage: Carriage) -> None:
    await carriage.forwarded(THREE)
    carriage.city.lane.loses = True
    await carriage.carry()
    for _ in range(8):
        carriage.ends.wait(SETTINGS.longest_probe)
        await carriage.city.asker.step()
    carriage.city.lane.loses = False
    carriage.ends.wait(SETTINGS.piece_within * 2)
    assert not await carriage.city.asker.step()
    await carriage.ends.county.forward()
    await carriage.ends.exchange()
    await carriage.carry()
    assert await carriage.city.kept() == [digest(THREE)]


@pytest.mark.parametrize("side", ["county", "city"])
@pytest.mark.parametrize("rounds", range(1, 6))
async def test_either_side_can_be_killed_in_the_middle(
    carriage: Carriage, side: str, rounds: int
) -> None:
    await carriage.forwarded(FIVE)
    for _ in range(rounds):
        await carriage.county.step()
        await carriage.city.step()
    getattr(carriage, side).restart()
    await carriage.carry()
    carriage.ends.wait(SETTINGS.piece_within + 1)
    await carriage.carry()
    assert carriage.city.content(digest(FIVE)) == FIVE


async def test_a_node_killed_between_the_files_name_and_the_commit_finishes_later(
    carriage: Carriage,
) -> None:
    await carriage.forwarded(THREE)
    real = Shelf.put

    def put(shelf: Shelf, file: Path, name: str) -> None:
        real(shelf, file, name)
        raise KilledError

    with patch.object(Shelf, "put", put), pytest.raises(KilledError):
        await carriage.carry()
    assert await carriage.city.kept() == []
    carriage.city.restart()
    await carriage.carry()
    assert await carriage.city.kept() == [digest(THREE)]
    assert carriage.city.content(digest(THREE)) == THREE


async def test_a_wrong_piece_is_quarantined_and_asked_for_again(carriage: Carriage) -> None:
    await carriage.forwarded(THREE)
    await carriage.city.asker.step()
    put(carriage, carriage.ends.county.seal(piece(THREE, 0, b"x" * PIECE), CITY))
    await carriage.carry()
    assert carriage.city.content(digest(THREE)) == THREE
    (refused,) = await carriage.ends.city.quarantine()
    assert (refused.code, refused.permanent, refused.peer) == ("blob.piece", False, COUNTY)


@pytest.mark.parametrize("part", [b"", b"x" * (PIECE - 1), b"x" * PIECE])
async def test_after_five_wrong_pieces_the_transfer_stops_until_the_file_is_announced_again(
    carriage: Carriage, part: bytes
) -> None:
    item = await carriage.forwarded(THREE)
    for _ in range(collector.MOST_FAULTS):
        bad = Blob(digest=digest(THREE), index=1, piece=base64.b64encode(part or b"x").decode())
        put(carriage, carriage.ends.county.seal(bad, CITY))
        await carriage.city.collector.step()
    (seen,) = await carriage.city.seen(item)
    assert (seen.stopped, seen.arrived) == ("blob.piece", 0)
    await carriage.carry()
    assert await carriage.city.kept() == []

    again = await carriage.forwarded(THREE)
    await carriage.carry()
    assert [file.complete for file in await carriage.city.seen(again)] == [True]


async def test_pieces_that_do_not_make_up_the_file_end_the_transfer(carriage: Carriage) -> None:
    item = await announced(carriage, size=len(THREE), pieces=pieces_of(THREE))
    for index in range(3):
        bad = piece(THREE, index).model_copy(update={"digest": "ab" * 32})
        put(carriage, carriage.ends.county.seal(bad, CITY))
    await carriage.carry()
    (seen,) = await carriage.city.seen(item)
    assert (seen.complete, seen.stopped) == (False, "file.damaged")
    assert list(carriage.ends.city.room.desk.shelf._folder.glob("arriving/*/*")) == []


async def test_what_came_before_or_was_never_announced_is_passed_over(carriage: Carriage) -> None:
    await carriage.forwarded(THREE)
    await carriage.carry()
    before = await carriage.city.kept()
    for content in (THREE, FIVE):
        put(carriage, carriage.ends.county.seal(piece(content, 0), CITY))
    await carriage.carry()
    assert await carriage.city.kept() == before
    assert await carriage.ends.city.quarantine() == []
    assert not carriage.ends.city.room.desk.shelf.arriving(COUNTY, digest(FIVE)).exists()


@pytest.mark.parametrize(("named", "index"), [(FIVE, 0), (THREE, 3)], ids=["file", "piece"])
async def test_only_what_was_announced_to_a_neighbour_is_sent_to_it(
    carriage: Carriage, named: bytes, index: int
) -> None:
    await carriage.forwarded(THREE)
    await carriage.county.store(FIVE)
    wish = carriage.ends.city.seal(Blob(digest=digest(named), index=index), COUNTY)
    said = Properties(**properties_of(wish))
    carriage.ends.switchboard.queue(COUNTY, BLOBS).append(Delivery(wish, said, "memory.blob"))
    await carriage.county.collector.step()
    (refused,) = await carriage.ends.county.quarantine()
    assert refused.code == "blob.not_offered"
    assert await carriage.county.orders() == []


async def test_a_piece_that_the_disk_spoilt_is_not_sent(carriage: Carriage) -> None:
    await carriage.forwarded(THREE)
    shelf = carriage.ends.county.room.desk.shelf
    shelf.write_piece(shelf.place(digest(THREE)), 1, b"spoilt")
    await carriage.carry()
    (transfer,) = await carriage.city.transfers()
    assert (transfer.missing, transfer.faults) == ([1], 0)


async def test_a_full_disk_leaves_the_piece_with_the_broker(carriage: Carriage) -> None:
    await carriage.forwarded(THREE)
    full = patch.object(Shelf, "write_piece", side_effect=ShelfError)
    with full, pytest.raises(ShelfError):
        await carriage.carry()
    assert await carriage.ends.city.quarantine() == []
    await carriage.carry()
    assert await carriage.city.kept() == [digest(THREE)]


async def test_a_file_larger_than_this_office_takes_stays_behind_and_the_item_comes(
    carriage: Carriage,
) -> None:
    limit = carriage.ends.city.room.desk.limits.file_bytes
    item = await announced(
        carriage, size=limit + 1, pieces=[f"{n:064x}" for n in range(limit // PIECE + 1)]
    )
    (seen,) = await carriage.city.seen(item)
    assert (seen.stopped, seen.complete) == ("file.too_large", False)
    assert not await carriage.city.asker.step()


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("a.exe", "application/pdf"), ("a.pdf", "text/plain"), ("a.docm", "application/msword")],
)
async def test_a_kind_of_file_that_this_office_does_not_take_is_not_fetched(
    carriage: Carriage, name: str, media_type: str
) -> None:
    said = {"name": name, "media_type": media_type, "size": 5, "pieces": ["ab" * 32]}
    item = await announced(carriage, **said)
    assert [file.stopped for file in await carriage.city.seen(item)] == ["file.kind"]
    assert not await carriage.city.asker.step()


async def test_content_that_is_not_what_its_name_says_is_given_up_when_it_is_whole(
    carriage: Carriage,
) -> None:
    program = b"MZ" + bytes(100)
    whole = digest(program)
    item = await announced(carriage, size=len(program), digest=whole, pieces=[whole])
    put(carriage, carriage.ends.county.seal(piece(program, 0), CITY))
    await carriage.carry()
    assert [file.stopped for file in await carriage.city.seen(item)] == ["file.kind"]
    assert await carriage.city.kept() == []


async def test_of_many_files_a_few_are_fetched_at_a_time_and_one_that_waits_holds_none_up(
    carriage: Carriage,
) -> None:
    await carriage.forwarded(*(pdf(2 * PIECE, seed=seed) for seed in range(10, 16)))
    assert await carriage.city.asker.step()
    assert len(carriage.city.lane.drain()) == 2 * FILES_AT_ONCE
    assert not await carriage.city.asker.step()
    # Nobody answers: the others have their turn.
    carriage.ends.switchboard.queue(COUNTY, BLOBS).clear()
    carriage.ends.wait(SETTINGS.piece_within + 1)
    await carriage.city.asker.step()
    await carriage.city.asker.step()
    asked = {blob_of(parcel.body).digest for parcel in carriage.city.lane.drain()}
    assert len(asked) == 6
    await carriage.carry()
    carriage.ends.wait(SETTINGS.piece_within * 4)
    await carriage.carry()
    assert len(await carriage.city.kept()) == 6


async def test_messages_do_not_wait_behind_pieces(carriage: Carriage) -> None:
    await carriage.forwarded(THREE)
    await carriage.city.asker.step()
    await carriage.county.collector.step()
    await carriage.county.supplier.step()
    assert carriage.under_way() == 2
    later = await carriage.forwarded()
    assert await reading.view(carriage.ends.city.room.desk, carriage.ends.city.room.editor, later)
    assert carriage.under_way() == 2


async def test_a_piece_among_the_dead_letters_is_quarantined(carriage: Carriage) -> None:
    await carriage.forwarded(THREE)
    token = carriage.ends.county.seal(piece(THREE, 0), CITY)
    carriage.ends.arrive(token, carriage.ends.city, dead=True, **properties_of(token))
    await carriage.ends.city.take_all()
    assert [row.code for row in await carriage.ends.city.quarantine()] == ["message.unsupported"]


async def test_the_clock_of_a_piece_counts_as_for_every_message(carriage: Carriage) -> None:
    await carriage.forwarded(THREE)
    ahead = carriage.ends.clock.now + timedelta(hours=1)
    put(carriage, carriage.ends.county.seal(piece(THREE, 0), CITY, at=ahead))
    await carriage.city.collector.step()
    assert [row.code for row in await carriage.ends.city.quarantine()] == ["envelope.time"]
