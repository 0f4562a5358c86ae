"""The desk's queues: which items lie in each, in the order in which they are worked on.

The most urgent come first, then those that wait longest. Where a queue may hold most of an office's
items, the first of each state and urgency are read in the order of an index, and no others: a desk
opens as fast with a hundred thousand items as with ten.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args
from uuid import UUID

from sqlalchemy import ColumnElement, case, func, literal, or_, select, union_all

from node.storage.database import Session
from node.storage.desk import Claim, Review
from node.storage.items import Item
from node.workflow import deputies
from node.workflow.desk import Actor, Desk
from protocol.lifecycle import AT_THE_DESK, State
from protocol.messages.items import Urgency

Queue = Literal[
    "to_triage",
    "editing",
    "mine",
    "in_review",
    "waiting_for_me",
    "signed",
    "returned",
    "candidates",
]
"""To be registered; with an editor; with me; in review; in review at a step that I take; signed and
not decided; given back, here or above; what could go to the office above."""

QUEUES: tuple[Queue, ...] = get_args(Queue)

COUNTED = 1_000
"""So many items of a queue are counted, and no more: nobody works through a thousand."""

URGENCIES: tuple[Urgency, ...] = ("most_urgent", "urgent", "normal")
"""The first comes first."""

DESK = tuple(State(name) for name in AT_THE_DESK.split())
REVIEWED = (State.IN_REVIEW, State.ADOPTED)


@dataclass(frozen=True)
class Chosen:
    """Items that are not closed, in one of the states, of which something more may hold.

    `among` names few of them by their ids; without it there may be very many.
    """

    states: tuple[State, ...]
    also: ColumnElement[bool] | None = None
    among: ColumnElement[bool] | None = None

    @property
    def where(self) -> ColumnElement[bool]:
        """What holds for all of them."""
        found = Item.state.in_(self.states) & Item.closed.is_(False)
        for more in (self.also, self.among):
            found = found if more is None else found & more
        return found


async def chosen(session: Session, desk: Desk, actor: Actor, queue: Queue) -> Chosen:
    """What lies in the queue for this person."""
    reviewed = select(Review.item_id).where(Review.outcome.is_(None))
    match queue:
        case "to_triage":
            return Chosen((State.SUBMITTED,))
        case "editing":
            return Chosen((State.REGISTERED, State.EDITING))
        case "mine":
            held = select(Claim.item_id).where(
                Claim.person_id == actor.id, Claim.until > desk.clock()
            )
            given = select(Item.id).where(Item.editor_id == actor.id)
            return Chosen(DESK, among=Item.id.in_(given.union(held)))
        case "in_review":
            return Chosen(REVIEWED, among=Item.id.in_(reviewed))
        case "waiting_for_me":
            roles = await deputies.roles_of(session, actor, desk.clock())
            mine = reviewed.where(Review.role.in_(list(roles)))
            return Chosen(REVIEWED, among=Item.id.in_(mine))
        case "signed":
            return Chosen((State.SIGNED,))
        case "candidates":
            new = or_(Item.forwarded_edition.is_(None), Item.forwarded_edition < Item.edition)
            return Chosen((*DESK, State.ADOPTED), also=new)
        case "returned":
            return Chosen((State.RETURNED, *DESK, State.ADOPTED), among=Item.returned.is_(True))


async def count(session: Session, found: Chosen) -> int:
    """How many items there are, up to `COUNTED`."""
    some = select(Item.id).where(found.where).limit(COUNTED).subquery()
    return await session.scalar(select(func.count()).select_from(some)) or 0


async def ids(session: Session, found: Chosen, *, offset: int, limit: int) -> Sequence[UUID]:
    """One page of the items, in the order in which they are worked on."""
    order = case({name: turn for turn, name in enumerate(URGENCIES)}, value=Item.urgency)
    if found.among is not None:
        few = select(Item.id).where(found.where).order_by(order, Item.created_at, Item.id)
        return (await session.scalars(few.offset(offset).limit(limit))).all()
    parts = []
    for state in found.states:
        for turn, urgency in enumerate(URGENCIES):
            alike = (Item.state == state) & Item.closed.is_(False) & (Item.urgency == urgency)
            part = select(Item.id, Item.created_at).where(alike)
            if found.also is not None:
                part = part.where(found.also)
            first = part.order_by(Item.created_at, Item.id).limit(offset + limit).subquery()
            parts.append(select(literal(turn).label("turn"), first.c.created_at, first.c.id))
    every = union_all(*parts).subquery()
    page = select(every.c.id).order_by(every.c.turn, every.c.created_at, every.c.id)
    return (await session.scalars(page.offset(offset).limit(limit))).all()
