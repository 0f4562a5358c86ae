"""The audit log: seals show afterwards that a row was changed, removed or slipped in."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete, select, update

from node.relay.auditor import Auditor, has_unsealed
from node.relay.verification import verify
from node.storage.audit import AuditRow, AuditSeal
from tests.node.rooms import Room
from tests.node.tampering import unprotected

CHANGES: dict[str, Any] = {
    "actor": "someone-else",
    "action": "nothing",
    "subject": "another-item",
    "detail": {"role": "editor"},
}


async def test_what_nobody_touched_holds(county: Room) -> None:
    await _sealed(county, batches=3)
    assert await _broken(county) is None


async def test_every_deed_is_sealed_once(county: Room) -> None:
    await _sealed(county, batches=2)
    async with county.database.reading() as session:
        assert not await has_unsealed(session)
        seals = (await session.scalars(select(AuditSeal).order_by(AuditSeal.seal))).all()
        rows = (await session.scalars(select(AuditRow))).all()
    assert [seal.seal for seal in seals] == [1, 2]
    assert sum(seal.rows for seal in seals) == len(rows) == 4
    assert len({seal.hash for seal in seals}) == 2


@pytest.mark.parametrize("column", [*CHANGES, "at"])
async def test_a_changed_row_breaks_its_seal(county: Room, column: str) -> None:
    await _sealed(county, batches=3)
    value = CHANGES[column] if column in CHANGES else county.clock()
    await _tamper(county, update(AuditRow).where(AuditRow.seal == 2).values({column: value}))
    assert await _broken(county) == 2


@pytest.mark.parametrize("seal", [1, 2, 3])
async def test_a_removed_row_breaks_its_seal(county: Room, seal: int) -> None:
    await _sealed(county, batches=3)
    rows = await _ids(county, seal)
    await _tamper(county, delete(AuditRow).where(AuditRow.id == rows[0]))
    assert await _broken(county) == seal


async def test_rows_that_changed_places_break_their_seal(county: Room) -> None:
    await _sealed(county, batches=1)
    first, second = await _ids(county, 1)
    for old, new in ((first, -1), (second, first), (-1, second)):
        await _tamper(county, update(AuditRow).where(AuditRow.id == old).values(id=new))
    assert await _broken(county) == 1


async def test_a_row_that_was_slipped_into_an_old_seal_breaks_it(county: Room) -> None:
    await _sealed(county, batches=2)
    async with county.database.writing.begin() as session:
        session.add(
            AuditRow(at=county.clock(), actor="x", action="y", subject=None, detail={}, seal=1)
        )
    assert await _broken(county) == 1


async def test_a_seal_that_was_taken_out_of_the_middle_is_missed(county: Room) -> None:
    await _sealed(county, batches=3)
    await _tamper(county, delete(AuditRow).where(AuditRow.seal == 2))
    await _tamper(county, delete(AuditSeal).where(AuditSeal.seal == 2))
    assert await _broken(county) == 3


async def test_a_seal_under_another_number_is_noticed(county: Room) -> None:
    await _sealed(county, batches=2)
    await _tamper(county, update(AuditRow).where(AuditRow.seal == 2).values(seal=3))
    await _tamper(county, update(AuditSeal).where(AuditSeal.seal == 2).values(seal=3))
    assert await _broken(county) == 3


async def test_a_seal_that_was_written_anew_breaks_the_one_after_it(county: Room) -> None:
    await _sealed(county, batches=3)
    await _tamper(county, update(AuditSeal).where(AuditSeal.seal == 2).values(hash="0" * 64))
    assert await _broken(county) == 2


async def test_a_seal_covers_what_was_committed_before_it_and_nothing_later(county: Room) -> None:
    await _sealed(county, batches=1)
    await county.submit()
    assert await _broken(county) is None
    async with county.database.reading() as session:
        assert await has_unsealed(session)


async def test_an_auditor_with_nothing_to_seal_says_so(county: Room) -> None:
    auditor = Auditor(county.desk)
    assert not await auditor.step()
    await county.submit()
    assert await auditor.step()
    assert not await auditor.step()


async def _sealed(county: Room, *, batches: int) -> None:
    auditor = Auditor(county.desk)
    for _ in range(batches):
        await county.registered()
        assert await auditor.step()


async def _broken(county: Room) -> int | None:
    async with county.database.reading() as session:
        flaw = (await verify(session)).flaw
    return None if flaw is None else flaw.seal


async def _ids(county: Room, seal: int) -> list[int]:
    async with county.database.reading() as session:
        query = select(AuditRow.id).where(AuditRow.seal == seal).order_by(AuditRow.id)
        return list(await session.scalars(query))


async def _tamper(county: Room, statement: Any) -> None:
    async with county.database.writing.begin() as session, unprotected(session):
        await session.execute(statement)
