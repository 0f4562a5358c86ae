"""The tables of the reference: both offices have them all, and each uses its own."""

from datetime import UTC, datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, Index, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    """The root of the tables."""

    type_annotation_map: ClassVar = {datetime: DateTime(timezone=True)}


def _now() -> datetime:
    return datetime.now(UTC)


class Outbox(Base):
    """A message on its way: pending, sent (the broker has it), received (the office has it)."""

    __tablename__ = "outbox"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    payload: Mapped[bytes]
    state: Mapped[str] = mapped_column(default="pending")
    created_at: Mapped[datetime] = mapped_column(default=_now)
    sent_at: Mapped[datetime | None]
    received_at: Mapped[datetime | None]

    # Read by the relay.
    __table_args__ = (
        Index("outbox_pending", "created_at", postgresql_where=text("state = 'pending'")),
    )


class Inbox(Base):
    """A message that arrived, so that its repetition has no effect."""

    __tablename__ = "inbox"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    token: Mapped[bytes]
    received_at: Mapped[datetime] = mapped_column(default=_now)


class Item(Base):
    """A report."""

    __tablename__ = "item"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    title: Mapped[str]
    author: Mapped[str]
    situation: Mapped[str]
    causes: Mapped[str]
    proposals: Mapped[str]
    state: Mapped[str] = mapped_column(default="submitted")
    created_at: Mapped[datetime] = mapped_column(default=_now)


class Event(Base):
    """What happened to an item, and the message that brought it."""

    __tablename__ = "event"

    id: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[UUID] = mapped_column(ForeignKey(Item.id), index=True)
    message_id: Mapped[UUID] = mapped_column(ForeignKey(Inbox.id))
    kind: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=_now)

    item: Mapped[Item] = relationship()
