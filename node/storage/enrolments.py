"""Offices that ask to come below this one, and the tokens by which they may ask."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from node.storage.base import Base, reference

OPEN = text("state in ('waiting', 'approved', 'entered', 'ready')")


class EnrolmentToken(Base):
    """A token that was given out. Of its secret only the SHA-256 is kept.

    `office` is set where it is for one office alone.
    """

    __tablename__ = "enrolment_tokens"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    office: Mapped[str | None] = mapped_column(String(40))
    made_at: Mapped[datetime]
    made_by: Mapped[str] = mapped_column(String(60))
    expires_at: Mapped[datetime]
    enrolment_id: Mapped[UUID | None] = mapped_column(reference("enrolments.id"))


class Enrolment(Base):
    """A request to come below this office: waiting → approved → entered → ready → welcomed.

    An administrator approves or refuses it, the relay does the rest (`relay/enroller`). What is
    `ready` can be fetched for a while; `lapsed` is what nobody fetched,
    and `revoked` what an office had asked for before it was revoked. `fingerprint` names the
    keys of the request. `password` is kept from when it was drawn until the welcome holds it,
    closed for the office's own key; the welcome as long as it can be fetched. `problem` is why the
    relay could not go on.
    """

    __tablename__ = "enrolments"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    office: Mapped[str] = mapped_column(String(40))
    request: Mapped[str] = mapped_column(Text)
    fingerprint: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(10))
    asked_at: Mapped[datetime]
    came_from: Mapped[str] = mapped_column(String(60))
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None] = mapped_column(String(60))
    reason: Mapped[str | None] = mapped_column(Text)
    password: Mapped[str | None] = mapped_column(String(64))
    tried_at: Mapped[datetime | None]
    problem: Mapped[str | None] = mapped_column(Text)
    welcome: Mapped[str | None] = mapped_column(Text)
    lapses_at: Mapped[datetime | None]
    fetched_at: Mapped[datetime | None]

    __table_args__ = (
        # One request of a name can be open: the database refuses a second one at the same moment.
        Index(
            "uq_enrolments_open", "office", unique=True, postgresql_where=OPEN, sqlite_where=OPEN
        ),
    )
