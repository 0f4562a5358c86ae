"""The audit log, for auditors, and who signed in, for those who keep the accounts as well."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from node.http.session import OneDesk, Person
from node.web.forms import DATES, MistakenError
from node.web.mistakes import Told, told
from node.web.rendering import OFFICE_TIME, page
from node.web.routing import PageRoute
from node.workflow import access, audit, log_words
from protocol.offices import BIGGEST

router = APIRouter(route_class=PageRoute)

Word = Annotated[str, Query(max_length=60)]
Before = Annotated[int | None, Query(ge=1, le=BIGGEST)]


@router.get("/audit")
async def entries(
    request: Request,
    desk: OneDesk,
    person: Person,
    subject: Word = "",
    actor: Word = "",
    action: Word = "",
    since: Word = "",
    until: Word = "",
    before: Before = None,
) -> Response:
    """Who did what to which thing, from where, the newest first."""
    access.demand(person, "read_audit")
    days, problem = _between(since, until)
    found = await audit.entries(
        desk,
        person,
        subject=subject.strip() or None,
        actor=actor.strip() or None,
        action=action.strip() or None,
        since=days[0],
        until=days[1],
        before=before,
    )
    asked = {
        "subject": subject,
        "actor": actor,
        "action": action,
        "since": since,
        "until": until,
    }
    return await page(
        request,
        person,
        "audit.html",
        status=problem.status if problem else 200,
        log=log_words,
        entries=found,
        asked=asked,
        size=audit.PAGE,
        told=problem,
    )


@router.get("/sign-ins")
async def sign_ins(
    request: Request,
    desk: OneDesk,
    person: Person,
    actor: Word = "",
    refused: bool = False,
    since: Word = "",
    until: Word = "",
    before: Before = None,
) -> Response:
    """Who signed in or tried to, when and from where, the newest first."""
    access.demand(person, "read_sign_ins")
    days, problem = _between(since, until)
    found = await audit.sign_ins(
        desk,
        person,
        actor=actor.strip() or None,
        refused=refused,
        since=days[0],
        until=days[1],
        before=before,
    )
    asked = {"actor": actor, "since": since, "until": until}
    return await page(
        request,
        person,
        "sign_ins.html",
        status=problem.status if problem else 200,
        entries=found,
        asked=asked | ({"refused": "true"} if refused else {}),
        size=audit.PAGE,
        told=problem,
    )


def _between(since: str, until: str) -> tuple[tuple[datetime | None, datetime | None], Told | None]:
    """From the beginning of one day to the end of another, or what is wrong with them."""
    try:
        return (_start(since), _start(until, later=1)), None
    except MistakenError as error:
        return (None, None), told(error)


def _start(day: str, later: int = 0) -> datetime | None:
    if not day.strip():
        return None
    try:
        parsed = date.fromisoformat(day.strip())
    except ValueError as error:
        raise MistakenError(fields={"since": DATES}) from error
    return datetime.combine(parsed + timedelta(days=later), time(), OFFICE_TIME)
