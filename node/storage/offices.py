"""Offices that this node knows, and the state of its links to its neighbours."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from node.storage.base import Base, Big


class Office(Base):
    """An office of the hierarchy. `relation` is self, parent, child, or former (a parent until this
    office was moved), or other.

    `superseded_by` is set on this office's own row when a neighbour knows a higher incarnation of
    it: another copy of this node goes on, and this one does nothing any more.
    """

    __tablename__ = "offices"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    level: Mapped[str] = mapped_column(String(20))
    relation: Mapped[str] = mapped_column(String(10))
    region_code: Mapped[str | None] = mapped_column(String(6))
    incarnation: Mapped[int] = mapped_column(BigInteger, default=1)
    superseded_by: Mapped[int | None] = mapped_column(BigInteger)


class Link(Base):
    """What the publisher remembers of a neighbour: whether it answers, and when to probe it.

    `silent_since` is set when a receipt is overdue and cleared by anything heard from the peer.
    `stated_at` is when the last statement of account about what was sent there was made.
    `audit_seal` and `audit_hash` are the highest seal of the peer's chain that a receipt named, and
    `audit_incarnation` that of the peer when it did.
    `paused_at` is set while an administrator holds business messages back. `exported_at` is when
    messages were last written to a file for the peer. `highest_level` is the highest classification
    of items that the link may carry, either way. `barred` is suspended or revoked while nothing is
    sent to the peer and nothing taken from it. `listed_at` is when it was last sent all revocation
    lists that concern it; from then on it is sent those that come. `account_closed` is whether its
    account on this office's broker was closed for that. `ends_at` is when the link to a former
    parent ends.
    """

    __tablename__ = "links"

    peer: Mapped[str] = mapped_column(String(40), primary_key=True)
    heard_at: Mapped[datetime | None]
    silent_since: Mapped[datetime | None]
    probe_at: Mapped[datetime | None]
    probes: Mapped[int] = mapped_column(default=0)
    audit_incarnation: Mapped[int | None] = mapped_column(BigInteger)
    audit_seal: Mapped[int | None] = mapped_column(Big)
    audit_hash: Mapped[str | None] = mapped_column(String(64))
    stated_at: Mapped[datetime | None]
    paused_at: Mapped[datetime | None]
    paused_by: Mapped[str | None] = mapped_column(String(60))
    paused_reason: Mapped[str | None] = mapped_column(Text)
    exported_at: Mapped[datetime | None]
    highest_level: Mapped[str] = mapped_column(
        String(20), default="internal", server_default="internal"
    )
    barred: Mapped[str | None] = mapped_column(String(10))
    barred_at: Mapped[datetime | None]
    barred_reason: Mapped[str | None] = mapped_column(Text)
    listed_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    account_closed: Mapped[bool] = mapped_column(default=False, server_default=false())
