"""The desk as an editor finds it in the morning: queues of items, who has which, and since when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from node.errors import InputError
from node.storage import bulk
from node.storage.desk import Claim, Review
from node.storage.items import Item
from node.storage.people import Person
from node.workflow import access, audit, claims, items, people, queues
from node.workflow.claims import ClaimView
from node.workflow.desk import Actor, Desk
from node.workflow.queues import QUEUES, Queue
from node.workflow.reading import PAGE, Page


@dataclass(frozen=True)
class Row:
    """An item in a queue. `editor`: to whom it is assigned; `waits_for`: the role that reviews."""

    item: Item
    editor: str | None
    claim: ClaimView | None
    waits_for: str | None


async def counts(desk: Desk, actor: Actor) -> Mapping[Queue, int]:
    """How many items each queue has, up to `queues.COUNTED`."""
    access.demand(actor, "review")
    async with desk.database.reading() as session:
        return {
            queue: await queues.count(session, await queues.chosen(session, desk, actor, queue))
            for queue in QUEUES
        }


async def show(
    desk: Desk, actor: Actor, queue: Queue, *, offset: int = 0, limit: int = PAGE
) -> Page[Row]:
    """One queue: the most urgent first, then what waits longest; with how many there are."""
    access.demand(actor, "review")
    now = desk.clock()
    async with desk.database.reading() as session:
        chosen = await queues.chosen(session, desk, actor, queue)
        total = await queues.count(session, chosen)
        ids = await queues.ids(session, chosen, offset=offset, limit=limit)
        rows = await session.execute(
            select(Item, Person.name)
            .outerjoin(Person, Person.id == Item.editor_id)
            .where(bulk.among(session, Item.id, ids))
        )
        found = {item.id: (item, editor) for item, editor in rows}
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
        [Row(*found[id], held.get(id), waits.get(id)) for id in ids],
        total,
    )


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
