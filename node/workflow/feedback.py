"""Facts come down: each becomes an event and a notice here, and travels on to the item's source.

Sending a fact of our own is part of `workflow/record`. A fact from above travels on as evidence:
the message that brought it, whole. Its business key is (item, office, sequence).
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from node.errors import FactConflictError, UnsupportedTypeError
from node.storage import bulk
from node.storage.events import Event
from node.workflow import audit, outbox, record
from node.workflow.intake import Intake
from protocol import evidence, lifecycle
from protocol.envelope import Opened
from protocol.identifiers import NodeId
from protocol.lifecycle import Moment
from protocol.messages.work import Feedback


async def receive(intake: Intake, message: Opened) -> bool:
    """Take in a fact; False when its item is not known here (yet).

    Raises `EvidenceError` before anything is changed when the fact is not proven.
    """
    if message.event.subject is None:
        raise UnsupportedTypeError
    proven = evidence.fact_of(message, chains=intake.desk.chains, place=intake.desk.place)
    item = intake.items.get(message.event.subject)
    if item is None:
        return False
    data: dict[str, Any] = proven.fact.model_dump(mode="json", exclude_none=True)
    fact, office = proven.fact, proven.fact.office
    moment = Moment(fact.sequence, 0, data["kind"])
    moments = intake.moments[item.id, office.id]
    if moment in moments:
        await _demand_same(intake, item.id, office.id, data)
        return True
    moments.add(moment)
    event_id = intake.desk.new_id()
    bulk.insert(
        intake.session,
        Event,
        id=event_id,
        item_id=item.id,
        office=office.id,
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
    audit.note(
        intake.session,
        intake.now,
        actor=message.event.sender,
        action="fact_received",
        subject=item.id,
        office=office.id,
        sequence=fact.sequence,
    )
    return True


async def _demand_same(intake: Intake, item: UUID, office: NodeId, data: dict[str, Any]) -> None:
    """Raises `FactConflictError` when the sequence was used for something else before."""
    before = await intake.session.scalar(
        select(Event.data).where(
            Event.item_id == item,
            Event.office == office,
            Event.sequence == data["sequence"],
            Event.step == 0,
        )
    )
    # None: the first one stands in this very batch, and came in the same message or a copy of it.
    if before is not None and before != data:
        raise FactConflictError
