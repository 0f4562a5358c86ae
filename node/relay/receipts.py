"""Receipts: what became of a batch, told to the sender; and what neighbours tell of ours.

A receipt is an outbox row of the transaction that took the batch in, so it is signed and sent
after that transaction committed, or never. It carries the newest seal of this office's audit
chain: the neighbour becomes a witness.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import structlog
from sqlalchemy import func, select, update

from node.config import RelaySettings
from node.relay import window, witnesses
from node.storage import bulk
from node.storage.audit import AuditSeal
from node.storage.database import Session
from node.storage.messages import Outgoing
from node.storage.offices import Link, Office
from node.workflow import outbox
from node.workflow.desk import Desk
from protocol.envelope import Opened
from protocol.errors import ZhitongError
from protocol.identifiers import NodeId
from protocol.messages.links import AuditHead, Receipt, ReceiptEntry

log = structlog.get_logger()


def received(message: Opened) -> ReceiptEntry:
    """The message was taken in, now or before."""
    return ReceiptEntry(id=message.event.id, digest=message.digest, verdict="received")


def refused(
    message: Opened, error: ZhitongError, *, incarnation: int | None = None
) -> ReceiptEntry:
    """The message was not taken in. `incarnation` is what is known of a sender that is older."""
    return ReceiptEntry(
        id=message.event.id,
        digest=message.digest,
        verdict="refused",
        code=error.code,
        permanent=error.permanent,
        incarnation=incarnation,
    )


async def superseded(session: Session, node: NodeId, message: Opened) -> bool:
    """Whether the receipt says that a later incarnation of this node goes on; kept for ever."""
    receipt = message.data
    assert isinstance(receipt, Receipt)
    known = max((entry.incarnation or 0 for entry in receipt.entries), default=0)
    own = await session.get(Office, node)
    if own is None or known <= own.incarnation:
        return False
    own.superseded_by = known
    log.error("node.superseded", node=node, incarnation=own.incarnation, by=known)
    return True


async def send(
    session: Session, desk: Desk, entries: dict[NodeId, list[ReceiptEntry]], now: datetime
) -> None:
    """Queue one receipt a peer."""
    newest = await session.scalar(select(AuditSeal).order_by(AuditSeal.seal.desc()).limit(1))
    head = None if newest is None else AuditHead(seal=newest.seal, hash=newest.hash)
    for peer, verdicts in entries.items():
        outbox.post(session, desk, Receipt(entries=tuple(verdicts), audit=head), to=peer, now=now)


async def take(session: Session, settings: RelaySettings, message: Opened, now: datetime) -> None:
    """Mark what a neighbour says about messages of ours. A positive verdict is never undone.

    An entry about a message that we did not send, or with another digest, changes nothing.
    """
    receipt = message.data
    assert isinstance(receipt, Receipt)
    peer = message.event.sender
    # Of two verdicts on one message, the positive one.
    entries = sorted(receipt.entries, key=lambda entry: entry.verdict == "received")
    verdicts = {entry.id: entry for entry in entries}
    answered: list[UUID] = []
    for row in await _sent(session, peer, list(verdicts)):
        verdict = verdicts.pop(row.id)
        if verdict.digest != row.digest:
            log.error("receipt.mismatch", peer=peer, message_id=str(row.id))
        elif verdict.verdict == "received":
            answered.append(row.id)
        elif row.state != "received":
            await _refuse(session, settings, row, verdict, now)
            log.warning("outbox.refused", peer=peer, message_id=str(row.id), code=verdict.code)
    if answered:
        await session.execute(
            update(Outgoing)
            .where(bulk.among(session, Outgoing.id, answered))
            .values(
                state="received",
                code=None,
                permanent=None,
                answered_at=now,
                resend_at=None,
                # Published, and the publisher was killed before it had marked it.
                first_sent_at=func.coalesce(Outgoing.first_sent_at, now),
            )
        )
    for id in verdicts:
        log.error("receipt.unknown", peer=peer, message_id=str(id))
    if receipt.audit is not None:
        link = await session.get(Link, peer)
        if link is not None:
            await witnesses.take(session, link, receipt.audit, message, now)


class _Sent(NamedTuple):
    id: UUID
    digest: str
    state: str
    attempts: int


async def _sent(session: Session, peer: NodeId, ids: Sequence[UUID]) -> list[_Sent]:
    found = await session.execute(
        select(Outgoing.id, Outgoing.digest, Outgoing.state, Outgoing.attempts)
        .where(bulk.among(session, Outgoing.id, ids), Outgoing.peer == peer)
        .order_by(Outgoing.id)
        .with_for_update()
    )
    return [_Sent(*row) for row in found]


async def _refuse(
    session: Session, settings: RelaySettings, row: _Sent, verdict: ReceiptEntry, now: datetime
) -> None:
    again = None if verdict.permanent else now + window.pause(settings, row.attempts)
    await session.execute(
        update(Outgoing)
        .where(Outgoing.id == row.id, Outgoing.state != "received")
        .values(
            state="refused",
            code=verdict.code,
            permanent=verdict.permanent,
            answered_at=now,
            resend_at=again,
        )
    )
