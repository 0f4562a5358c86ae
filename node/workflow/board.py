"""The board of cases: what is overdue, due soon, due later, and done; a part of each column.

Whose cases somebody sees is said in `cases`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, get_args

from sqlalchemy import ColumnElement, and_, func, or_, select

from node.storage.assignments import Assignment
from node.storage.database import Session
from node.storage.items import Item
from node.workflow import access, cases
from node.workflow.calendar import day_of
from node.workflow.desk import Actor, Desk
from node.workflow.reading import PAGE, Page

Column = Literal["overdue", "soon", "later", "settled"]
COLUMNS: tuple[Column, ...] = get_args(Column)

SOON = timedelta(days=7)
GLANCE = 20
"""So many cases of a column are shown beside the others."""


@dataclass(frozen=True)
class Card:
    """A case in a column, with the title of its item where that is here."""

    assignment: Assignment
    title: str | None


async def show(desk: Desk, actor: Actor) -> Mapping[Column, Page[Card]]:
    """The beginning of every column."""
    access.demand(actor, "read_assignments")
    async with desk.database.reading() as session:
        mine = await cases.seen_by(session, desk, actor)
        today = day_of(desk.clock())
        return {name: await _page(session, name, today, mine, 0, GLANCE) for name in COLUMNS}


async def column(
    desk: Desk, actor: Actor, name: Column, *, offset: int = 0, limit: int = PAGE
) -> Page[Card]:
    """A part of one column."""
    access.demand(actor, "read_assignments")
    async with desk.database.reading() as session:
        mine = await cases.seen_by(session, desk, actor)
        return await _page(session, name, day_of(desk.clock()), mine, offset, limit)


async def _page(
    session: Session,
    name: Column,
    today: date,
    mine: Sequence[ColumnElement[bool]],
    offset: int,
    limit: int,
) -> Page[Card]:
    where = and_(_stands_in(name, today), *mine)
    # What is done is looked up by what was done last; all else by what is due first.
    order = (
        (Assignment.settled_at.desc(), Assignment.id)
        if name == "settled"
        else (Assignment.due.is_(None), Assignment.due, Assignment.given_at, Assignment.id)
    )
    rows = await session.execute(
        select(Assignment, Item.title)
        .outerjoin(Item, Item.id == Assignment.item_id)
        .where(where)
        .order_by(*order)
        .offset(offset)
        .limit(limit)
    )
    total = await session.scalar(select(func.count()).select_from(Assignment).where(where))
    return Page([Card(row, title) for row, title in rows], total or 0)


def _stands_in(name: Column, today: date) -> ColumnElement[bool]:
    is_open = Assignment.settled_at.is_(None)
    match name:
        case "settled":
            return Assignment.settled_at.is_not(None)
        case "overdue":
            return and_(is_open, Assignment.due < today)
        case "soon":
            return and_(is_open, Assignment.due >= today, Assignment.due <= today + SOON)
        case "later":
            return and_(is_open, or_(Assignment.due.is_(None), Assignment.due > today + SOON))
