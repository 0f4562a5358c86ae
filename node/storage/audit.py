"""The audit log: who did what from where; sealed into a hash chain in batches, after the fact.

The database itself refuses to change or remove a row (triggers of the migration 0007); of a row
that is not sealed yet, the seal alone may be set.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from node.storage.base import Base, Big


class AuditRow(Base):
    """One deed. `actor` is a person's user name, a node id, or `system`.

    `came_from` is the address of the person's client; `cli` for a command on the machine itself;
    `relay` for what the office did by itself. Rows older than the migration 0007 have none.
    """

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=True)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(60))
    action: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str | None] = mapped_column(String(60))
    detail: Mapped[dict[str, Any]]
    came_from: Mapped[str | None] = mapped_column(String(60))
    seal: Mapped[int | None] = mapped_column(Big)

    __table_args__ = (
        # The auditor seals what is not sealed yet.
        Index(
            "ix_audit_unsealed",
            "id",
            postgresql_where=text("seal is null"),
            sqlite_where=text("seal is null"),
        ),
        Index(
            "ix_audit_action", "action", "id", "actor"
        ),  # who signed in, and other deeds of a kind
        Index("ix_audit_seal", "seal"),  # read when the chain is verified
        Index("ix_audit_subject", "subject", "id"),  # what became of an item, the newest first
    )


class AuditSeal(Base):
    """The chain: each hash covers the one before it and the rows of its batch.

    Seals count on from one to the next, except where a new incarnation begins: it goes on after the
    highest seal that a neighbour has seen of the one before.
    """

    __tablename__ = "audit_seals"

    seal: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=False)
    rows: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))
    incarnation: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime]


class Witnessed(Base):
    """A seal of a neighbour's chain that a receipt of it named. The first one of a number stays.

    `token` is that receipt, which proves it; it is kept of the newest seal alone.
    """

    __tablename__ = "witnessed"

    peer: Mapped[str] = mapped_column(String(40), primary_key=True)
    incarnation: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    seal: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=False)
    hash: Mapped[str] = mapped_column(String(64))
    seen_at: Mapped[datetime]
    token: Mapped[bytes | None] = mapped_column(LargeBinary)


class AuditAnswer(Base):
    """What a neighbour was last asked about this office's chain: `token` is its signed answer."""

    __tablename__ = "audit_answers"

    peer: Mapped[str] = mapped_column(String(40), primary_key=True)
    question: Mapped[UUID]
    asked_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    token: Mapped[bytes | None] = mapped_column(LargeBinary)
