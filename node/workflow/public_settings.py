"""Whether and how the office takes in what citizens write: off until its administrator says so.

Versions are kept. The secret that signs forms is made with the first one, and never shown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field, StrictBool
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from node.public_errors import PublicClosedError, PublicSettingsChangedError
from node.storage.database import Session
from node.storage.public import PublicSettings
from node.workflow import access, audit
from node.workflow.desk import Actor, Desk
from protocol.offices import Record, Text


class Wanted(Record):
    """How the office wants it, made of this version. `notice` is its own word on personal data."""

    model_config = ConfigDict(extra="forbid", defer_build=False)

    version: Annotated[int, Field(ge=0, le=1_000_000)]
    open: StrictBool = False
    per_address: Annotated[int, Field(ge=1, le=1_000)] = 5
    per_day: Annotated[int, Field(ge=1, le=100_000)] = 200
    notice: Annotated[Text, Field(max_length=2_000)] | None = None


@dataclass(frozen=True)
class SettingsView:
    """A version. Version 0 is that of an office that has set nothing: closed."""

    version: int = 0
    open: bool = False
    per_address: int = 5
    per_day: int = 200
    notice: str | None = None
    set_at: datetime | None = None
    set_by: str | None = None


async def show(desk: Desk, actor: Actor) -> SettingsView:
    """What counts now."""
    access.demand(actor, "configure_desk")
    async with desk.database.reading() as session:
        row = await _newest(session)
    if row is None:
        return SettingsView()
    return SettingsView(
        row.version, row.open, row.per_address, row.per_day, row.notice, row.set_at, row.set_by
    )


async def set_form(
    desk: Desk, actor: Actor, wanted: Wanted, *, new_secret: Callable[[], bytes]
) -> int:
    """Let this count. Returns its version. Raises `PublicSettingsChangedError`."""
    access.demand(actor, "configure_desk")
    now = desk.clock()
    try:
        async with desk.database.writing.begin() as session:
            before = await _newest(session)
            if (before.version if before else 0) != wanted.version:
                raise PublicSettingsChangedError
            version = wanted.version + 1
            content = wanted.model_dump(exclude={"version"})
            secret = before.secret if before else new_secret()
            session.add(
                PublicSettings(
                    version=version, **content, secret=secret, set_at=now, set_by=actor.name
                )
            )
            audit.note(
                session,
                now,
                actor=actor,
                action="public_form_set",
                subject=str(version),
                open=wanted.open,
            )
    except IntegrityError as error:
        raise PublicSettingsChangedError from error
    return version


async def demand_open(session: Session, *, lock: bool = False) -> PublicSettings:
    """What counts now, locked so that what is counted is counted singly, or not.

    Raises `PublicClosedError`.
    """
    row = await _newest(session, lock=lock)
    if row is None or not row.open:
        raise PublicClosedError
    return row


async def _newest(session: Session, *, lock: bool = False) -> PublicSettings | None:
    query = select(PublicSettings).order_by(PublicSettings.version.desc()).limit(1)
    row: PublicSettings | None = await session.scalar(query.with_for_update() if lock else query)
    return row
