"""People and units out of a spreadsheet: checked, then taken in without choosing it again."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request, Response

from node.http.session import OneDesk, Person
from node.people_errors import SpreadsheetError
from node.web import wording
from node.web.forms import Entered, Fields, MistakenError
from node.web.mistakes import Told, told
from node.web.rendering import page
from node.web.routing import PageRoute
from node.workflow import access, checked_sheets
from node.workflow.desk import Actor
from node.workflow.imports import Outcome
from node.workflow.people_import import PEOPLE
from node.workflow.spreadsheets import MOST_BYTES
from node.workflow.units_import import UNITS
from protocol.errors import ZhitongError

router = APIRouter(route_class=PageRoute)

What = Literal["people", "units"]
KINDS = {"people": PEOPLE, "units": UNITS}


@router.get("/imports/{what}")
async def form(what: What, request: Request, person: Person) -> Response:
    """An empty form."""
    access.demand(person, KINDS[what].permission)
    return await _page(request, person, what)


@router.post("/imports/{what}")
async def check(
    what: What, request: Request, desk: OneDesk, person: Person, entered: Entered
) -> Response:
    """List every mistake of the file; where it has none, ask whether it is to be taken in."""
    kind = KINDS[what]
    access.demand(person, kind.permission)
    try:
        name, data = await _file(entered)
        outcome, digest = await checked_sheets.check(desk, person, kind, name, data)
    except ZhitongError as error:
        return await _page(request, person, what, told=told(error))
    return await _page(request, person, what, outcome=outcome, name=name, digest=digest)


@router.post("/imports/{what}/take-in")
async def take_in(
    what: What, request: Request, desk: OneDesk, person: Person, entered: Entered
) -> Response:
    """Take in the file that was checked, which the form names by its digest."""
    kind = KINDS[what]
    access.demand(person, kind.permission)
    wanted = entered.text("digest")
    try:
        outcome, name = await checked_sheets.take_in(desk, person, kind, wanted)
    except ZhitongError as error:
        return await _page(request, person, what, told=told(error))
    return await _page(request, person, what, outcome=outcome, name=name)


async def _file(entered: Fields) -> tuple[str, bytes]:
    chosen = entered.uploads("file")
    if not chosen:
        raise MistakenError(fields={"file": wording.CHOOSE_FILE})
    data = await chosen[0].read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise SpreadsheetError(f"文件超过 {MOST_BYTES // 1024 // 1024} MB")
    return chosen[0].filename or "", data


async def _page(
    request: Request,
    person: Actor,
    what: What,
    *,
    outcome: Outcome | None = None,
    name: str = "",
    digest: str | None = None,
    told: Told | None = None,
) -> Response:
    wrong = outcome is not None and bool(outcome.mistakes)
    return await page(
        request,
        person,
        "imports.html",
        status=told.status if told else 422 if wrong else 200,
        what=what,
        columns=KINDS[what].columns,
        outcome=outcome,
        name=name,
        digest=digest,
        minutes=int(checked_sheets.KEPT.total_seconds() // 60),
        told=told,
    )
