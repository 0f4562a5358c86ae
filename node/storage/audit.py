"""The audit log: who did what; rows are sealed into a hash chain in batches, after the fact."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from node.storage.base import Base


class AuditRow(Base):
    """One deed. `actor` is a person's user name, a node id, or `system`."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True
    )
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(60))
    action: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str | None] = mapped_column(String(60))
    detail: Mapped[dict[str, Any]]
    seal: Mapped[int | None]

    __table_args__ = (
        # The auditor seals what is not sealed yet.
        Index(
            "ix_audit_unsealed",
            "id",
            postgresql_where=text("seal is null"),
            sqlite_where=text("seal is null"),
        ),
        Index("ix_audit_seal", "seal"),  # read when the chain is verified
    )


class AuditSeal(Base):
    """The chain: each hash covers the one before it and the rows of its batch.

    Seals count on from one to the next, except where a new incarnation begins: it goes on after the
    highest seal that a neighbour has seen of the one before.
    """

    __tablename__ = "audit_seals"

    seal: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    rows: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))
    incarnation: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime]
