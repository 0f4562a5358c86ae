"""Witnesses of audit chains: what is kept of the neighbours' chains, and how ours compares.

A receipt names the newest seal of its sender's chain. Of each neighbour the newest hundred thousand
numbers are kept, not the newest alone: a chain that was cut and has grown past that number again
would else look right. The first hash of a number stays; another one is an alarm.

A seal that a neighbour has seen must be in our chain with the same hash. Where a later incarnation
of this node began since, it may have been lost with the disk instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple

import structlog
from sqlalchemy import and_, delete, select, update

from node.storage import bulk
from node.storage.audit import AuditSeal, Witnessed
from node.storage.database import Session
from node.storage.offices import Link
from node.storage.recovery import Epoch
from node.workflow import audit
from protocol.envelope import Opened
from protocol.identifiers import NodeId
from protocol.messages.links import MOST_HEADS, AuditHead

log = structlog.get_logger()

KEPT = 100_000
"""Numbers of one incarnation of a neighbour."""

Verdict = Literal["fits", "lost", "cut", "differs"]


class Compared(NamedTuple):
    """A seal that a neighbour has seen. Its hash `fits` ours or `differs`; or ours was `cut` off
    before it, or `lost` it with the disk.
    """

    head: AuditHead
    verdict: Verdict


async def take(
    session: Session, link: Link, head: AuditHead, message: Opened, now: datetime
) -> None:
    """Keep what a neighbour's receipt says of its own chain."""
    if (link.audit_seal, link.audit_hash) == (head.seal, head.hash):
        return
    before = link.audit_seal or 0
    await bulk.upsert(
        session,
        Witnessed,
        peer=link.peer,
        incarnation=message.incarnation,
        seal=head.seal,
        hash=head.hash,
        seen_at=now,
        token=message.token if head.seal > before else None,
    )
    key = (Witnessed.peer == link.peer, Witnessed.incarnation == message.incarnation)
    known = await session.scalar(select(Witnessed.hash).where(*key, Witnessed.seal == head.seal))
    if known != head.hash:
        log.error("audit.forked", peer=link.peer, seal=head.seal)
        audit.note(
            session,
            now,
            actor=link.peer,
            action="audit_forked",
            subject=link.peer,
            seal=head.seal,
            hash=head.hash,
            known=known,
        )
        return
    if head.seal < before:
        return
    await session.execute(
        update(Witnessed)
        .where(
            Witnessed.peer == link.peer,
            Witnessed.incarnation == link.audit_incarnation,
            Witnessed.seal == before,
        )
        .values(token=None)
    )
    await session.execute(delete(Witnessed).where(*key, Witnessed.seal <= head.seal - KEPT))
    link.audit_incarnation = message.incarnation
    link.audit_seal, link.audit_hash = head.seal, head.hash


async def heads(session: Session, peer: NodeId) -> tuple[AuditHead, ...]:
    """The newest seals of this neighbour's chain that were seen here."""
    found = await session.execute(
        select(Witnessed.seal, Witnessed.hash, Witnessed.incarnation)
        .where(Witnessed.peer == peer)
        .order_by(Witnessed.incarnation.desc(), Witnessed.seal.desc())
        .limit(MOST_HEADS)
    )
    return tuple(AuditHead(seal=seal, hash=hash, incarnation=inc) for seal, hash, inc in found)


class Known(NamedTuple):
    """The newest seal of a neighbour, and its receipt that proves it."""

    peer: str
    incarnation: int
    seal: int
    hash: str
    seen_at: datetime
    token: bytes | None


async def newest(session: Session) -> list[Known]:
    """The newest seal of every neighbour that has told of one."""
    found = await session.execute(
        select(
            Witnessed.peer,
            Witnessed.incarnation,
            Witnessed.seal,
            Witnessed.hash,
            Witnessed.seen_at,
            Witnessed.token,
        )
        .join(
            Link,
            and_(
                Link.peer == Witnessed.peer,
                Link.audit_incarnation == Witnessed.incarnation,
                Link.audit_seal == Witnessed.seal,
            ),
        )
        .order_by(Witnessed.peer)
    )
    return [Known(*row) for row in found]


async def compare(session: Session, seen: Sequence[AuditHead]) -> list[Compared]:
    """How our chain, which holds in itself, stands to what was seen of it."""
    found = await session.execute(
        select(AuditSeal.seal, AuditSeal.hash, AuditSeal.incarnation).where(
            bulk.among(session, AuditSeal.seal, {head.seal for head in seen})
        )
    )
    ours = {seal: (hash, incarnation) for seal, hash, incarnation in found}
    epochs = list(await session.scalars(select(Epoch.incarnation)))
    return [Compared(head, _verdict(head, ours.get(head.seal), epochs)) for head in seen]


def _verdict(head: AuditHead, ours: tuple[str, int] | None, epochs: Sequence[int]) -> Verdict:
    # A person reads out the beginning.
    if ours is not None and ours[0].startswith(head.hash):
        return "fits"
    # An older neighbour does not say of which incarnation it speaks: then of the first.
    incarnation = head.incarnation or 1
    if ours is not None and ours[1] <= incarnation:
        return "differs"
    if any(epoch > incarnation for epoch in epochs):
        return "lost"
    return "cut"
