"""Facts come down: each becomes an event and a notice here, and travels on to the item's source.

Sending a fact of our own is part of `workflow/record`. A fact from above travels on as evidence:
the message that brought it, whole. Of a combined item of this office it goes to each original, in a
message about that one: its authors learn so what became of the combined item, on this office's word
that the item is part of it. The business key is (item, office, item that it is about, sequence).

A fact about a combined item of an office above waits until that office has said that it merged the
item; the fact that says so releases what waits (`Intake.awaited`).
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from node.errors import FactConflictError, UnsupportedTypeError
from node.storage import bulk
from node.storage.database import Session
from node.storage.events import Event
from node.storage.items import Item
from node.workflow import attachments, audit, enclosures, lineage, outbox, record
from node.workflow.intake import Intake
from protocol import evidence, lifecycle
from protocol.envelope import Opened
from protocol.errors import NotMergedError
from protocol.evidence import NO_MERGES, Merges, ProvenFact
from protocol.identifiers import NodeId
from protocol.lifecycle import Moment
from protocol.messages.facts import FactBase, Merged, Unmerged, files_of
from protocol.messages.work import Feedback

MERGING: dict[str, type[FactBase]] = {"merged": Merged, "unmerged": Unmerged}


async def receive(intake: Intake, message: Opened) -> bool:
    """Take in a fact; False when its item is not known here (yet), or not known to be merged.

    Raises `EvidenceError` before anything is changed when the fact is not proven.
    """
    if message.event.subject is None:
        raise UnsupportedTypeError
    signed = evidence.signed_fact(message, chains=intake.desk.chains, place=intake.desk.place)
    item = intake.items.get(message.event.subject)
    if item is None:
        return False
    merges = await _merges(intake.session, item.id) if signed.relies_on else NO_MERGES
    try:
        proven = signed.proven(merges)
    except NotMergedError:
        return False
    moment = _moment(item, proven)
    said = [m for m in intake.moments[item.id, proven.fact.office.id] if m.number == moment.number]
    if said:
        await _demand_same(intake, item, proven, before=said[0], moment=moment)
        return True
    await _enter(intake, item, message, proven)
    audit.note(
        intake.session,
        intake.now,
        actor=message.event.sender,
        action="fact_received",
        subject=item.id,
        office=proven.fact.office.id,
        sequence=proven.fact.sequence,
    )
    return True


async def _merges(session: Session, item_id: UUID) -> Merges:
    """What was said here of merges around the item."""
    # This very batch may have brought it.
    await bulk.flush(session)
    rows = await session.execute(
        select(Event.about, Event.kind, Event.data).where(
            Event.item_id == item_id, Event.step == 0, Event.kind.in_(MERGING)
        )
    )
    return Merges.of((about, MERGING[kind].model_validate(data)) for about, kind, data in rows)


async def _enter(intake: Intake, item: Item, message: Opened, proven: ProvenFact) -> None:
    """Record the fact at the item, and at those that are part of it, once."""
    data: dict[str, Any] = proven.fact.model_dump(mode="json", exclude_none=True)
    fact, office = proven.fact, proven.fact.office
    moment = _moment(item, proven)
    moments = intake.moments[item.id, office.id]
    if moment in moments:
        return
    moments.add(moment)
    event_id = intake.desk.new_id()
    bulk.insert(
        intake.session,
        Event,
        id=event_id,
        item_id=item.id,
        office=office.id,
        about=proven.about,
        sequence=fact.sequence,
        step=0,
        kind=data["kind"],
        at=fact.at,
        recorded_at=intake.now,
        actor=None,
        data=data,
        message_source=message.event.sender,
        message_id=message.event.id,
    )
    files = files_of(fact)
    sender = message.event.sender
    await enclosures.take(intake.session, intake.desk, event_id, item.id, files, sender, intake.now)
    record.set_standing(item, office, lifecycle.fold(moments))
    await record.notify(intake.session, intake.desk, item, event_id, intake.now)
    if item.source is not None:
        outbox.post(
            intake.session,
            intake.desk,
            Feedback(evidence=message.token.decode(), received_at=intake.now),
            to=NodeId(item.source),
            now=intake.now,
            subject=item.id,
            urgency=item.urgency,
            causation=message.event.id,
        )
        await attachments.offer(intake.session, NodeId(item.source), files)
    if data["kind"] in MERGING:
        intake.awaited.add(item.id)
    for original in await lineage.originals(intake.session, item):
        await _enter(intake, original, message, proven)


def _moment(item: Item, proven: ProvenFact) -> Moment:
    about = None if proven.about == item.id else proven.about
    fact = proven.fact
    kind: str = fact.model_dump(include={"kind"})["kind"]
    return Moment(fact.sequence, 0, kind, about)


async def _demand_same(
    intake: Intake, item: Item, proven: ProvenFact, *, before: Moment, moment: Moment
) -> None:
    """Raises `FactConflictError` when the sequence was used for something else before."""
    if before != moment:
        raise FactConflictError
    told = await intake.session.scalar(
        select(Event.data).where(
            Event.item_id == item.id,
            Event.office == proven.fact.office.id,
            Event.about == proven.about,
            Event.sequence == proven.fact.sequence,
            Event.step == 0,
        )
    )
    # None: the first one stands in this very batch, and came in the same message or a copy of it.
    if told is not None and told != proven.fact.model_dump(mode="json", exclude_none=True):
        raise FactConflictError
