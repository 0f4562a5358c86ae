"""Events: the append-only timeline of an item, and the notices to its authors."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from node.storage.base import Base, reference


class Event(Base):
    """Something an office did with an item: a fact (step 0), or what happened between facts.

    `about` is the item of which the office spoke: this one, or a combined item that this one is
    part of. The unique key (item, office, about, sequence, step) makes a fact's effect happen once,
    however often and by whatever message it arrives. `data` is the fact as it was signed.
    """

    __tablename__ = "events"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    item_id: Mapped[UUID] = mapped_column(reference("items.id"))
    office: Mapped[str] = mapped_column(String(40))
    about: Mapped[UUID]
    sequence: Mapped[int]
    step: Mapped[int] = mapped_column(default=0)
    kind: Mapped[str] = mapped_column(String(30))
    at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    actor: Mapped[str | None] = mapped_column(String(200))
    data: Mapped[dict[str, Any]]
    message_source: Mapped[str | None] = mapped_column(String(40))
    message_id: Mapped[UUID | None]

    __table_args__ = (UniqueConstraint("item_id", "office", "about", "sequence", "step"),)


class Notice(Base):
    """An author is told of an event, once; or, in words, how a call was changed."""

    __tablename__ = "notices"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(reference("people.id"))
    item_id: Mapped[UUID | None] = mapped_column(reference("items.id"))
    event_id: Mapped[UUID | None] = mapped_column(reference("events.id"))
    call_id: Mapped[UUID | None] = mapped_column(reference("calls.id"))
    words: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    read_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("person_id", "event_id"),
        Index("ix_notices_person_id_created_at", "person_id", "created_at"),  # a person's notices
    )
