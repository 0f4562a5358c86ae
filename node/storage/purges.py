"""Items whose contents were purged: why, and which offices say that they did so too."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, String, Text, and_, select
from sqlalchemy.orm import Mapped, mapped_column

from node.storage.base import Base
from node.storage.messages import Incoming, Outgoing

NEVER_ERASED = ("purge", "purged")
"""Messages about an item that hold nothing of it, and tell a restored node to purge again."""


class Purge(Base):
    """An item that was purged here. It may be one that this office never had, or has forgotten.

    `actor` is the person who decided it, or the office that asked for it.
    """

    __tablename__ = "purges"

    item_id: Mapped[UUID] = mapped_column(primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(String(60))
    at: Mapped[datetime]


class PurgeAnswer(Base):
    """Another office: when this one asked it to purge the item, and when it says that it did.

    An office that a neighbour tells of was asked by that neighbour, and has no `asked_at` here.
    """

    __tablename__ = "purge_answers"

    item_id: Mapped[UUID] = mapped_column(primary_key=True)
    office: Mapped[str] = mapped_column(String(40), primary_key=True)
    asked_at: Mapped[datetime | None]
    purged_at: Mapped[datetime | None]


def is_erased(message: type[Incoming] | type[Outgoing]) -> ColumnElement[bool]:
    """Whether a message of the inbox or outbox has lost its contents to a purge."""
    return and_(message.subject.in_(select(Purge.item_id)), message.name.not_in(NEVER_ERASED))
