"""Quarantine: everything that was refused, with why, from whom, and the raw bytes.

The same bytes refused again for the same reason count up instead of filling the table. Of a message
that claims to be secret only the digest is kept; of one about a purged item header and signature.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from datetime import datetime

import structlog
from sqlalchemy import select

from node.relay.transport import Delivery
from node.storage.database import Session
from node.storage.messages import Quarantined
from node.workflow import audit, purges
from node.workflow.desk import Desk
from protocol.envelope import Opened, without_contents
from protocol.errors import ClassifiedError, ZhitongError

log = structlog.get_logger()

KEPT_BYTES = 4 * 1024 * 1024


async def put(
    session: Session,
    desk: Desk,
    delivery: Delivery,
    error: ZhitongError,
    now: datetime,
    message: Opened | None = None,
) -> None:
    """Keep what was refused. `message` is given when its signature was verified.

    What is replayed from here did not come again, and does not count again. What was discarded
    stays discarded.
    """
    digest = hashlib.sha256(delivery.body).hexdigest()
    body = delivery.body[:KEPT_BYTES]
    if isinstance(error, ClassifiedError):
        body = b""
    elif message is not None and await purges.concerns(session, message):
        body = without_contents(delivery.body)
    known = await session.scalar(
        select(Quarantined)
        .where(Quarantined.digest == digest, Quarantined.code == error.code)
        .with_for_update()
    )
    peer = message.event.sender if message else None
    log.warning("message.refused", code=error.code, peer=peer, queue=delivery.queue)
    if known is not None:
        if delivery.arrived_at is None:
            known.times += 1
            known.last_at = now
            known.state = "held" if known.state == "replayed" else known.state
        return
    session.add(
        Quarantined(
            id=desk.new_id(),
            digest=digest,
            code=error.code,
            detail=error.detail,
            permanent=error.permanent,
            peer=peer,
            message_id=message.event.id if message else None,
            queue=delivery.queue,
            body=body,
            properties=asdict(delivery.properties) if delivery.properties else {},
            first_at=now,
            last_at=now,
        )
    )
    await session.flush()
    audit.note(session, now, actor=peer or "system", action="message_refused", code=error.code)
