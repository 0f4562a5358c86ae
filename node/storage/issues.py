"""Issues (刊物) of an office, and the items that stand in them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from node.storage.base import Base, reference


class Issue(Base):
    """An issue of a series: a draft, signed under its number of the year, or withdrawn.

    `label` is how it is cited. `version` grows with every change of the draft.
    """

    __tablename__ = "issues"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    series: Mapped[str] = mapped_column(String(20))
    title: Mapped[str] = mapped_column(String(200))
    primary_recipients: Mapped[list[Any]]
    copy_recipients: Mapped[list[Any]]
    copies: Mapped[int]
    state: Mapped[str] = mapped_column(String(10))
    version: Mapped[int] = mapped_column(default=1)
    year: Mapped[int | None]
    number: Mapped[int | None]
    label: Mapped[str | None] = mapped_column(String(200))
    made_at: Mapped[datetime]
    made_by: Mapped[str] = mapped_column(String(200))
    signed_at: Mapped[datetime | None]
    signed_by: Mapped[str | None] = mapped_column(String(200))
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[str | None] = mapped_column(String(200))
    reason: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        UniqueConstraint("series", "year", "number"),
        Index("ix_issues_state", "state"),
    )


class Placing(Base):
    """An item's edition in an issue, at its place."""

    __tablename__ = "placings"

    issue_id: Mapped[UUID] = mapped_column(reference("issues.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[UUID] = mapped_column(reference("items.id"))
    edition: Mapped[int]

    __table_args__ = (
        UniqueConstraint("issue_id", "item_id"),
        Index("ix_placings_item_id", "item_id"),  # in which issues an item stands
    )
