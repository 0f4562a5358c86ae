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

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select

from node.storage.assignments import Assignment
from node.storage.database import Session
from node.storage.events import Event
from node.storage.items import Item
from node.workflow import access, items, record, retention
from node.workflow.desk import Actor, Desk
from node.workflow.handling import SETTLED
from node.workflow.reading import PAGE, Page
from protocol import lifecycle
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
        ended_at = await session.scalar(
            select(func.max(Event.at))
            .join(Item, Item.id == Event.item_id)
            .where(Event.item_id == item_id, Event.office == desk.node, _ends())
        )
        years = retention.years_of(desk, state)
        until = retention.last_day(ended_at or now, years)
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
    query = _waiting(desk)
    async with desk.database.reading() as session:
        total = await session.scalar(select(func.count()).select_from(query.subquery()))
        rows = await session.execute(
            query.order_by(func.max(Event.at), Item.id).offset(offset).limit(limit)
        )
        return Page([_row(desk, item, at) for item, at in rows], total or 0)


def is_archived(desk: Desk, item: Item) -> bool:
    """Whether this office has archived it."""
    standing = record.standing_of(item, desk.node)
    return standing is not None and standing.archived


def _ends() -> ColumnElement[bool]:
    over = lifecycle.OVER.split()
    return or_(Event.kind == "closed", and_(Item.closed.is_(False), Event.kind.in_(over)))


def _waiting(desk: Desk) -> Select[Item, datetime]:
    put_away = exists().where(
        Event.item_id == Item.id, Event.office == desk.node, Event.kind == "archived"
    )
    at_work = exists().where(Assignment.item_id == Item.id, Assignment.state.not_in(SETTLED))
    return (
        select(Item, func.max(Event.at))
        .join(Event, and_(Event.item_id == Item.id, Event.office == desk.node, _ends()))
        .where(
            or_(Item.closed, Item.state.in_(lifecycle.OVER.split())),
            # An original is archived with the combined item.
            Item.state.not_in((State.MERGED, State.DISSOLVED)),
            Item.purged_at.is_(None),
            ~put_away.correlate(Item),
            ~at_work.correlate(Item),
        )
        .group_by(Item.id)
    )


async def _demand_settled(session: Session, item_id: UUID) -> None:
    query = select(Assignment.id).where(
        Assignment.item_id == item_id, Assignment.state.not_in(SETTLED)
    )
    if await session.scalar(query.limit(1)) is not None:
        raise LifecycleError("cannot archive: 还有交办的工作没有办完")


def _row(desk: Desk, item: Item, ended_at: datetime) -> Waiting:
    until = retention.last_day(ended_at, retention.years_of(desk, State(item.state)))
    return Waiting(item.id, item.title, item.number, item.state, item.closed, ended_at, until)
