"""Rows in bulk: however many there are, they are all stored as they were given, or none is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import func, select, text

from node.storage import bulk
from node.storage.audit import AuditRow
from node.storage.database import Session
from node.storage.items import Item
from node.workflow import audit
from tests.node.rooms import Room

FEW, MANY = bulk.MANY - 1, bulk.MANY * 3
SUMS = pytest.mark.parametrize("count", [FEW, MANY])


@SUMS
@pytest.mark.parametrize("begun", [True, False])
async def test_all_rows_are_stored_whether_or_not_the_transaction_had_begun(
    county: Room, count: int, begun: bool
) -> None:
    async with county.database.writing.begin() as session:
        if begun:
            await session.execute(text("SELECT 1"))
        noted_at = _note(session, county, count)
    async with county.database.reading() as session:
        rows = (await session.scalars(select(AuditRow).order_by(AuditRow.id))).all()
    assert [row.detail for row in rows] == [{"number": n, "text": "云州"} for n in range(count)]
    assert {row.at for row in rows} == {noted_at}
    assert {row.seal for row in rows} == {None}


@SUMS
async def test_columns_that_were_not_given_hold_their_defaults(county: Room, count: int) -> None:
    async with county.database.writing.begin() as session:
        await session.execute(text("SELECT 1"))
        for _ in range(count):
            bulk.insert(session, Item, **_item(county))
    async with county.database.reading() as session:
        items = (await session.scalars(select(Item))).all()
    assert len(items) == count
    assert {(i.closed, i.sequence, i.step, i.number) for i in items} == {(False, 0, 0, None)}
    assert all(item.standings == {} for item in items)


@SUMS
async def test_one_bad_row_and_none_is_stored(county: Room, count: int) -> None:
    twice = _item(county)
    async with county.database.writing() as session:
        await session.execute(text("SELECT 1"))
        _note(session, county, count)
        for _ in range(count):
            bulk.insert(session, Item, **twice)
        with pytest.raises(Exception, match=r"(?i)unique"):
            await session.commit()
    async with county.database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(AuditRow)) == 0
        assert await session.scalar(select(func.count()).select_from(Item)) == 0


def _note(session: Session, county: Room, count: int) -> datetime:
    now = county.clock()
    for number in range(count):
        audit.note(session, now, actor="lin", action="registered", number=number, text="云州")
    return now


def _item(county: Room) -> dict[str, Any]:
    return {
        "id": county.desk.new_id(),
        "source": None,
        "origin": county.desk.office.model_dump(),
        "origin_office": county.desk.node,
        "title": "关于农村供水管网改造的建议",
        "topic": "city",
        "urgency": "normal",
        "classification": "internal",
        "edition": 1,
        "state": "submitted",
        "created_at": county.clock(),
        "year": county.clock().year,
        "month": county.clock().month,
    }
