"""Which items are part of which combined item, now or once."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from node.storage.base import Base, reference


class Lineage(Base):
    """An original of a combined item of this office.

    After a restore an original may be here before its combined item, or without it. `ended_at` is
    when the combined item was taken apart.
    """

    __tablename__ = "lineages"

    combined_id: Mapped[UUID] = mapped_column(primary_key=True)
    item_id: Mapped[UUID] = mapped_column(reference("items.id"), primary_key=True)
    position: Mapped[int]
    merged_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_lineages_item_id", "item_id"),)  # what an item was part of
