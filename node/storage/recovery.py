"""Going on from a backup: what the neighbours hold of this node, until all of it is back."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from node.storage.base import Base, Big


class Epoch(Base):
    """An incarnation of this node that began with a backup. `token` is its signed declaration.

    `backup_at` is since when something may be missing: the time of the backup, or of an earlier one
    that had not been recovered from then. `recovered_at` is when the neighbours' answers had all
    been taken in.
    """

    __tablename__ = "epochs"

    incarnation: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    began_at: Mapped[datetime]
    backup_at: Mapped[datetime]
    token: Mapped[bytes] = mapped_column(LargeBinary)
    recovered_at: Mapped[datetime | None]


class Recovery(Base):
    """How far a neighbour has answered. `cursor` is the last of our messages that it sent back.

    `waived_at` is when an administrator decided to go on without its answer, which is still asked
    for and taken in when it comes.
    """

    __tablename__ = "recoveries"

    peer: Mapped[str] = mapped_column(String(40), primary_key=True)
    asked_at: Mapped[datetime | None]
    cursor: Mapped[UUID | None]
    answered_at: Mapped[datetime | None]
    waived_at: Mapped[datetime | None]
    audit_seal: Mapped[int | None] = mapped_column(Big)


class Returned(Base):
    """A message that a neighbour still has: one of ours, or one of its own that it sends again.

    Ours have their token until they were entered again, and the `cause` that they answered.
    """

    __tablename__ = "returned"

    peer: Mapped[str] = mapped_column(String(40), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    ours: Mapped[bool]
    token: Mapped[bytes | None] = mapped_column(LargeBinary)
    cause: Mapped[UUID | None]
