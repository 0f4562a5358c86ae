"""Sending an item up (上报): the newest edition, with the signed message by which it came here.

One transaction, where the link may carry the item's level and the edition is signed where the
office has an approval chain: the fact `forwarded`, of which the author will hear, the outbox row of
the submission, or of a revision when the item was forwarded before (`send`), and the note that goes
with it. The office above may then ask for the pieces of its files, also of those that are still
arriving here.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from node.errors import AlreadyForwardedError, NoOfficeAboveError
from node.storage.database import Session
from node.storage.items import Edition, Item
from node.storage.messages import Incoming
from node.workflow import (
    access,
    attachments,
    calls,
    ceilings,
    directory,
    editions,
    items,
    notes,
    outbox,
    places,
    record,
    reviews,
)
from node.workflow.desk import Actor, Desk
from protocol.identifiers import NodeId
from protocol.lifecycle import Action
from protocol.messages import facts
from protocol.messages.items import LEVELS, Revision, Submission
from protocol.offices import OfficeReference


async def forward_up(desk: Desk, actor: Actor, item_id: UUID, *, note: str | None = None) -> None:
    """Forward the newest edition to the office above, with a note to the editors there, if any.

    Raises `LinkLevelError`.
    """
    access.demand(actor, Action.FORWARD_UP)
    if note is not None:
        access.demand(actor, "write_note")
    if desk.parent is None:
        raise NoOfficeAboveError
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        item = await items.locked(session, desk, actor, item_id, Action.FORWARD_UP)
        state = items.advance(desk, item, Action.FORWARD_UP)
        if item.forwarded_edition == item.edition:
            raise AlreadyForwardedError
        await reviews.demand_signed(session, item)
        edition = await session.get_one(Edition, (item.id, item.edition))
        above, _ = await places.next_above(session, desk, item.id)
        highest = (await ceilings.of(session, [above])).get(above, LEVELS[-1])
        ceilings.demand([edition.classification], highest)
        await send(session, desk, item, edition, above, now)
        await record.own_fact(
            session,
            desk,
            item,
            facts.Forwarded,
            state=state,
            now=now,
            actor=actor,
            to=await _reference(session, desk, above),
            edition=edition.number,
        )
        if note is not None:
            notes.send(session, desk, actor, item, note, above, now)


async def _reference(session: Session, desk: Desk, above: NodeId) -> OfficeReference:
    if desk.parent is not None and desk.parent.id == above:
        return desk.parent
    return await directory.reference(session, above)


async def send(
    session: Session, desk: Desk, item: Item, edition: Edition, above: NodeId, now: datetime
) -> None:
    """Queue the edition for the office above, without a word of it to anybody else."""
    proof: tuple[str, ...] = ()
    received_at: datetime | None = None
    came_as = await editions.origin_of(session, edition)
    if came_as.message_id is not None:
        key = (came_as.message_source, came_as.message_id)
        came = await session.get_one(Incoming, key)
        proof, received_at = (came.token.decode(),), came.received_at
    files = await attachments.announced(session, edition)
    _, has_it = await places.next_above(session, desk, item.id)
    is_new = item.forwarded_edition is None or not has_it
    kind = Submission if is_new else Revision
    content = kind.model_validate(
        {
            "edition": edition.number,
            "title": edition.title,
            "body": edition.body,
            "authors": edition.authors,
            "topic": edition.topic,
            "urgency": edition.urgency,
            "classification": edition.classification,
            "origin": item.origin,
            "submitted_at": edition.submitted_at,
            "number": item.number,
            "attachments": files,
            "evidence": proof,
            "received_at": received_at,
            "answers": await calls.answering(session, item),
        }
    )
    await attachments.offer(session, above, files)
    outbox.post(session, desk, content, to=above, now=now, subject=item.id, urgency=item.urgency)
    item.forwarded_edition = edition.number
