"""What a purge does to files and to the quarantine, at both ends of a link."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from node.errors import ShelfError
from node.relay.caretaker import Storekeeper
from node.storage.shelf import Shelf
from node.workflow import purges
from tests import files as contents
from tests.node.erased import BODY, TITLE, written
from tests.node.relay import carriage as carriages
from tests.node.relay.carriage import Carriage, Side
from tests.node.relay.ends import CITY, Ends, properties_of
from tests.node.relay.restoring import run

ONE, TWO, LARGE = contents.pdf(3_000), contents.pdf(4_000, 2), contents.pdf(5 * 1024 * 1024, 3)


@pytest.fixture
def carriage(ends: Ends) -> Carriage:
    """The lane for pieces between them."""
    return carriages.joined(ends)


async def purge(side: Side, item: UUID) -> None:
    """The office's security administrator purges the item."""
    room = side.end.room
    await purges.purge(room.desk, room.security, item, "误报内部事项")


def on_disk(side: Side) -> list[str]:
    """Every file in the office's folder, whole or not."""
    folder: Path = side.end.room.desk.shelf.place("00").parent.parent
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


async def clear(carriage: Carriage) -> None:
    """What the storekeepers do when they are woken."""
    for side in (carriage.county, carriage.city):
        await run(Storekeeper(side.end.room.desk).step)


async def test_files_go_with_their_item_and_those_that_another_item_names_stay(
    carriage: Carriage,
) -> None:
    item = await carriage.forwarded(ONE, TWO)
    other = await carriage.forwarded(TWO)
    await carriage.carry()
    await purge(carriage.county, item)
    await carriage.ends.exchange()
    await clear(carriage)
    for side in (carriage.county, carriage.city):
        assert on_disk(side) == [contents.digest(TWO)]
        assert await side.kept() == [contents.digest(TWO)]
        assert await side.seen(item) == ()
        assert [file.complete for file in await side.seen(other)] == [True]


async def test_pieces_of_a_file_that_is_still_arriving_go_too_and_no_more_are_sent(
    carriage: Carriage,
) -> None:
    item = await carriage.forwarded(LARGE)
    for _ in range(2):
        await carriage.city.asker.step()
        await carriage.county.step()
        await carriage.city.collector.step()
    assert on_disk(carriage.city)
    await purge(carriage.county, item)
    await carriage.ends.exchange()
    await carriage.carry()
    await clear(carriage)
    for side in (carriage.county, carriage.city):
        assert on_disk(side) == []
        assert await side.transfers() == []
        assert await side.orders() == []


async def test_a_file_that_could_not_be_removed_is_removed_later(
    carriage: Carriage, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = await carriage.forwarded(ONE)

    def fail(*_: object) -> None:
        raise ShelfError("the disk is away")

    with monkeypatch.context() as patch:
        patch.setattr(Shelf, "remove", fail)
        await purge(carriage.county, item)
        with pytest.raises(ShelfError):
            await clear(carriage)
    # The purge stands; the file's row says what is still to be done.
    assert on_disk(carriage.county) == [contents.digest(ONE)]
    await clear(carriage)
    assert on_disk(carriage.county) == []


async def test_what_lies_in_quarantine_loses_its_contents_and_is_discarded(ends: Ends) -> None:
    item = ends.county.new_id()
    content = ends.county.item(title=TITLE, body=BODY)
    good = ends.county.seal(content, CITY, subject=item)
    head, middle, signature = good.split(b".")
    forged = b".".join((head, middle, signature[:-4] + b"AAAA"))
    ends.arrive(good, ends.city, **properties_of(good))
    for body in (forged, f"no token, but {item} {TITLE}".encode(), b"something else"):
        ends.arrive(body, ends.city)
    await ends.city.take_all()
    assert "quarantine" in await written(ends.city.room.database)

    room = ends.city.room
    await purges.purge(room.desk, room.security, item, "误报内部事项")
    assert await written(room.database) == []
    states = {row.body: row.state for row in await ends.city.quarantine()}
    assert states == {
        head + b".." + signature[:-4] + b"AAAA": "discarded",
        b"": "discarded",
        b"something else": "held",
    }


async def test_the_storekeeper_is_woken_by_a_purge_that_a_neighbour_asks_for(
    carriage: Carriage,
) -> None:
    woken: list[str] = []
    city = carriage.city.end.room
    city.database.watch.on("purges", lambda: woken.append("purged"))
    item = await carriage.forwarded(ONE)
    assert woken == []
    await purge(carriage.county, item)
    await carriage.ends.exchange()
    assert woken == ["purged"]
