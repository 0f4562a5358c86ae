"""Putting a message into the outbox, in the transaction of the deed that it tells of."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from node.storage import bulk
from node.storage.database import Session
from node.storage.messages import Outgoing
from node.workflow.desk import Desk
from protocol.identifiers import NodeId, digest
from protocol.messages import event
from protocol.messages.catalogue import NAMES, is_link_type
from protocol.offices import Record

PRIORITIES = {"most_urgent": 1, "urgent": 2, "normal": 3}
LINK_PRIORITY = 0


def post(
    session: Session,
    desk: Desk,
    data: Record,
    *,
    to: NodeId,
    now: datetime,
    subject: UUID | None = None,
    urgency: str = "normal",
    causation: UUID | None = None,
) -> None:
    """Queue one message for a neighbour, with the exact bytes that will be signed."""
    id = desk.new_id()
    payload = event.compose(
        data,
        id=id,
        sender=desk.node,
        recipient=to,
        subject=subject,
        time=now,
        causation=causation,
    )
    name = NAMES[type(data)]
    bulk.insert(
        session,
        Outgoing,
        id=id,
        peer=to,
        name=name,
        subject=subject,
        payload=payload,
        digest=digest(payload),
        priority=LINK_PRIORITY if is_link_type(name) else PRIORITIES[urgency],
        state="pending",
        created_at=now,
    )
