"""Assignments (交办): who is to carry out what, until when, and what they answered."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Date, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from node.storage.base import Base, reference


class Assignment(Base):
    """Work given to a handling unit of this office (`unit_id`) or to an office below (`office`).

    `source` is the office above that gave it to this one, None where it was given here; what this
    office passes on of such work names it as `parent_id`. `subject` is the item under which it
    travels, `item_id` that item where it is here. `state` is given, signed_for, hand_back_asked,
    replied, accepted or handed_back. `reminded` is the last reminder that was sent: soon, overdue.
    """

    __tablename__ = "assignments"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    item_id: Mapped[UUID | None] = mapped_column(reference("items.id"))
    subject: Mapped[UUID]
    source: Mapped[str | None] = mapped_column(String(40))
    office: Mapped[str | None] = mapped_column(String(40))
    unit_id: Mapped[UUID | None] = mapped_column(reference("units.id"))
    parent_id: Mapped[UUID | None] = mapped_column(reference("assignments.id"))
    handler: Mapped[str] = mapped_column(String(200))
    lead: Mapped[bool]
    text: Mapped[str] = mapped_column(Text)
    due: Mapped[date | None] = mapped_column(Date)
    state: Mapped[str] = mapped_column(String(20))
    given_at: Mapped[datetime]
    given_by: Mapped[str] = mapped_column(String(200))
    signed_for_at: Mapped[datetime | None]
    signed_for_by: Mapped[str | None] = mapped_column(String(200))
    settled_at: Mapped[datetime | None]
    reminded: Mapped[str | None] = mapped_column(String(10))

    __table_args__ = (
        Index("ix_assignments_item_id", "item_id"),
        Index("ix_assignments_subject", "subject"),
        Index("ix_assignments_unit_id", "unit_id"),  # a unit's cases
        Index("ix_assignments_parent_id", "parent_id"),
        Index("ix_assignments_settled_at_due", "settled_at", "due"),  # what is open, by its date
    )


class Reply(Base):
    """An answer to an assignment, or the request to hand it back; `accepted` once it was judged."""

    __tablename__ = "replies"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    assignment_id: Mapped[UUID] = mapped_column(reference("assignments.id"))
    kind: Mapped[str] = mapped_column(String(10))
    text: Mapped[str] = mapped_column(Text)
    degree: Mapped[str | None] = mapped_column(String(20))
    implemented: Mapped[bool | None]
    by: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime]
    accepted: Mapped[bool | None]
    reason: Mapped[str | None] = mapped_column(Text)
    decided_by: Mapped[str | None] = mapped_column(String(200))
    decided_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_replies_assignment_id", "assignment_id"),)
