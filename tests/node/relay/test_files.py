"""Across a gap: messages and receipts as files, with the same result as over a broker."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from random import Random
from zipfile import ZipFile

import pytest
from sqlalchemy import select

from node.errors import ConfigurationError, FileRefusedError, UnknownOfficeError
from node.relay import archive, files
from node.relay.files import Exported, Exporter, Imported, take_in_file
from node.storage.audit import AuditRow
from node.workflow import links
from protocol.envelope import BEHIND
from protocol.identifiers import NodeId
from tests.factories import make_note
from tests.node.relay.ends import CITY, COUNTY, SETTINGS, SIBLING, End, Ends


class Told:
    """What is said of progress."""

    def __init__(self) -> None:
        self.steps: list[tuple[int, int]] = []

    def __call__(self, done: int, total: int) -> None:
        self.steps.append((done, total))


async def export(
    end: End, path: Path, *, to: NodeId | None = None, limit: int = 1_000, told: Told | None = None
) -> Exported:
    exporter = Exporter(end.room.desk, end.signer, incarnation=1)
    to = to or (CITY if end.node == COUNTY else COUNTY)
    return await exporter.export(to, path, by="operator", limit=limit, progress=told or Told())


async def take_in(end: End, path: Path, told: Told | None = None) -> Imported:
    return await take_in_file(end.room.desk, SETTINGS, path, by="operator", progress=told or Told())


def files_in(folder: Path) -> list[str]:
    return [file.name for file in folder.glob("up*")]


def count(imported: Imported) -> tuple[int, int, int, int]:
    result = imported.result
    return result.applied, result.repeated, result.link, result.refused


async def test_messages_and_receipts_go_by_files(each_ends: Ends, tmp_path: Path) -> None:
    ends = each_ends
    await ends.county.forward(3)
    up, down = tmp_path / "up.zip", tmp_path / "down.zip"
    done = await export(ends.county, up)
    assert (done.files, done.messages, done.receipts) == ([up], 3, 0)
    assert await ends.county.states() == ["pending"] * 3
    assert count(await take_in(ends.city, up)) == (3, 0, 0, 0)
    assert (await export(ends.city, down)).receipts == 1
    assert count(await take_in(ends.county, down)) == (0, 0, 1, 0)
    assert await ends.county.states() == ["received"] * 3
    assert await ends.city.items() == 3
    link = await ends.county.link(CITY)
    assert (link.heard_at is not None, link.exported_at is not None) == (True, True)


async def test_a_file_that_was_lost_loses_nothing(each_ends: Ends, tmp_path: Path) -> None:
    ends = each_ends
    await ends.county.forward(2)
    await export(ends.county, tmp_path / "lost.zip")
    await ends.county.forward(1)
    await export(ends.county, tmp_path / "up.zip")
    await take_in(ends.city, tmp_path / "up.zip")
    assert await ends.city.items() == 3
    await export(ends.city, tmp_path / "lost-as-well.zip")
    done = await export(ends.city, tmp_path / "down.zip")
    assert done.receipts == 1
    await take_in(ends.county, tmp_path / "down.zip")
    assert await ends.county.states() == ["received"] * 3


async def test_files_come_in_any_order_and_any_number_of_times(
    each_ends: Ends, tmp_path: Path
) -> None:
    ends, random = each_ends, Random(5)
    written: list[Path] = []
    for number in range(4):
        await ends.county.forward(2)
        written += (await export(ends.county, tmp_path / f"{number}.zip", limit=3)).files
    copies = [shutil.copy(file, file.with_suffix(".copy")) for file in written]
    shuffled = [*written, *copies, *written]
    random.shuffle(shuffled)
    for file in shuffled:
        await take_in(ends.city, Path(file))
    assert (await ends.city.items(), len(await ends.city.inbox())) == (8, 8)
    assert await ends.city.quarantine() == []
    answers = (await export(ends.city, tmp_path / "down.zip")).files
    for file in [*answers, *answers]:
        await take_in(ends.county, file)
    assert await ends.county.states() == ["received"] * 8


async def test_what_a_broker_carries_at_the_same_time_has_one_effect(
    each_ends: Ends, tmp_path: Path
) -> None:
    ends = each_ends
    await ends.county.forward(3)
    await ends.county.send_all()
    await export(ends.county, tmp_path / "up.zip")
    assert count(await take_in(ends.city, tmp_path / "up.zip")) == (3, 0, 0, 0)
    await ends.exchange()
    assert count(await take_in(ends.city, tmp_path / "up.zip")) == (0, 3, 0, 0)
    await ends.exchange()
    assert await ends.county.states() == ["received"] * 3
    assert (await ends.city.items(), len(await ends.city.inbox())) == (3, 3)


async def test_what_is_received_or_refused_for_good_is_not_exported_and_the_rest_is(
    each_ends: Ends, tmp_path: Path
) -> None:
    ends = each_ends
    await ends.county.forward()
    stolen = ends.county.item(origin=ends.city.room.desk.office)
    await ends.county.post(stolen, to=CITY, subject=ends.county.new_id())
    await ends.county.post(make_note(), to=CITY)
    await ends.exchange()
    assert sorted(await ends.county.states()) == ["received", "refused", "refused"]
    assert (await export(ends.county, tmp_path / "up.zip")).messages == 1


async def test_where_nothing_waits_no_file_is_written(ends: Ends, tmp_path: Path) -> None:
    done = await export(ends.county, tmp_path / "up.zip")
    assert (done.files, done.messages) == ([], 0)
    assert files_in(tmp_path) == []


async def test_receipts_go_into_every_file_for_thirty_days_and_are_then_forgotten(
    each_ends: Ends, tmp_path: Path
) -> None:
    ends = each_ends
    await ends.county.forward()
    await export(ends.county, tmp_path / "up.zip")
    await take_in(ends.city, tmp_path / "up.zip")
    assert (await export(ends.city, tmp_path / "first.zip")).receipts == 1
    ends.clock.move(files.RECEIPTS_KEPT - timedelta(minutes=1))
    assert (await export(ends.city, tmp_path / "second.zip")).receipts == 1
    ends.clock.move(timedelta(minutes=2))
    assert (await export(ends.city, tmp_path / "last.zip")).receipts == 0
    assert await ends.city.outbox() == []
    # Its sender asks again, and is answered again.
    await export(ends.county, tmp_path / "again.zip")
    assert count(await take_in(ends.city, tmp_path / "again.zip")) == (0, 1, 0, 0)
    await export(ends.city, tmp_path / "answer.zip")
    await take_in(ends.county, tmp_path / "answer.zip")
    assert await ends.county.states() == ["received"]


async def test_an_exported_receipt_still_leaves_over_a_broker_when_there_is_one(
    ends: Ends, tmp_path: Path
) -> None:
    await ends.county.forward()
    await ends.county.send_all()
    await ends.city.take_all()
    await export(ends.city, tmp_path / "down.zip")
    await ends.exchange()
    assert await ends.city.outbox() == []
    assert await ends.county.states() == ["received"]


async def test_an_export_that_was_cut_off_leaves_no_file_and_no_mark(
    ends: Ends, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ends.county.forward(3)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as context:
        context.setattr(archive.os, "fsync", full)
        with pytest.raises(ConfigurationError, match="No space left"):
            await export(ends.county, tmp_path / "up.zip")
    assert files_in(tmp_path) == []
    assert (await ends.county.link(CITY)).exported_at is None
    assert (await export(ends.county, tmp_path / "up.zip")).messages == 3


async def test_a_large_export_is_written_in_parts_with_progress(ends: Ends, tmp_path: Path) -> None:
    told = Told()
    messages = await ends.county.forward(7)
    done = await export(ends.county, tmp_path / "up.zip", limit=3, told=told)
    assert [file.name for file in done.files] == ["up.zip", "up-2.zip", "up-3.zip"]
    assert told.steps == [(3, 7), (6, 7), (7, 7)]
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in done.files)
    for file in reversed(done.files):
        await take_in(ends.city, file)
    assert sorted(row.id for row in await ends.city.inbox()) == sorted(messages)


async def test_a_part_is_cut_where_it_would_grow_too_large(
    ends: Ends, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "PART_BYTES", 1)
    monkeypatch.setattr(files, "AT_ONCE", 2)
    await ends.county.forward(5)
    assert len((await export(ends.county, tmp_path / "up.zip")).files) == 3


async def test_a_file_is_taken_in_in_batches_with_progress(
    ends: Ends, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ends.county.forward(5)
    await export(ends.county, tmp_path / "up.zip")
    monkeypatch.setattr(files, "BATCH_BYTES", 1)
    told = Told()
    await take_in(ends.city, tmp_path / "up.zip", told)
    assert told.steps == [(n, 5) for n in range(1, 6)]


async def test_urgent_messages_stand_first(ends: Ends, tmp_path: Path) -> None:
    await ends.county.forward(2)
    [urgent] = await ends.county.forward(urgency="most_urgent")
    first = (await export(ends.county, tmp_path / "up.zip", limit=1)).files[0]
    await take_in(ends.city, first)
    assert [row.id for row in await ends.city.inbox()] == [urgent]


async def test_a_paused_link_exports_receipts_alone(ends: Ends, tmp_path: Path) -> None:
    await ends.county.forward()
    await links.pause(ends.county.room.desk, ends.county.room.admin, CITY, "对方检修")
    await ends.city.post(make_note(), to=COUNTY)
    await export(ends.city, tmp_path / "down.zip")
    await take_in(ends.county, tmp_path / "down.zip")
    done = await export(ends.county, tmp_path / "up.zip")
    assert (done.messages, done.receipts, done.held_back) == (0, 1, True)


async def test_a_file_for_another_office_is_refused_before_anything_is_taken_in(
    ends: Ends, tmp_path: Path
) -> None:
    await ends.city.post(make_note(), to=SIBLING)
    await export(ends.city, tmp_path / "to-xishan.zip", to=SIBLING)
    with pytest.raises(FileRefusedError, match="for xishan, and this office is donghu"):
        await take_in(ends.county, tmp_path / "to-xishan.zip")
    assert await ends.county.quarantine() == []


async def test_a_file_from_an_office_that_is_no_neighbour_is_refused(
    ends: Ends, tmp_path: Path
) -> None:
    path = tmp_path / "stray.zip"
    index = archive.Index(sender=NodeId("nowhere"), recipient=CITY, made_at=ends.clock.now)
    with archive.writing(path, index) as add:
        add(b"token")
    with pytest.raises(FileRefusedError, match="from nowhere, which is no neighbour"):
        await take_in(ends.city, path)
    assert await ends.city.quarantine() == []


async def test_an_index_that_lies_proves_nothing(ends: Ends, tmp_path: Path) -> None:
    await ends.city.post(make_note(), to=SIBLING)
    await export(ends.city, tmp_path / "true.zip", to=SIBLING)
    lying = tmp_path / "lying.zip"
    index = archive.Index(sender=CITY, recipient=COUNTY, made_at=ends.clock.now)
    with ZipFile(tmp_path / "true.zip") as true, archive.writing(lying, index) as add:
        add(true.read("tokens/000001.jose"))
        add(b"no token")
    imported = await take_in(ends.county, lying)
    assert imported.result.codes == {"envelope.malformed": 1, "envelope.recipient": 1}
    assert await ends.county.inbox() == []


async def test_a_file_that_lay_too_long_is_refused_for_the_time_being_and_exported_anew(
    ends: Ends, tmp_path: Path
) -> None:
    await ends.county.forward()
    await export(ends.county, tmp_path / "old.zip")
    ends.clock.move(BEHIND + timedelta(minutes=1))
    imported = await take_in(ends.city, tmp_path / "old.zip")
    assert imported.result.codes == {"envelope.time": 1}
    await export(ends.county, tmp_path / "new.zip")
    assert count(await take_in(ends.city, tmp_path / "new.zip")) == (1, 0, 0, 0)


async def test_a_database_that_goes_away_is_no_fault_of_the_file(
    ends: Ends, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ends.county.forward(3)

    async def away(*_: object) -> None:
        raise ConnectionRefusedError

    with monkeypatch.context() as context:
        context.setattr(Exporter, "_read", away)
        with pytest.raises(ConnectionRefusedError):
            await export(ends.county, tmp_path / "up.zip")
    assert files_in(tmp_path) == []
    await export(ends.county, tmp_path / "up.zip")
    with monkeypatch.context() as context:
        context.setattr(files, "take_in", away)
        with pytest.raises(ConnectionRefusedError):
            await take_in(ends.city, tmp_path / "up.zip")
    assert count(await take_in(ends.city, tmp_path / "up.zip")) == (3, 0, 0, 0)


async def test_exports_and_imports_are_noted(ends: Ends, tmp_path: Path) -> None:
    await ends.county.forward()
    await export(ends.county, tmp_path / "up.zip")
    await take_in(ends.city, tmp_path / "up.zip")
    noted = []
    for end in (ends.county, ends.city):
        async with end.room.database.reading() as session:
            rows = await session.scalars(select(AuditRow).where(AuditRow.action.like("link_%")))
            noted += [(row.actor, row.action, row.subject) for row in rows]
    assert noted == [
        ("operator", "link_exported", CITY),
        ("operator", "link_imported", COUNTY),
    ]


async def test_nothing_is_exported_for_an_office_that_is_no_neighbour(
    ends: Ends, tmp_path: Path
) -> None:
    with pytest.raises(UnknownOfficeError):
        await export(ends.county, tmp_path / "up.zip", to=NodeId("nowhere"))
