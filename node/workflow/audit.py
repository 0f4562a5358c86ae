"""Writing the audit log, in the transaction of the deed itself, and reading it.

Sealing and verifying it is the relay's work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from node.storage import bulk
from node.storage.audit import AuditRow
from node.storage.database import Session
from node.workflow import access
from node.workflow.desk import Actor, Desk

RELAY = "relay"
SIGN_INS = ("logged_in", "login_refused")
"""Signing in, and a wrong password of somebody who has an account."""
PAGE = 50


@dataclass(frozen=True)
class Entry:
    """One deed. `seal` is None for a few seconds, until the auditor has sealed it."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str | None
    detail: dict[str, Any]
    came_from: str | None
    seal: int | None


def note(
    session: Session,
    now: datetime,
    *,
    actor: Actor | str,
    action: str,
    subject: UUID | str | None = None,
    came_from: str = RELAY,
    **detail: Any,
) -> None:
    """Note who did what to which thing, from where. Details name things, and hold no contents.

    A person brings along where he came from. Of anybody else, `came_from` is told.
    """
    if isinstance(actor, Actor):
        # The timeline shows a person's name; the audit log holds the user name, which is unique.
        came_from = actor.came_from
        actor = actor.username
    bulk.insert(
        session,
        AuditRow,
        at=now,
        actor=actor,
        action=action,
        subject=None if subject is None else str(subject),
        detail=detail,
        came_from=came_from,
    )


async def entries(
    desk: Desk,
    reader: Actor,
    *,
    subject: str | None = None,
    actor: str | None = None,
    action: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before: int | None = None,
    limit: int = PAGE,
) -> Sequence[Entry]:
    """The newest deeds first; `before` is the id of the last one of the page before.

    Raises `ForbiddenError`.
    """
    access.demand(reader, "read_audit")
    query = _narrowed(actor, since, until, before, limit)
    if subject is not None:
        query = query.where(AuditRow.subject == subject)
    if action is not None:
        query = query.where(AuditRow.action == action)
    return await _read(desk, query)


async def sign_ins(
    desk: Desk,
    reader: Actor,
    *,
    actor: str | None = None,
    refused: bool = False,
    since: datetime | None = None,
    until: datetime | None = None,
    before: int | None = None,
    limit: int = PAGE,
) -> Sequence[Entry]:
    """Who signed in or tried to, the newest first; with `refused` only what failed.

    Names that nobody has are not kept: they may be passwords in the wrong field.
    """
    access.demand(reader, "read_sign_ins")
    query = _narrowed(actor, since, until, before, limit)
    wanted = SIGN_INS[1:] if refused else SIGN_INS
    return await _read(desk, query.where(AuditRow.action.in_(wanted)))


def _narrowed(
    actor: str | None,
    since: datetime | None,
    until: datetime | None,
    before: int | None,
    limit: int,
) -> Select[AuditRow]:
    query = select(AuditRow).order_by(AuditRow.id.desc()).limit(limit)
    if actor is not None:
        query = query.where(AuditRow.actor == actor)
    if since is not None:
        query = query.where(AuditRow.at >= since)
    if until is not None:
        query = query.where(AuditRow.at < until)
    if before is not None:
        query = query.where(AuditRow.id < before)
    return query


async def _read(desk: Desk, query: Select[AuditRow]) -> Sequence[Entry]:
    async with desk.database.reading() as session:
        return [
            Entry(
                row.id,
                row.at,
                row.actor,
                row.action,
                row.subject,
                row.detail,
                row.came_from,
                row.seal,
            )
            for row in await session.scalars(query)
        ]
