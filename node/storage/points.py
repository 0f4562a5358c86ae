"""The office's own rules by which authors get points, in versions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from node.storage.base import Base


class PointRules(Base):
    """A version of the rules, for items of `from_year` and later; of those for a year the newest
    counts.
    """

    __tablename__ = "point_rules"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    from_year: Mapped[int]
    content: Mapped[dict[str, Any]]
    set_at: Mapped[datetime]
    set_by: Mapped[str] = mapped_column(String(200))
