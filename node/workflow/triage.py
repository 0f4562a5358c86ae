"""The desk as an editor finds it in the morning: queues of items, who has which, and since when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args
from uuid import UUID

from sqlalchemy import ColumnElement, case, func, or_, select

from node.errors import InputError
from node.storage import bulk
from node.storage.database import Session
from node.storage.desk import Claim, Review
from node.storage.items import Item
from node.storage.people import Person
from node.workflow import access, audit, claims, deputies, items, people
from node.workflow.claims import ClaimView
from node.workflow.desk import Actor, Desk
from node.workflow.reading import PAGE, Page
from protocol.lifecycle import AT_THE_DESK, State

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


@dataclass(frozen=True)
class Row:
    """An item in a queue. `editor`: to whom it is assigned; `waits_for`: the role that reviews."""

    item: Item
    editor: str | None
    claim: ClaimView | None
    waits_for: str | None


async def counts(desk: Desk, actor: Actor) -> Mapping[Queue, int]:
    """How many items each queue has, up to `COUNTED`."""
    access.demand(actor, "review")
    async with desk.database.reading() as session:
        found: dict[Queue, int] = {}
        for queue in QUEUES:
            where = await _where(session, desk, actor, queue)
            found[queue] = await _count(session, where)
    return found


async def show(
    desk: Desk, actor: Actor, queue: Queue, *, offset: int = 0, limit: int = PAGE
) -> Page[Row]:
    """One queue: the most urgent first, then what waits longest; its total up to `COUNTED`."""
    access.demand(actor, "review")
    now = desk.clock()
    urgency = case({"most_urgent": 0, "urgent": 1}, value=Item.urgency, else_=2)
    async with desk.database.reading() as session:
        where = await _where(session, desk, actor, queue)
        total = await _count(session, where)
        rows = await session.execute(
            select(Item, Person.name)
            .outerjoin(Person, Person.id == Item.editor_id)
            .where(where)
            .order_by(urgency, Item.created_at, Item.id)
            .offset(offset)
            .limit(limit)
        )
        found = [(item, editor) for item, editor in rows]
        ids = [item.id for item, _ in found]
        held = {
            claim.item_id: ClaimView(claim.person_id, name, claim.since, claim.until)
            for claim, name in await session.execute(
                select(Claim, Person.name)
                .join(Person, Person.id == Claim.person_id)
                .where(bulk.among(session, Claim.item_id, ids), Claim.until > now)
            )
        }
        reviews = await session.execute(
            select(Review.item_id, Review.role).where(
                bulk.among(session, Review.item_id, ids), Review.outcome.is_(None)
            )
        )
        waits = {item_id: role for item_id, role in reviews}  # noqa: C416 - typed
    return Page(
        [Row(item, editor, held.get(item.id), waits.get(item.id)) for item, editor in found],
        total,
    )


async def _count(session: Session, where: ColumnElement[bool]) -> int:
    some = select(Item.id).where(where).limit(COUNTED).subquery()
    return await session.scalar(select(func.count()).select_from(some)) or 0


async def claim(desk: Desk, actor: Actor, item_id: UUID, *, take_over: bool = False) -> ClaimView:
    """Work on the item from now on. Raises `ClaimedError` where somebody else does."""
    access.demand(actor, "claim")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        await items.locked(session, desk, actor, item_id, "claim")
        if not take_over:
            await claims.demand_free(session, actor, item_id, now)
        put_off = await claims.hold(session, actor, item_id, now)
        if put_off is not None:
            before = await session.get_one(Person, put_off)
            audit.note(
                session,
                now,
                actor=actor,
                action="claim_taken_over",
                subject=item_id,
                before=before.username,
            )
        await session.flush()
        held = await claims.view(session, item_id, now)
        assert held is not None  # it was taken just now
    return held


async def give_up(desk: Desk, actor: Actor, item_id: UUID) -> None:
    """Work on the item no longer. Raises `ClaimedError` where it is somebody else who does."""
    access.demand(actor, "claim")
    async with desk.database.writing.begin() as session:
        await items.locked(session, desk, actor, item_id, "claim")
        await claims.demand_free(session, actor, item_id, desk.clock())
        await claims.release(session, item_id)


async def assign(desk: Desk, actor: Actor, item_id: UUID, username: str | None) -> None:
    """Let an editor have the item, or nobody. Raises `InputError` for whoever edits nothing."""
    access.demand(actor, "assign_editor")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        item = await items.locked(session, desk, actor, item_id, "assign_editor")
        editor = await people.by_username(session, username) if username else None
        if editor is not None:
            able = access.allows(people.actor_of(editor), "edit")
            if not able or editor.disabled_at is not None or editor.left_on is not None:
                raise InputError(f"{editor.name}不是在岗的编辑或审核人员")
        item.editor_id = editor.id if editor else None
        audit.note(
            session,
            now,
            actor=actor,
            action="editor_assigned",
            subject=item.id,
            editor=username,
        )


async def _where(session: Session, desk: Desk, actor: Actor, queue: Queue) -> ColumnElement[bool]:
    at_the_desk = Item.state.in_(AT_THE_DESK.split()) & Item.closed.is_(False)
    reviewed = select(Review.item_id).where(Review.outcome.is_(None))
    in_review = Item.state.in_((State.IN_REVIEW, State.ADOPTED))
    match queue:
        case "to_triage":
            return Item.state == State.SUBMITTED
        case "editing":
            return Item.state.in_((State.REGISTERED, State.EDITING)) & Item.closed.is_(False)
        case "mine":
            held = select(Claim.item_id).where(
                Claim.person_id == actor.id, Claim.until > desk.clock()
            )
            given = select(Item.id).where(Item.editor_id == actor.id)
            # Two small sets by their indexes, instead of a look at every item.
            return at_the_desk & Item.id.in_(given.union(held))
        case "in_review":
            return in_review & Item.id.in_(reviewed)
        case "waiting_for_me":
            roles = await deputies.roles_of(session, actor, desk.clock())
            return in_review & Item.id.in_(reviewed.where(Review.role.in_(list(roles))))
        case "signed":
            return (Item.state == State.SIGNED) & Item.closed.is_(False)
        case "candidates":
            new = or_(Item.forwarded_edition.is_(None), Item.forwarded_edition < Item.edition)
            return (at_the_desk | ((Item.state == State.ADOPTED) & Item.closed.is_(False))) & new
        case "returned":
            above = desk.parent.id if desk.parent else ""
            # Only what was forwarded can be: the standings of all others need not be opened.
            forwarded = Item.forwarded_edition.is_not(None)
            returned = forwarded & (Item.standings[above]["state"].as_string() == State.RETURNED)
            here = Item.state == State.RETURNED
            return or_(here, at_the_desk & returned, (Item.state == State.ADOPTED) & returned)
