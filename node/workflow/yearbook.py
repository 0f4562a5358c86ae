"""What became of an author's items in one year, counted. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from node.storage.events import Event
from node.storage.items import Item, ItemAuthor
from node.workflow import access, points, tallies
from node.workflow.calendar import day_of
from node.workflow.desk import Actor, Desk
from node.workflow.points import Points
from node.workflow.reading import PAGE
from node.workflow.tallies import Tally


@dataclass(frozen=True)
class Yearbook:
    """Whole items. `heard`: on which a leader wrote; `implemented`: something came of it."""

    year: int
    tally: Tally
    heard: int
    implemented: int
    points: Points | None
    """None at an office without rules for them."""
    newest: Sequence[Item]
    """The newest of them."""


async def of(desk: Desk, actor: Actor, year: int | None = None) -> Yearbook:
    """The actor's own items of the year, this one where none is named."""
    access.demand(actor, "rate")
    year = year or day_of(desk.clock()).year
    own = Item.id.in_(select(ItemAuthor.item_id).where(ItemAuthor.person_id == actor.id))
    mine = (own, Item.year == year)
    order = (Item.created_at.desc(), Item.id.desc())
    first = select(Item.id).where(*mine).order_by(*order).limit(PAGE).subquery()
    query = select(Item).where(Item.id.in_(first.select())).order_by(*order)
    spoken = (
        select(Event.kind, func.count(Event.item_id.distinct()))
        .join(Item, Item.id == Event.item_id)
        .where(*mine, Event.kind.in_(("instructed", "implemented")))
        .group_by(Event.kind)
    )
    async with desk.database.reading() as session:
        newest = (await session.scalars(query)).all()
        said = dict((await session.execute(spoken)).all())
        tally = await tallies.count(session, year, own)
        counted = await points.count(session, year, actor.name, own)
    return Yearbook(
        year,
        tally,
        said.get("instructed", 0),
        said.get("implemented", 0),
        counted,
        newest,
    )
