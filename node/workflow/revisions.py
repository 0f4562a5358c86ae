"""Drafts of a new edition: an item that was returned is rewritten, saved as its author goes.

Each person has one such draft of an item at a time. It begins with what the newest edition says, is
saved and kept like every draft (`drafts`), and handed in as a new edition of the item.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from node.storage.database import Session
from node.storage.drafts import Draft
from node.storage.items import Edition, Item
from node.workflow import access, attachments, drafts, items, submissions, tags
from node.workflow.desk import Actor, Desk
from node.workflow.drafts import DraftView, Sketch


async def open_draft(desk: Desk, actor: Actor, item_id: UUID) -> DraftView:
    """The actor's draft of a new edition, begun with the newest one where there is none yet.

    Raises `UnknownItemError`, `LifecycleError` for an item that was not returned.
    """
    access.demand(actor, "resubmit")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        item = await _returned(session, desk, actor, item_id)
        there = await _find(session, actor, item_id)
        if there is not None:
            return drafts.view_of(there)
        return await _begin(session, desk, actor, await _sketch(session, item), item_id, now)


async def begin(desk: Desk, actor: Actor, item_id: UUID, sketch: Sketch) -> DraftView:
    """Begin it with this. Raises `DraftChangedError` where the actor has begun one already."""
    access.demand(actor, "resubmit")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        await _returned(session, desk, actor, item_id)
        there = await _find(session, actor, item_id)
        if there is not None:
            raise drafts.changed(there, 0)
        return await _begin(session, desk, actor, sketch, item_id, now)


async def find(desk: Desk, actor: Actor, item_id: UUID) -> DraftView | None:
    """The actor's draft of a new edition, where he has begun one."""
    access.demand(actor, "resubmit")
    async with desk.database.reading() as session:
        there = await _find(session, actor, item_id)
        return drafts.view_of(there) if there is not None else None


async def _returned(session: Session, desk: Desk, actor: Actor, item_id: UUID) -> Item:
    item = await items.locked(session, desk, actor, item_id, "resubmit")
    submissions.demand_returned(desk, item)
    return item


async def _find(session: Session, actor: Actor, item_id: UUID) -> Draft | None:
    return await session.scalar(
        select(Draft).where(
            Draft.item_id == item_id, Draft.person_id == actor.id, Draft.submitted_at.is_(None)
        )
    )


async def _begin(
    session: Session, desk: Desk, actor: Actor, sketch: Sketch, item_id: UUID, now: datetime
) -> DraftView:
    return await drafts.begin_within(session, desk, actor, sketch, now, item_id=item_id)


async def _sketch(session: Session, item: Item) -> Sketch:
    edition = await session.get_one(Edition, (item.id, item.edition))
    files = await attachments.announced(session, edition)
    return drafts.sketch(
        {
            "title": edition.title,
            "body": edition.body,
            "topic": item.topic_code or edition.topic,
            "urgency": edition.urgency,
            "classification": edition.classification,
            "attachments": [{"digest": file.digest, "name": file.name} for file in files],
            "tags": await tags.of(session, item.id),
        }
    )
