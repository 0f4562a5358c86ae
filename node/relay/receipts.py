"""Receipts: what became of a batch, told to the sender; and what neighbours tell of ours.

A receipt is an outbox row of the transaction that took the batch in, so it is signed and sent
after that transaction committed, or never. It carries the newest seal of this office's audit
chain: the neighbour becomes a witness.

The sender keeps the receipt that first said `received`, for its evidence: one row for the batch.
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
from node.relay.errors import ReceiptError
from node.storage import bulk
from node.storage.audit import AuditSeal
from node.storage.database import Session
from node.storage.messages import KeptReceipt, Outgoing
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

    Raises `ReceiptError`, before anything is changed, when it confirms what it was not sent. A
    refusal of that kind is honest news: somebody else speaks in our name. It changes nothing, nor
    does an entry about a message that is not known here.
    """
    receipt = message.data
    assert isinstance(receipt, Receipt)
    peer = message.event.sender
    # Of two verdicts on one message, the positive one.
    entries = sorted(receipt.entries, key=lambda entry: entry.verdict == "received")
    verdicts = {entry.id: entry for entry in entries}
    sent = await _sent(session, list(verdicts))
    _demand_ours(receipt, peer, sent)
    answered: list[UUID] = []
    is_new = False
    for row in sent:
        verdict = verdicts.pop(row.id)
        if not row.is_of(verdict, peer):
            log.error("receipt.mismatch", peer=peer, message_id=str(row.id))
        elif verdict.verdict == "received":
            answered.append(row.id)
            is_new = is_new or row.receipt is None
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
                receipt=func.coalesce(Outgoing.receipt, message.event.id),
            )
        )
    if is_new:
        await bulk.upsert(
            session,
            KeptReceipt,
            peer=peer,
            id=message.event.id,
            token=message.token,
            received_at=now,
        )
    for id in verdicts:
        log.error("receipt.unknown", peer=peer, message_id=str(id))
    if receipt.audit is not None:
        link = await session.get(Link, peer)
        if link is not None:
            await witnesses.take(session, link, receipt.audit, message, now)


class _Sent(NamedTuple):
    id: UUID
    peer: str
    digest: str
    state: str
    attempts: int
    receipt: UUID | None

    def is_of(self, entry: ReceiptEntry, peer: NodeId) -> bool:
        """Whether the entry of this peer is about these very bytes, sent to it."""
        return (self.peer, self.digest) == (peer, entry.digest)


def _demand_ours(receipt: Receipt, peer: NodeId, sent: Sequence[_Sent]) -> None:
    rows = {row.id: row for row in sent}
    for entry in receipt.entries:
        row = rows.get(entry.id)
        if row is not None and entry.verdict == "received" and not row.is_of(entry, peer):
            log.error("receipt.mismatch", peer=peer, message_id=str(row.id))
            raise ReceiptError


async def _sent(session: Session, ids: Sequence[UUID]) -> list[_Sent]:
    found = await session.execute(
        select(
            Outgoing.id,
            Outgoing.peer,
            Outgoing.digest,
            Outgoing.state,
            Outgoing.attempts,
            Outgoing.receipt,
        )
        .where(bulk.among(session, Outgoing.id, ids))
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
