"""Calls: issuing one to offices, units and people; reading and answering it; who did."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from node.http.session import OneDesk, Person
from node.web.forms import DATES, Entered, Fields, MistakenError, record
from node.web.mistakes import Told, told
from node.web.rendering import OFFICE_TIME, page
from node.web.routing import PageRoute, back, done_in_place
from node.workflow import access, call_changes, calls, directory, reading, responses, units
from node.workflow.call_changes import Ended
from node.workflow.calls import Audience, NewCall
from node.workflow.desk import Actor, Desk
from protocol.errors import ZhitongError
from protocol.offices import BIGGEST, Record, Text

router = APIRouter(route_class=PageRoute)
Offset = Annotated[int, Query(ge=0, le=BIGGEST)]


class Reasoned(Record):
    """A reason, or none."""

    reason: Text | None = None


LAST = time(23, 59, 59)
"""A deadline ends with its day."""


@router.get("/calls")
async def call_list(request: Request, desk: OneDesk, person: Person) -> Response:
    """The calls that are meant for the visitor, or all of the office."""
    found = await responses.list_calls(desk, person)
    return await page(request, person, "calls.html", calls=found, now=desk.clock())


@router.get("/calls/new")
async def new_page(request: Request, desk: OneDesk, person: Person) -> Response:
    """An empty form."""
    access.demand(person, "call")
    return await _new(request, desk, person, Fields([("kind", "solicitation")]))


@router.post("/calls/new")
async def issue(request: Request, desk: OneDesk, person: Person, entered: Entered) -> Response:
    """Issue the call."""
    access.demand(person, "call")
    try:
        content: dict[str, Any] = {
            "kind": entered.text("kind"),
            "title": entered.text("title"),
            "body": entered.optional("body"),
            "topics": entered.lines("topics"),
            "topic": entered.optional("topic"),
            "period": entered.optional("period"),
            "due": _due(entered),
            "pass_on": entered.flag("pass_on"),
        }
        id = await calls.issue(desk, person, record(NewCall, **content, **_audience(entered)))
    except ZhitongError as error:
        return await _new(request, desk, person, entered, told(error))
    return back(f"/calls/{id}", "call")


@router.get("/calls/{call_id}")
async def call(
    call_id: UUID, request: Request, desk: OneDesk, person: Person, offset: Offset = 0
) -> Response:
    """One call. That it was read is told by its form, which a script sends at once."""
    return await _page(request, desk, person, call_id, offset=offset)


@router.post("/calls/{call_id}/read")
async def mark_read(call_id: UUID, request: Request, desk: OneDesk, person: Person) -> Response:
    """It was read: the office that it came from is told once."""
    await calls.mark_read(desk, person, call_id)
    return done_in_place(request) or back(f"/calls/{call_id}")


@router.post("/calls/{call_id}/move")
async def move(
    call_id: UUID, request: Request, desk: OneDesk, person: Person, entered: Entered
) -> Response:
    """Let the call be due on another day."""
    access.demand(person, "call")
    try:
        due, reason = _due(entered), record(Reasoned, reason=entered.optional("reason")).reason
        if due is None:
            raise MistakenError(fields={"due": DATES})
        await call_changes.move(desk, person, call_id, due, reason)
    except ZhitongError as error:
        return await _page(request, desk, person, call_id, entered, told(error), tried="move")
    return back(f"/calls/{call_id}", "call-move")


@router.post("/calls/{call_id}/close")
async def close(
    call_id: UUID, request: Request, desk: OneDesk, person: Person, entered: Entered
) -> Response:
    """Close the call before its time."""
    return await _end(request, desk, person, call_id, entered, "closed")


@router.post("/calls/{call_id}/withdraw")
async def withdraw(
    call_id: UUID, request: Request, desk: OneDesk, person: Person, entered: Entered
) -> Response:
    """Withdraw the call, with a reason."""
    return await _end(request, desk, person, call_id, entered, "withdrawn")


async def _end(
    request: Request, desk: Desk, person: Actor, call_id: UUID, entered: Fields, how: Ended
) -> Response:
    access.demand(person, "call")
    try:
        reason = record(Reasoned, reason=entered.optional("reason")).reason
        await call_changes.end(desk, person, call_id, how, reason)
    except ZhitongError as error:
        return await _page(request, desk, person, call_id, entered, told(error), tried=how)
    return back(f"/calls/{call_id}", f"call-{how}")


@router.post("/calls/{call_id}/share")
async def share(
    call_id: UUID, request: Request, desk: OneDesk, person: Person, entered: Entered
) -> Response:
    """Let more have the call."""
    access.demand(person, "call")
    try:
        await calls.share(desk, person, call_id, record(Audience, **_audience(entered)))
    except ZhitongError as error:
        return await _page(request, desk, person, call_id, entered, told(error), tried="share")
    return back(f"/calls/{call_id}", "share")


def _audience(entered: Fields) -> dict[str, Any]:
    return {
        "offices": entered.each("office"),
        "all_offices": entered.flag("all_offices"),
        "units": entered.each("unit"),
        "people": entered.lines("people"),
        "everyone": entered.flag("everyone"),
    }


def _due(entered: Fields) -> datetime | None:
    if not (day := entered.text("due")):
        return None
    try:
        return datetime.combine(date.fromisoformat(day), LAST, OFFICE_TIME)
    except ValueError as error:
        raise MistakenError(fields={"due": DATES}) from error


async def _recipients(desk: Desk, person: Actor) -> dict[str, Any]:
    listed = await units.list_units(desk, person)
    return {
        "below": await directory.below(desk.database),
        "units": [unit for unit in listed if unit.closed_on is None],
    }


async def _new(
    request: Request, desk: Desk, person: Actor, entered: Fields, told: Told | None = None
) -> Response:
    return await page(
        request,
        person,
        "call_new.html",
        status=told.status if told else 200,
        entered=entered,
        told=told,
        chosen=set(entered.each("office") + entered.each("unit")),
        **await _recipients(desk, person),
    )


async def _page(
    request: Request,
    desk: Desk,
    person: Actor,
    call_id: UUID,
    entered: Fields | None = None,
    told: Told | None = None,
    *,
    tried: str = "",
    offset: int = 0,
) -> Response:
    view = await responses.view(desk, person, call_id, offset=offset, limit=reading.PAGE)
    shares = access.allows(person, "call")
    entered = entered or Fields([])
    return await page(
        request,
        person,
        "call.html",
        status=told.status if told else 200,
        view=view,
        call=view.call,
        entered=entered,
        told=told,
        tried=tried,
        now=desk.clock(),
        offset=offset,
        size=reading.PAGE,
        chosen=set(entered.each("office") + entered.each("unit")),
        **(await _recipients(desk, person) if shares else {"below": (), "units": ()}),
    )
