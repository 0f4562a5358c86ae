"""Putting a message into the outbox, in the transaction of the deed that it tells of."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from node.errors import MessageTooLargeError
from node.storage import bulk
from node.storage.database import Session
from node.storage.messages import Outgoing
from node.workflow.desk import Desk
from protocol.envelope import MAXIMUM_HEADER
from protocol.identifiers import NodeId, digest
from protocol.messages import event
from protocol.messages.catalogue import NAMES, is_link_type
from protocol.messages.items import MOST_CARRIED
from protocol.messages.links import ErasedMessage
from protocol.offices import Record

PRIORITIES = {"most_urgent": 1, "urgent": 2, "normal": 3}
FIRST_PRIORITY = 0
"""Of what waits for nothing, neither the window nor a pause."""

FIRST = ("issuers", "revocations")
"""Types that are sent as urgently as those of the link, and are receipted."""

MOST_BYTES = (MOST_CARRIED - 2 * MAXIMUM_HEADER) * 3 // 4
"""Of what is signed: its token is a third longer, and has a header and a signature."""


async def enter_erased(
    session: Session,
    message: ErasedMessage,
    *,
    to: str,
    now: datetime,
) -> None:
    """Enter a message of this office that came back without its contents: it was received."""
    await bulk.upsert(
        session,
        Outgoing,
        change=["state", "answered_at", "resend_at", "code", "permanent"],
        id=message.id,
        peer=to,
        name=message.name,
        subject=message.subject,
        payload=b"",
        digest=message.digest,
        priority=PRIORITIES["normal"],
        state="received",
        code=None,
        permanent=None,
        attempts=1,
        created_at=now,
        first_sent_at=now,
        sent_at=now,
        resend_at=None,
        answered_at=now,
    )


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
) -> UUID:
    """Queue one message for a neighbour, with the exact bytes that will be signed; its id.

    Raises `MessageTooLargeError` for what the neighbour could not carry on.
    """
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
    is_link = is_link_type(name)
    is_first = is_link or name in FIRST
    if not is_link and len(payload) > MOST_BYTES:
        raise MessageTooLargeError
    bulk.insert(
        session,
        Outgoing,
        id=id,
        peer=to,
        name=name,
        subject=subject,
        payload=payload,
        digest=digest(payload),
        priority=FIRST_PRIORITY if is_first else PRIORITIES[urgency],
        state="pending",
        created_at=now,
    )
    return id
