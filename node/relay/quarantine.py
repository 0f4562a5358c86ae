"""Quarantine: everything that was refused, with why, from whom, and the raw bytes.

The same bytes refused again for the same reason count up instead of filling the table. What is
larger than any token is never taken in, whatever it says: its beginning is kept. The audit log
tells of each reason once for each sender and day, so that nobody can fill it from outside. Nor this
table: of what one sender has refused for one reason on one day, so much is kept, and the rest is
counted in a single row. Whoever sent it still has it.
Of a message that claims to be secret only the digest is kept; of one about a purged item header and
signature.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from datetime import UTC, datetime, time

import structlog
from sqlalchemy import func, select

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

MOST_MESSAGES, MOST_BYTES = 1_000, 64 * 1024 * 1024
"""What is kept of one sender for one reason and day (UTC)."""

COUNTED = "further messages of this day that were refused for the same reason; only counted"


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
    messages, size = await _kept_today(session, error.code, peer, now)
    if messages >= MOST_MESSAGES or size + len(body) > MOST_BYTES:
        await _count_only(session, desk, error, peer, delivery.queue, now)
        return
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
    if not messages:
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


async def _kept_today(
    session: Session, code: str, peer: str | None, now: datetime
) -> tuple[int, int]:
    """How many messages were put here today for this reason and from this sender, and bytes."""
    row = await session.execute(
        select(func.count(), func.coalesce(func.sum(func.length(Quarantined.body)), 0)).where(
            Quarantined.code == code,
            Quarantined.peer == peer,
            Quarantined.first_at >= _day(now),
        )
    )
    messages, size = row.one()
    return messages, size


async def _count_only(
    session: Session, desk: Desk, error: ZhitongError, peer: str | None, queue: str, now: datetime
) -> None:
    name = f"{error.code} {peer} {_day(now).date()}"
    digest = hashlib.sha256(name.encode()).hexdigest()
    row = await session.scalar(
        select(Quarantined)
        .where(Quarantined.digest == digest, Quarantined.code == error.code)
        .with_for_update()
    )
    if row is not None:
        row.times += 1
        row.last_at = now
        return
    id = desk.new_id()
    session.add(
        Quarantined(
            id=id,
            digest=digest,
            code=error.code,
            detail=COUNTED,
            permanent=error.permanent,
            peer=peer,
            message_id=None,
            queue=queue,
            body=b"",
            properties={},
            first_at=now,
            last_at=now,
        )
    )
    await session.flush()
    audit.note(
        session, now, actor=peer or "system", action="refusals_counted", subject=id, code=error.code
    )


def _day(now: datetime) -> datetime:
    return datetime.combine(now.astimezone(UTC), time(), UTC)
