"""The work at the desk: claims, the five checks, approval chains, reviews, and deputies."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Date, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from node.storage.base import Base, reference


class Claim(Base):
    """Who works on an item, and until when nobody else does so unknowingly."""

    __tablename__ = "claims"

    item_id: Mapped[UUID] = mapped_column(reference("items.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(reference("people.id"))
    since: Mapped[datetime]
    until: Mapped[datetime]


class Check(Base):
    """What somebody found in one of the five checks of an edition; the newest of each counts."""

    __tablename__ = "checks"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    item_id: Mapped[UUID] = mapped_column(reference("items.id"))
    edition: Mapped[int]
    kind: Mapped[str] = mapped_column(String(20))
    passed: Mapped[bool]
    opinion: Mapped[str | None] = mapped_column(Text)
    person_id: Mapped[UUID] = mapped_column(reference("people.id"))
    at: Mapped[datetime]

    __table_args__ = (Index("ix_checks_item_id", "item_id"),)


class Chain(Base):
    """A version of the office's approval chain; the newest counts for reviews that begin."""

    __tablename__ = "chains"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    steps: Mapped[list[Any]]
    checks_demanded: Mapped[bool]
    set_at: Mapped[datetime]
    set_by: Mapped[str] = mapped_column(String(200))


class Review(Base):
    """One way of an edition along a chain. `step` is where it waits, `outcome` how it ended."""

    __tablename__ = "reviews"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    item_id: Mapped[UUID] = mapped_column(reference("items.id"))
    edition: Mapped[int]
    chain: Mapped[int] = mapped_column(reference("chains.version"))
    step: Mapped[int]
    role: Mapped[str | None] = mapped_column(String(40))
    sent_by: Mapped[UUID] = mapped_column(reference("people.id"))
    sent_at: Mapped[datetime]
    outcome: Mapped[str | None] = mapped_column(String(20))
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_reviews_item_id", "item_id"),
        Index("ix_reviews_role", "role"),  # what waits for somebody
    )


class Vote(Base):
    """What somebody said at one step of a review. `deputy_for`: in whose place."""

    __tablename__ = "votes"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    review_id: Mapped[UUID] = mapped_column(reference("reviews.id"))
    step: Mapped[int]
    verdict: Mapped[str] = mapped_column(String(20))
    opinion: Mapped[str | None] = mapped_column(Text)
    person_id: Mapped[UUID] = mapped_column(reference("people.id"))
    deputy_for: Mapped[UUID | None] = mapped_column(reference("people.id"))
    at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("review_id", "step"),)


class Deputy(Base):
    """Who acts in somebody's place, in one role, on the days from `since` to `until`."""

    __tablename__ = "deputies"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(reference("people.id"))
    deputy_id: Mapped[UUID] = mapped_column(reference("people.id"))
    role: Mapped[str] = mapped_column(String(40))
    since: Mapped[date] = mapped_column(Date)
    until: Mapped[date] = mapped_column(Date)
    set_by: Mapped[str] = mapped_column(String(200))

    __table_args__ = (Index("ix_deputies_deputy_id", "deputy_id"),)
