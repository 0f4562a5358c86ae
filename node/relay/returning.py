"""Answering a neighbour that was restored from a backup: what this office has of it.

The answer to one question, which the asker repeats until `more` is false:

 1. Our messages to it that it may have lost are sent again by the outbox under their own ids, and
    named in the answer, so that it knows what to wait for.
 2. Its messages that we took in since then go back in the answer, as the tokens that they were;
    of those about a purged item, what both ends count. Ours about one are not sent again.
 3. The last answer names the newest seals of its audit chain that we have seen.

Both lists go by id, and an answer covers both up to the same id. What is asked twice is answered
twice: sending again does no harm.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import structlog
from sqlalchemy import func, or_, select, update

from node.relay import witnesses
from node.storage import bulk
from node.storage.database import Session
from node.storage.messages import Incoming, Outgoing
from node.storage.offices import Link
from node.storage.purges import is_erased
from node.workflow import outbox
from node.workflow.desk import Desk
from protocol.envelope import Opened
from protocol.identifiers import NodeId
from protocol.messages.catalogue import LINK
from protocol.messages.links import AuditHead, ErasedMessage, Replay

log = structlog.get_logger()

MARGIN = timedelta(hours=1)
"""Clocks of offices differ, and a backup takes a while."""

TOKENS, IDS = 200, 2_000
ANSWER_CHARACTERS = 1_000_000
"""Of all tokens in an answer; a longer one, up to `MOST_CARRIED`, has an answer to itself."""

FIRST = UUID(int=0)


class _Kept(NamedTuple):
    id: UUID
    token: bytes
    name: str
    subject: UUID | None
    digest: str
    erased: bool

    @property
    def left(self) -> ErasedMessage:
        """What is left of a purged one."""
        assert self.subject is not None
        return ErasedMessage(id=self.id, name=self.name, subject=self.subject, digest=self.digest)


async def answer(session: Session, desk: Desk, message: Opened, now: datetime) -> None:
    """Queue the answer to a question of this peer."""
    question, peer = message.data, message.event.sender
    assert isinstance(question, Replay)
    assert question.since is not None
    since, after = question.since - MARGIN, question.after or FIRST
    # What this very batch took in is part of the answer: after the question, nothing that the
    # lost node had sent is taken in any more.
    await bulk.flush(session)
    ids, ids_end = await _lost(session, peer, since, after)
    tokens, tokens_end = await _kept(session, peer, since, after)
    ends = [end for end in (ids_end, tokens_end) if end is not None]
    until = min(ends) if ends else None
    if until is not None:
        ids = [id for id in ids if id <= until]
        tokens = [kept for kept in tokens if kept.id <= until]
    # 1.
    await session.execute(
        update(Outgoing)
        .where(bulk.among(session, Outgoing.id, ids))
        .values(state="pending", resend_at=None, answered_at=None)
    )
    # 2.
    reply = Replay(
        after=until,
        tokens=tuple(kept.token.decode() for kept in tokens if not kept.erased),
        erased=tuple(kept.left for kept in tokens if kept.erased),
        ids=tuple(ids),
        more=until is not None,
        audit=None if until is not None else await _head(session, peer),
        heads=None if until is not None else await witnesses.heads(session, peer),
    )
    outbox.post(session, desk, reply, to=peer, now=now, causation=message.event.id)
    log.warning("replay.answered", peer=peer, tokens=len(tokens), again=len(ids))


async def _lost(
    session: Session, peer: NodeId, since: datetime, after: UUID
) -> tuple[list[UUID], UUID | None]:
    # A message that it had before the backup is in the backup.
    found = await session.scalars(
        select(Outgoing.id)
        .where(
            Outgoing.peer == peer,
            Outgoing.name.not_in(LINK),
            Outgoing.id > after,
            or_(Outgoing.state != "received", Outgoing.answered_at >= since),
            or_(Outgoing.state != "refused", Outgoing.permanent.is_(False)),
            ~is_erased(Outgoing),
        )
        .order_by(Outgoing.id)
        .limit(IDS)
    )
    ids = list(found)
    return ids, ids[-1] if len(ids) == IDS else None


async def _kept(
    session: Session, peer: NodeId, since: datetime, after: UUID
) -> tuple[list[_Kept], UUID | None]:
    sizes = (
        await session.execute(
            select(Incoming.id, func.length(Incoming.token))
            .where(Incoming.source == peer, Incoming.id > after, Incoming.received_at >= since)
            .order_by(Incoming.id)
            .limit(TOKENS)
        )
    ).all()
    chosen: list[UUID] = []
    total = 0
    for id, size in sizes:
        total += size
        if chosen and total > ANSWER_CHARACTERS:
            break
        chosen.append(id)
    found = await session.execute(
        select(
            Incoming.id,
            Incoming.token,
            Incoming.name,
            Incoming.subject,
            Incoming.digest,
            is_erased(Incoming),
        )
        .where(Incoming.source == peer, bulk.among(session, Incoming.id, chosen))
        .order_by(Incoming.id)
    )
    whole = len(chosen) == len(sizes) < TOKENS
    return [_Kept(*row) for row in found], None if whole or not chosen else chosen[-1]


async def _head(session: Session, peer: NodeId) -> AuditHead | None:
    link = await session.get(Link, peer)
    if link is None or link.audit_seal is None or link.audit_hash is None:
        return None
    return AuditHead(seal=link.audit_seal, hash=link.audit_hash)
