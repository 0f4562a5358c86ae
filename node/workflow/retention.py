"""Retention periods (保管期限): which items have been kept as long as the office decided.

A period begins with the year after the item was closed here, or was declined or withdrawn where it
was archived without being closed; it depends on what became of the item. Nothing is removed by
that: whoever decides on it looks at the list, exports the item's file (`casefile`), and has it
purged (`purges`), which is a person's deed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select

from node.storage.database import Session
from node.storage.items import Item
from node.workflow import access
from node.workflow.calendar import OFFICE_TIME, day_of
from node.workflow.desk import Actor, Desk
from node.workflow.reading import PAGE, Page
from protocol.lifecycle import State


@dataclass(frozen=True)
class Due:
    """An item that was kept long enough; `until` is the last day of its period. No contents."""

    item_id: UUID
    number: str | None
    state: str
    closed_on: date
    years: int
    until: date


async def due(desk: Desk, actor: Actor, *, offset: int = 0, limit: int = PAGE) -> Page[Due]:
    """The items whose period is over, the longest closed first."""
    access.demand(actor, "read_retention")
    over = _over(desk)
    page = select(Item.id).where(over).order_by(Item.ended_at, Item.id).offset(offset).limit(limit)
    query = select(Item).where(Item.id.in_(page.subquery().select()))
    async with desk.database.reading() as session:
        rows = await session.scalars(query.order_by(Item.ended_at, Item.id))
        return Page([_row(desk, item) for item in rows], await _count(session, over))


async def count(desk: Desk) -> int:
    """How many there are: for the log."""
    async with desk.database.reading() as session:
        return await _count(session, _over(desk))


async def _count(session: Session, over: ColumnElement[bool]) -> int:
    return await session.scalar(select(func.count()).select_from(Item).where(over)) or 0


def _over(desk: Desk) -> ColumnElement[bool]:
    """Of items: that they were put away, or closed, and their period is over."""
    kept = desk.retention
    this_year = day_of(desk.clock()).year
    return and_(
        Item.purged_at.is_(None),
        or_(Item.closed, Item.archived),
        or_(
            and_(
                Item.state == State.ADOPTED,
                Item.ended_at < _new_year(this_year - kept.adopted_years),
            ),
            and_(
                Item.state.in_([state for state in State if state is not State.ADOPTED]),
                Item.ended_at < _new_year(this_year - kept.other_years),
            ),
        ),
    )


def years_of(desk: Desk, state: State) -> int:
    """How many years an item in this state is kept."""
    kept = desk.retention
    return kept.adopted_years if state is State.ADOPTED else kept.other_years


def last_day(ended_at: datetime, years: int) -> date:
    """The last day on which an item is kept that was done with then."""
    return date(day_of(ended_at).year + years, 12, 31)


def _new_year(year: int) -> datetime:
    return datetime(year, 1, 1, tzinfo=OFFICE_TIME)


def _row(desk: Desk, item: Item) -> Due:
    assert item.ended_at is not None
    years, on = years_of(desk, State(item.state)), day_of(item.ended_at)
    return Due(item.id, item.number, item.state, on, years, last_day(item.ended_at, years))
