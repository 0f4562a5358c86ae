"""People of this office: who writes, who works here, who manages; their units, and their logins."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from node.storage.base import Base, reference


class Person(Base):
    """An account. `roles` are some of `workflow.access.ROLES`.

    `unit` is how the unit stands under what the person writes now. Whoever left keeps the row for
    ever: what he wrote stays his. `left_for` says where he went. From `erased_at` on, his contact
    data are gone. `must_change` holds while the password is a one-time one; None as hash is no
    password at all. `version` grows with every change that an administrator makes.
    """

    __tablename__ = "people"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    roles: Mapped[list[Any]]
    kind: Mapped[str | None] = mapped_column(String(30))
    unit: Mapped[str | None] = mapped_column(String(200))
    employee_number: Mapped[str | None] = mapped_column(String(40), unique=True)
    phone: Mapped[str | None] = mapped_column(String(40))
    email: Mapped[str | None] = mapped_column(String(200))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    must_change: Mapped[bool] = mapped_column(default=False)
    disabled_at: Mapped[datetime | None]
    left_on: Mapped[date | None]
    left_for: Mapped[str | None] = mapped_column(String(200))
    erased_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]

    __table_args__ = (
        Index("ix_people_left_on", "left_on"),  # whose contact data are to be erased
    )


class Unit(Base):
    """A unit that people belong to. `code` names it for ever; closed, it takes in nobody more."""

    __tablename__ = "units"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(30))
    parent_id: Mapped[UUID | None] = mapped_column(reference("units.id"))
    closed_on: Mapped[date | None]
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        Index("ix_units_parent_id", "parent_id"),  # the units below one
        Index("ix_units_name", "name"),  # a unit that is named instead of its code
    )


class Membership(Base):
    """A person belongs to a unit from one day to another, both included; for now without end.

    The `main` one is the unit for which the person writes: one at a time.
    """

    __tablename__ = "memberships"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(reference("people.id"))
    unit_id: Mapped[UUID] = mapped_column(reference("units.id"))
    main: Mapped[bool]
    since: Mapped[date]
    until: Mapped[date | None]

    __table_args__ = (
        Index("ix_memberships_person_id", "person_id"),  # a person's history
        Index("ix_memberships_unit_id", "unit_id"),  # who belongs to a unit
    )


class Appointment(Base):
    """An informant's appointment (聘任) under the number of its certificate (聘书)."""

    __tablename__ = "appointments"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(reference("people.id"))
    kind: Mapped[str] = mapped_column(String(30))
    certificate: Mapped[str] = mapped_column(String(60), unique=True)
    since: Mapped[date]
    until: Mapped[date]

    __table_args__ = (
        Index("ix_appointments_person_id", "person_id"),  # a person's appointments
        Index("ix_appointments_until", "until"),  # those that end soon
    )


class LoginSession(Base):
    """A login. Only the digest of its token is kept."""

    __tablename__ = "login_sessions"

    token_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]

    __table_args__ = (
        Index("ix_login_sessions_expires_at", "expires_at"),  # read when old ones are removed
        Index("ix_login_sessions_person_id", "person_id"),  # all logins of one person end
    )


class LoginFailure(Base):
    """Wrong passwords in a row for a user name, whether or not anybody has it.

    Only the name's digest is kept: people type their passwords into the wrong field.
    """

    __tablename__ = "login_failures"

    name_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int]
    last_at: Mapped[datetime]
    locked_until: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_login_failures_last_at", "last_at"),  # read when old ones are removed
    )
