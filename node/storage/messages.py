"""Messages on their way: outbox with its receipts, inbox and quarantine."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    literal_column,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from node.storage.base import Base

OPEN_STATES = ("pending", "sent", "refused")
_OPEN = text("state in ('pending', 'sent', 'refused')")
_RECEIVED = text("state = 'received'")


class Outgoing(Base):
    """A message to a neighbour: pending → sent (the broker has it) → received, or refused.

    `payload` holds the exact bytes that are signed whenever the message leaves. `priority` is 0
    for link messages and revocation lists, then the urgency of the item. `resend_at` is when the
    receipt of a sent message is overdue. `first_sent_at` decides from when on a statement counts
    the message. `receipt` names the kept receipt that first said `received`. Of a purged item the
    payload is empty.
    """

    __tablename__ = "outbox"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    peer: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(40))
    subject: Mapped[UUID | None]
    payload: Mapped[bytes] = mapped_column(LargeBinary)
    digest: Mapped[str] = mapped_column(String(64))
    priority: Mapped[int]
    state: Mapped[str] = mapped_column(String(10))
    code: Mapped[str | None] = mapped_column(String(60))
    permanent: Mapped[bool | None]
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    first_sent_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    resend_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    receipt: Mapped[UUID | None]

    __table_args__ = (
        # The publisher claims by urgency, then age, one link at a time.
        Index(
            "ix_outbox_open",
            "peer",
            "state",
            "priority",
            "created_at",
            postgresql_where=_OPEN,
            sqlite_where=_OPEN,
        ),
        # How many messages a neighbour has of this office.
        Index(
            "ix_outbox_received",
            "peer",
            "name",
            "code",
            "sent_at",
            postgresql_where=_RECEIVED,
            sqlite_where=_RECEIVED,
        ),
    )


@cache
def is_open() -> ColumnElement[bool]:
    """Of outgoing messages: that they are not received yet, in the words of the index.

    A database that is given the states as parameters does not see that the index holds just these.
    """
    return Outgoing.state.in_([literal_column(f"'{state}'") for state in OPEN_STATES])


@cache
def is_received() -> ColumnElement[bool]:
    """Of outgoing messages: that they are received, in the words of the index."""
    return Outgoing.state == literal_column("'received'")


class KeptReceipt(Base):
    """A receipt as its neighbour signed it: evidence for every message that it says `received` of.

    One row for a whole batch; the rows of the outbox name it.
    """

    __tablename__ = "receipts"

    peer: Mapped[str] = mapped_column(String(40), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    token: Mapped[bytes] = mapped_column(LargeBinary)
    received_at: Mapped[datetime]


class Incoming(Base):
    """A message that was verified and accepted; kept for ever, so that it never counts twice.

    `state` is applied, or parked while its subject is unknown here, or not told to be part of the
    combined item that the message is about. Of a purged item the token has lost its payload.
    """

    __tablename__ = "inbox"

    source: Mapped[str] = mapped_column(String(40), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    subject: Mapped[UUID | None]
    digest: Mapped[str] = mapped_column(String(64))
    token: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(String(10))
    received_at: Mapped[datetime]

    __table_args__ = (
        # Released when the subject arrives.
        Index(
            "ix_inbox_parked",
            "subject",
            postgresql_where=text("state = 'parked'"),
            sqlite_where=text("state = 'parked'"),
        ),
    )


class Quarantined(Base):
    """A message that was refused: why, from where, how often, and the raw bytes.

    `state` is held, wanted (someone asked for its replay), replayed or discarded; `decided_…` and
    `reason` tell of the last who asked. `outcome` is the code with which the last replay was
    refused. Of a discarded message the bytes are gone and the digest stays; of one about a purged
    item header and signature stay, too. `properties` are empty where the transport carries none.
    """

    __tablename__ = "quarantine"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    code: Mapped[str] = mapped_column(String(60))
    detail: Mapped[str] = mapped_column(Text)
    permanent: Mapped[bool]
    peer: Mapped[str | None] = mapped_column(String(40))
    message_id: Mapped[UUID | None]
    queue: Mapped[str] = mapped_column(String(120))
    body: Mapped[bytes] = mapped_column(LargeBinary)
    properties: Mapped[dict[str, Any]]
    times: Mapped[int] = mapped_column(default=1)
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(10), default="held", server_default="held")
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None] = mapped_column(String(60))
    reason: Mapped[str | None] = mapped_column(Text)
    outcome: Mapped[str | None] = mapped_column(String(60))

    __table_args__ = (
        UniqueConstraint("digest", "code"),
        # The audit log tells of a reason once for each sender and day.
        Index("ix_quarantine_reason", "code", "peer", "first_at"),
        # The relay replays what was asked for.
        Index(
            "ix_quarantine_wanted",
            "decided_at",
            postgresql_where=text("state = 'wanted'"),
            sqlite_where=text("state = 'wanted'"),
        ),
    )
