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

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import aliased

from node.storage.events import Event
from node.storage.items import Item
from node.workflow import access
from node.workflow.calendar import OFFICE_TIME, day_of
from node.workflow.desk import Actor, Desk
from node.workflow.reading import PAGE, Page
from protocol import lifecycle
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
    query, years = _due(desk)
    async with desk.database.reading() as session:
        total = await session.scalar(select(func.count()).select_from(query.subquery()))
        rows = await session.execute(query.order_by(Event.at, Item.id).offset(offset).limit(limit))
        return Page([_row(years, item, closed_at) for item, closed_at in rows], total or 0)


async def count(desk: Desk) -> int:
    """How many there are: for the log."""
    query, _ = _due(desk)
    async with desk.database.reading() as session:
        return await session.scalar(select(func.count()).select_from(query.subquery())) or 0


def _due(desk: Desk) -> tuple[Select[Item, datetime], dict[str, int]]:
    adopted, other = desk.retention.adopted_years, desk.retention.other_years
    this_year = day_of(desk.clock()).year
    conditions: list[ColumnElement[bool]] = [
        and_(state, Event.at < _new_year(this_year - years))
        for state, years in (
            (Item.state == State.ADOPTED, adopted),
            (Item.state != State.ADOPTED, other),
        )
    ]
    query = (
        select(Item, Event.at)
        .join(Event, Event.item_id == Item.id)
        .where(
            Item.purged_at.is_(None),
            or_(
                and_(Item.closed, Event.kind == "closed"),
                and_(
                    Item.closed.is_(False),
                    Event.kind.in_(lifecycle.OVER.split()),
                    _archived(desk),
                ),
            ),
            Event.about == Item.id,
            Event.office == desk.node,
            or_(*conditions),
        )
    )
    return query, {State.ADOPTED: adopted, "": other}


def _archived(desk: Desk) -> ColumnElement[bool]:
    told = aliased(Event)
    return (
        exists()
        .where(told.item_id == Item.id, told.office == desk.node, told.kind == "archived")
        .correlate(Item)
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


def _row(years: dict[str, int], item: Item, closed_at: datetime) -> Due:
    kept = years.get(item.state, years[""])
    closed_on = day_of(closed_at)
    return Due(item.id, item.number, item.state, closed_on, kept, last_day(closed_at, kept))
