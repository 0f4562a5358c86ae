"""The files of a restored office come back from the neighbour that has them all, piece by piece."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch
from uuid import UUID

import pytest

from node.config import LimitSettings
from node.relay.memory import BLOBS
from node.relay.transport import Delivery, Properties
from node.storage.shelf import Shelf
from node.workflow import decisions, forwarding, submissions
from protocol.messages.items import PIECE
from protocol.messages.links import Blob
from tests.files import digest, pdf, pieces_of
from tests.node.relay import carriage as carriages
from tests.node.relay import restoring
from tests.node.relay.carriage import Carriage
from tests.node.relay.ends import CITY, COUNTY, SETTINGS, SIBLING, Ends, properties_of
from tests.node.rooms import draft

THREE = pdf(2 * PIECE + 1000)
FIVE = pdf(5 * PIECE, seed=5)
WISH = Blob(digest=digest(THREE), index=0)


@pytest.fixture
def carriage(ends: Ends) -> Carriage:
    """The lane of pieces between 东湖 and 云州."""
    return carriages.joined(ends)


async def burn(carriage: Carriage, backup: restoring.Backup, *, keeps_files: bool = False) -> None:
    """The county's disk is lost, and it gets back what the city has of it, but for the files."""
    ends = carriage.ends
    recoverer = await restoring.restore(ends.county, backup, keeps_files=keeps_files)
    await restoring.recover(ends, recoverer)
    assert await restoring.is_recovered(ends.county)
    carriage.county.restart()


async def test_an_item_lists_its_files_again_and_they_come_back_whole(carriage: Carriage) -> None:
    backup = await restoring.back_up(carriage.ends.county)
    item = await carriage.forwarded(THREE, name="调研{}.pdf")
    await carriage.carry()
    await burn(carriage, backup)
    (seen,) = await carriage.county.seen(item)
    assert (seen.name, seen.size, seen.digest) == ("调研1.pdf", len(THREE), digest(THREE))
    assert (seen.arrived, seen.pieces, seen.stopped) == (0, 3, None)
    await carriage.carry()
    (seen,) = await carriage.county.seen(item)
    assert seen.complete
    assert carriage.county.content(digest(THREE)) == THREE
    assert await carriage.ends.city.quarantine() == []


async def test_a_file_that_the_backup_has_is_not_fetched(carriage: Carriage) -> None:
    await carriage.forwarded(THREE)
    await carriage.carry()
    backup = await restoring.back_up(carriage.ends.county)
    item = await carriage.forwarded(THREE)
    carriage.county.lane.drain()
    await burn(carriage, backup, keeps_files=True)
    await carriage.carry()
    assert carriage.county.lane.drain() == []
    assert [file.complete for file in await carriage.county.seen(item)] == [True]


async def test_a_piece_that_is_not_what_was_announced_does_not_come_back(
    carriage: Carriage,
) -> None:
    backup = await restoring.back_up(carriage.ends.county)
    item = await carriage.forwarded(THREE)
    await carriage.carry()
    await burn(carriage, backup)
    await carriage.county.asker.step()
    forged = Blob(digest=digest(THREE), index=0, piece="eA==")
    token = carriage.ends.city.seal(forged, COUNTY)
    said = Properties(**properties_of(token))
    carriage.ends.switchboard.queue(COUNTY, BLOBS).append(Delivery(token, said, "memory.blob"))
    await carriage.county.collector.step()
    assert [row.code for row in await carriage.ends.county.quarantine()] == ["blob.piece"]
    await carriage.carry()
    assert [file.complete for file in await carriage.county.seen(item)] == [True]
    assert carriage.county.content(digest(THREE)) == THREE


async def test_the_office_above_goes_on_fetching_what_it_had_not_fetched_yet(
    carriage: Carriage,
) -> None:
    stored = await carriage.county.store(THREE)
    backup = await restoring.back_up(carriage.ends.county)
    county = carriage.ends.county.room
    named = [{"digest": stored.digest, "name": "附件.pdf"}]
    item = await county.registered(attachments=named)
    await forwarding.forward_up(county.desk, county.editor, item)
    await carriage.ends.exchange()
    await burn(carriage, backup, keeps_files=True)
    await carriage.carry()
    assert [file.complete for file in await carriage.city.seen(item)] == [True]
    assert await carriage.ends.county.quarantine() == []


async def test_an_office_that_had_not_all_pieces_yet_has_nothing_to_give_back_and_refuses_nothing(
    carriage: Carriage,
) -> None:
    backup = await restoring.back_up(carriage.ends.county)
    item = await carriage.forwarded(THREE)
    await carriage.city.asker.step()
    await carriage.county.step()
    await carriage.city.collector.step()
    await burn(carriage, backup)
    await carriage.carry()
    carriage.ends.wait(SETTINGS.piece_within + 1)
    await carriage.carry()
    for end in (carriage.ends.county, carriage.ends.city):
        assert await end.quarantine() == []
    assert [file.complete for file in await carriage.county.seen(item)] == [False]
    # Whoever still has the file hands it in once more, and both have it.
    await carriage.county.store(THREE)
    carriage.ends.wait(SETTINGS.longest_probe)
    await carriage.carry()
    for side in (carriage.county, carriage.city):
        assert [file.complete for file in await side.seen(item)] == [True]


async def test_to_name_a_file_is_not_to_have_it(carriage: Carriage) -> None:
    city = carriage.city
    await city.store(THREE)
    said = {"name": "附件.pdf", "media_type": "application/pdf", "digest": digest(THREE)}
    said |= {"size": len(THREE), "pieces": pieces_of(THREE)}
    edition = carriage.ends.county.item(attachments=[said])
    item = carriage.ends.county.new_id()
    await carriage.ends.county.post(edition, to=CITY, subject=item)
    await carriage.ends.exchange()
    assert [file.complete for file in await city.seen(item)] == [True]
    wish = carriage.ends.county.seal(WISH, CITY)
    queued = Delivery(wish, Properties(**properties_of(wish)), "memory.blob")
    carriage.ends.switchboard.queue(CITY, BLOBS).append(queued)
    await city.collector.step()
    assert await city.orders() == []
    assert not await city.supplier.step()
    assert await carriage.ends.city.quarantine() == []


async def test_what_this_office_does_not_take_any_more_is_named_and_not_fetched(
    carriage: Carriage,
) -> None:
    backup = await restoring.back_up(carriage.ends.county)
    item = await carriage.forwarded(THREE)
    await carriage.carry()
    desk = carriage.ends.county.room.desk
    object.__setattr__(desk, "limits", LimitSettings(file_megabytes=1))
    await burn(carriage, backup)
    assert [file.stopped for file in await carriage.county.seen(item)] == ["file.too_large"]
    assert not await carriage.county.asker.step()


async def test_a_revision_brings_the_files_of_its_own_edition(carriage: Carriage) -> None:
    county, city = carriage.ends.county.room, carriage.ends.city.room
    item = await carriage.forwarded()
    await decisions.return_(city.desk, city.editor, item, "请附调研报告。")
    await carriage.ends.exchange()
    backup = await restoring.back_up(carriage.ends.county)
    stored = await carriage.county.store(THREE)
    named = [{"digest": stored.digest, "name": "调研报告.pdf"}]
    await submissions.resubmit(county.desk, county.lin, item, draft(attachments=named))
    await forwarding.forward_up(county.desk, county.editor, item)
    await carriage.ends.exchange()
    await carriage.carry()
    await burn(carriage, backup)
    await carriage.carry()
    (seen,) = await carriage.county.seen(item)
    assert (seen.name, seen.complete) == ("调研报告.pdf", True)


async def arriving(carriage: Carriage) -> UUID:
    """An item with a file of which the city has the first pieces."""
    item = await carriage.forwarded(FIVE)
    for _ in range(2):
        await carriage.city.asker.step()
        await carriage.county.step()
        await carriage.county.step()
        await carriage.city.collector.step()
    (transfer,) = await carriage.city.transfers()
    assert 0 < len(transfer.missing) < 5
    return item


async def test_pieces_that_had_arrived_and_are_in_no_backup_are_asked_for_again(
    carriage: Carriage,
) -> None:
    item = await arriving(carriage)
    city = carriage.ends.city
    recoverer = await restoring.restore(city, await restoring.back_up(city))
    await restoring.waive(city, SIBLING)
    await restoring.recover(carriage.ends, recoverer)
    assert await restoring.is_recovered(city)
    carriage.city.restart()
    carriage.ends.wait(SETTINGS.piece_within + 1)
    await carriage.carry()
    assert [file.complete for file in await carriage.city.seen(item)] == [True]
    assert carriage.city.content(digest(FIVE)) == FIVE


async def test_a_disk_that_goes_on_losing_pieces_ends_the_transfer(carriage: Carriage) -> None:
    item = await arriving(carriage)
    shelf = carriage.ends.city.room.desk.shelf
    file, write = shelf.arriving(COUNTY, digest(FIVE)), Shelf.write_piece

    def lose(shelf: Shelf, target: Path, index: int, piece: bytes) -> None:
        write(shelf, target, index, piece)
        write(shelf, file, 0, b"lost")

    with patch.object(Shelf, "write_piece", lose):
        await carriage.carry()
    assert [file.stopped for file in await carriage.city.seen(item)] == ["file.damaged"]
