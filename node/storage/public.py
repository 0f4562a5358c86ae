"""What citizens hand in without an account: how the office takes it in, and who may look it up."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from node.storage.base import Base, reference


class PublicSettings(Base):
    """A version of how the office takes in what citizens write; the newest counts.

    `secret` signs the forms that are shown, and stays the same from version to version.
    """

    __tablename__ = "public_settings"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    open: Mapped[bool]
    per_address: Mapped[int]
    per_day: Mapped[int]
    notice: Mapped[str | None] = mapped_column(Text)
    secret: Mapped[bytes]
    set_at: Mapped[datetime]
    set_by: Mapped[str] = mapped_column(String(200))


class PublicSubmission(Base):
    """A citizen's record, one for each item that came over the public form.

    Of the receipt's code only a digest is kept, and of the address only one that cannot be compared
    with that of another day. From `erased_at` on, name and telephone number are gone.
    """

    __tablename__ = "public_submissions"

    item_id: Mapped[UUID] = mapped_column(reference("items.id"), primary_key=True)
    code_digest: Mapped[str] = mapped_column(String(64), unique=True)
    day: Mapped[date]
    address_digest: Mapped[str] = mapped_column(String(64))
    name: Mapped[str | None] = mapped_column(String(200))
    phone: Mapped[str | None] = mapped_column(String(40))
    consented_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_public_submissions_day", "day"),  # how many came today, and what is to be erased
    )


class UsedChallenge(Base):
    """A form that was handed in, remembered until it would have expired."""

    __tablename__ = "used_challenges"

    nonce: Mapped[str] = mapped_column(String(32), primary_key=True)
    expires_at: Mapped[datetime]

    __table_args__ = (
        Index("ix_used_challenges_expires_at", "expires_at"),  # read when old ones are removed
    )
