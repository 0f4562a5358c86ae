"""Statements of account (对账): what the two ends of a link said about one day."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from node.storage.base import Base


class Account(Base):
    """One day's messages in one direction, counted here and as the peer counted them.

    `side` is `sent` for what went to the peer, `received` for what came from it. The day is that
    of the messages' ids (UTC). `agreed_at` is when both counts and digests were last equal,
    `differs_since` when a difference was first seen that is still there.
    """

    __tablename__ = "accounts"

    peer: Mapped[str] = mapped_column(String(40), primary_key=True)
    side: Mapped[str] = mapped_column(String(10), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    count: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    peer_count: Mapped[int | None]
    peer_digest: Mapped[str | None] = mapped_column(String(64))
    stated_at: Mapped[datetime]
    agreed_at: Mapped[datetime | None]
    differs_since: Mapped[datetime | None]
    missing: Mapped[int] = mapped_column(default=0)
    surplus: Mapped[int] = mapped_column(default=0)

    __table_args__ = (
        # The days on which the two do not agree, among years on which they do.
        Index(
            "ix_accounts_open",
            "peer",
            "side",
            "day",
            postgresql_where=text("agreed_at IS NULL"),
            sqlite_where=text("agreed_at IS NULL"),
        ),
    )
