"""Calls (约稿、征集要点、通报): what an office asks for or tells, of whom, and who has read it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from node.storage.base import Base, reference


class Call(Base):
    """A call of this office, or one that came from `source` by the message `message_id`.

    `kind` is solicitation, topic_guide or circular. After a restore nobody knows by whom
    (`made_by`) a call of this office was made. `read_at` is when somebody here who edits read what
    came. `revision` counts its changes; `first_due` is when it was due at first. Once it has
    `ended`, closed or withdrawn, it is not answered any more; `ended_reason` says why it was last
    changed.
    """

    __tablename__ = "calls"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    source: Mapped[str | None] = mapped_column(String(40))
    message_id: Mapped[UUID | None]
    title: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    topics: Mapped[list[Any]]
    topic: Mapped[str | None] = mapped_column(String(20))
    period: Mapped[str | None] = mapped_column(String(200))
    due: Mapped[datetime | None]
    first_due: Mapped[datetime | None]
    pass_on: Mapped[bool]
    made_at: Mapped[datetime]
    made_by: Mapped[str | None] = mapped_column(String(200))
    read_at: Mapped[datetime | None]
    revision: Mapped[int] = mapped_column(default=0, server_default="0")
    ended: Mapped[str | None] = mapped_column(String(20))
    ended_at: Mapped[datetime | None]
    ended_reason: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        UniqueConstraint("source", "message_id"),
        Index("ix_calls_made_at", "made_at"),  # the list, newest first
    )


class Callee(Base):
    """To whom a call goes: an office below, a unit, a person, or every author of this office.

    An office below has it by the message `message_id`, which its answers and its word that it has
    read it name.
    """

    __tablename__ = "callees"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    call_id: Mapped[UUID] = mapped_column(reference("calls.id"))
    peer: Mapped[str | None] = mapped_column(String(40))
    unit_id: Mapped[UUID | None] = mapped_column(reference("units.id"))
    person_id: Mapped[UUID | None] = mapped_column(reference("people.id"))
    message_id: Mapped[UUID | None]
    read_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("call_id", "peer"),
        Index("ix_callees_message_id", "message_id"),
    )


class CallReading(Base):
    """Somebody of this office has read a call."""

    __tablename__ = "call_readings"

    call_id: Mapped[UUID] = mapped_column(reference("calls.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(reference("people.id"), primary_key=True)
    at: Mapped[datetime]
