"""Quarantine: everything that was refused, with why, from whom, and the raw bytes.

The same bytes refused again for the same reason count up instead of filling the table. What is
larger than any token is never taken in, whatever it says: its beginning is kept. The audit log
tells of each reason once for each sender and day, so that nobody can fill it from outside.
Of a message that claims to be secret only the digest is kept; of one about a purged item header and
signature.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from datetime import UTC, datetime, time

import structlog
from sqlalchemy import select

from node.relay.transport import Delivery
from node.storage.database import Session
from node.storage.messages import Quarantined
from node.workflow import audit, purges
from node.workflow.desk import Desk
from protocol.envelope import MAXIMUM_TOKEN, Opened, without_contents
from protocol.errors import ClassifiedError, ZhitongError

log = structlog.get_logger()

BEGINNING = 64 * 1024
"""Bytes that are kept of what is larger than any token."""


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
    body = _kept(delivery.body)
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
    is_news = await _is_news(session, error.code, peer, now)
    id = desk.new_id()
    session.add(
        Quarantined(
            id=id,
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
    if is_news:
        audit.note(
            session,
            now,
            actor=peer or "system",
            action="message_refused",
            subject=id,
            code=error.code,
            digest=digest,
        )


def _kept(body: bytes) -> bytes:
    return body if len(body) <= MAXIMUM_TOKEN else body[:BEGINNING]


async def _is_news(session: Session, code: str, peer: str | None, now: datetime) -> bool:
    """Whether nothing was put here today (UTC) for this reason and from this sender."""
    today = datetime.combine(now.astimezone(UTC), time(), UTC)
    before = await session.scalar(
        select(Quarantined.id)
        .where(Quarantined.code == code, Quarantined.peer == peer, Quarantined.first_at >= today)
        .limit(1)
    )
    return before is None
