"""The office's own code table of topics, in versions, and the tags of items."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from node.storage.base import Base, reference


class TopicList(Base):
    """A version of the table; the newest counts."""

    __tablename__ = "topic_lists"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    topics: Mapped[list[Any]]
    set_at: Mapped[datetime]
    set_by: Mapped[str] = mapped_column(String(200))


class ItemTag(Base):
    """A free word that an item carries at this office."""

    __tablename__ = "item_tags"

    item_id: Mapped[UUID] = mapped_column(reference("items.id"), primary_key=True)
    tag: Mapped[str] = mapped_column(String(20), primary_key=True)

    __table_args__ = (Index("ix_item_tags_tag", "tag"),)  # the items with a tag
