"""Calls: issuing one to offices, units and people; reading and answering it; who did."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from node.http.session import OneDesk, Person
from node.web.forms import DATES, Entered, Fields, MistakenError, record
from node.web.mistakes import Told, told
from node.web.rendering import OFFICE_TIME, page
from node.web.routing import PageRoute, back
from node.workflow import access, calls, directory, responses, units
from node.workflow.calls import Audience, NewCall
from node.workflow.desk import Actor, Desk
from protocol.errors import ZhitongError

router = APIRouter(route_class=PageRoute)

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
async def call(call_id: UUID, request: Request, desk: OneDesk, person: Person) -> Response:
    """One call. Opening it is reading it: the office that it came from is told once."""
    if person.roles & {access.AUTHOR, access.EDITOR}:
        await calls.mark_read(desk, person, call_id)
    return await _page(request, desk, person, call_id)


@router.post("/calls/{call_id}/share")
async def share(
    call_id: UUID, request: Request, desk: OneDesk, person: Person, entered: Entered
) -> Response:
    """Let more have the call."""
    access.demand(person, "call")
    try:
        await calls.share(desk, person, call_id, record(Audience, **_audience(entered)))
    except ZhitongError as error:
        return await _page(request, desk, person, call_id, entered, told(error))
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
) -> Response:
    view = await responses.view(desk, person, call_id)
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
        now=desk.clock(),
        chosen=set(entered.each("office") + entered.each("unit")),
        **(await _recipients(desk, person) if shares else {"below": (), "units": ()}),
    )
