"""Drafts: what authors have begun to write, for nobody else's eyes."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from node.storage.base import Base, reference


class Draft(Base):
    """What a person has not handed in yet. The item that becomes of it has the same id.

    That of a new edition names its item, and stays as an empty row once it was handed in.
    """

    __tablename__ = "drafts"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(reference("people.id"))
    version: Mapped[int]
    content: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    item_id: Mapped[UUID | None] = mapped_column(reference("items.id"))
    submitted_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_drafts_person_id", "person_id"),  # a person's own list
        Index("ix_drafts_item_id", "item_id"),  # the drafts of new editions
    )


class DraftVersion(Base):
    """What a draft said before: saved at `at`, replaced and kept at `kept_at`."""

    __tablename__ = "draft_versions"

    draft_id: Mapped[UUID] = mapped_column(reference("drafts.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[dict[str, Any]]
    at: Mapped[datetime]
    kept_at: Mapped[datetime]


class DraftFile(Base):
    """A file that a draft names, and that is therefore not cleared away."""

    __tablename__ = "draft_files"

    draft_id: Mapped[UUID] = mapped_column(reference("drafts.id"), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(reference("people.id"))

    __table_args__ = (Index("ix_draft_files_digest", "digest"),)  # whether a file is still wanted
