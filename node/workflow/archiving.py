"""Archiving (归档): what is done with for good, for how long it is kept, and what waits for it.

An item is archived once it is closed, or was declined or withdrawn, and nobody has work with it any
more. From then on everything that would change it here is refused (`item.archived`); what other
offices say of it still arrives and stands in its timeline. The fact travels as every other one: the
office below and the author learn that the file is put away, and until when it is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select

from node.storage.assignments import Assignment
from node.storage.database import Session
from node.storage.items import Item
from node.workflow import access, items, record, retention
from node.workflow.desk import Actor, Desk
from node.workflow.reading import PAGE, Page
from protocol.errors import LifecycleError
from protocol.lifecycle import Action, State
from protocol.messages import facts


@dataclass(frozen=True)
class Waiting:
    """An item that is done with and not archived yet; `until` is how long it would be kept."""

    item_id: UUID
    title: str
    number: str | None
    state: str
    closed: bool
    ended_at: datetime
    until: date


async def archive(desk: Desk, actor: Actor, item_id: UUID) -> date:
    """Put the item away. Returns the last day on which it is kept.

    Raises `LifecycleError` where it is not done with, `ArchivedError` where that was done before.
    """
    access.demand(actor, Action.ARCHIVE)
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        item = await items.locked(session, desk, actor, item_id, Action.ARCHIVE)
        state = items.advance(desk, item, Action.ARCHIVE)
        await _demand_settled(session, item_id)
        years = retention.years_of(desk, state)
        until = retention.last_day(item.ended_at or now, years)
        await record.own_fact(
            session,
            desk,
            item,
            facts.Archived,
            state=state,
            now=now,
            actor=actor,
            years=years,
            until=until,
        )
    return until


async def waiting(desk: Desk, actor: Actor, *, offset: int = 0, limit: int = PAGE) -> Page[Waiting]:
    """What can be archived, the longest done with first."""
    access.demand(actor, Action.ARCHIVE)
    where = _waiting()
    page = select(Item).where(where).order_by(Item.ended_at, Item.id).offset(offset).limit(limit)
    async with desk.database.reading() as session:
        total = await session.scalar(select(func.count()).select_from(Item).where(where))
        return Page([_row(desk, item) for item in await session.scalars(page)], total or 0)


def is_archived(desk: Desk, item: Item) -> bool:
    """Whether this office has archived it."""
    standing = record.standing_of(item, desk.node)
    return standing is not None and standing.archived


def _waiting() -> ColumnElement[bool]:
    """Of items: that they are done with, not put away, and nobody is at work on them."""
    at_work = select(Assignment.item_id).where(
        Assignment.settled_at.is_(None), Assignment.item_id.is_not(None)
    )
    return and_(
        Item.archived.is_(False),
        Item.ended_at.is_not(None),
        Item.purged_at.is_(None),
        # An original is archived with the combined item.
        Item.state.not_in((State.MERGED, State.DISSOLVED)),
        Item.id.not_in(at_work),
    )


async def _demand_settled(session: Session, item_id: UUID) -> None:
    query = select(Assignment.id).where(
        Assignment.item_id == item_id, Assignment.settled_at.is_(None)
    )
    if await session.scalar(query.limit(1)) is not None:
        raise LifecycleError("cannot archive: 还有交办的工作没有办完")


def _row(desk: Desk, item: Item) -> Waiting:
    at = item.ended_at
    assert at is not None
    until = retention.last_day(at, retention.years_of(desk, State(item.state)))
    return Waiting(item.id, item.title, item.number, item.state, item.closed, at, until)
