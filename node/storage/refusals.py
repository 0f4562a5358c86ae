"""What people were refused, by day: so that each is entered into the audit log once."""

from __future__ import annotations

from datetime import date

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from node.storage.base import Base


class Refusal(Base):
    """A person lacked the right to do this on that day, once or any number of times."""

    __tablename__ = "refusals"

    day: Mapped[date] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(60), primary_key=True)
    action: Mapped[str] = mapped_column(String(60), primary_key=True)
