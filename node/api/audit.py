"""The audit log, for auditors. Members are only added."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict

from node.api.permission import needs
from node.http.session import OneDesk, Person
from node.workflow import audit
from protocol.offices import BIGGEST

router = APIRouter(tags=["audit"])

Word = Annotated[str, Query(min_length=1, max_length=60)]


class EntryShape(BaseModel):
    """One deed. `came_from` is an address, or `cli`, or `relay` for what the office did itself."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    at: datetime
    actor: str
    action: str
    subject: str | None
    detail: dict[str, Any]
    came_from: str | None
    seal: int | None


class AuditPage(BaseModel):
    """The newest first. Ask again with the last `id` as `before` for what came before."""

    entries: list[EntryShape]


@router.get("/audit", openapi_extra=needs("read_audit"))
async def list_entries(
    desk: OneDesk,
    person: Person,
    subject: Word | None = None,
    actor: Word | None = None,
    action: Word | None = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    before: Annotated[int | None, Query(ge=1, le=BIGGEST)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = audit.PAGE,
) -> AuditPage:
    """Who did what to which thing, from where."""
    found = await audit.entries(
        desk,
        person,
        subject=subject,
        actor=actor,
        action=action,
        since=since,
        until=until,
        before=before,
        limit=limit,
    )
    return AuditPage(entries=[EntryShape.model_validate(entry) for entry in found])


@router.get("/sign-ins", openapi_extra=needs("read_sign_ins"))
async def list_sign_ins(
    desk: OneDesk,
    person: Person,
    actor: Word | None = None,
    refused: bool = False,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    before: Annotated[int | None, Query(ge=1, le=BIGGEST)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = audit.PAGE,
) -> AuditPage:
    """Who signed in or tried to, when and from where; with `refused` only what failed."""
    found = await audit.sign_ins(
        desk,
        person,
        actor=actor,
        refused=refused,
        since=since,
        until=until,
        before=before,
        limit=limit,
    )
    return AuditPage(entries=[EntryShape.model_validate(entry) for entry in found])
