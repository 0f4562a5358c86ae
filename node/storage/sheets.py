"""Spreadsheets that were checked and wait for somebody to say that they are to be taken in."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from node.storage.base import PASSING, Base, reference


class CheckedSheet(Base):
    """The one that a person checked last. It is gone within the hour, and in no backup."""

    __tablename__ = "checked_sheets"
    __table_args__ = ({"info": PASSING},)

    person_id: Mapped[UUID] = mapped_column(reference("people.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(200))
    digest: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes]
    checked_at: Mapped[datetime]
