"""Putting away what is done with, and what was kept long enough."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from node.http.session import OneDesk, Person
from node.web import bulk
from node.web.forms import Entered, Fields, MistakenError
from node.web.mistakes import Told, told
from node.web.rendering import page
from node.web.routing import PageRoute, back
from node.workflow import access, archiving, reading, retention
from node.workflow.desk import Actor, Desk
from protocol.offices import BIGGEST

router = APIRouter(route_class=PageRoute)

Offset = Annotated[int, Query(ge=0, le=BIGGEST)]


@router.get("/archive")
async def archive_page(
    request: Request, desk: OneDesk, person: Person, offset: Offset = 0
) -> Response:
    """What can be archived, and what was kept long enough."""
    return await _page(request, desk, person, offset=offset)


@router.post("/archive")
async def archive(request: Request, desk: OneDesk, person: Person, entered: Entered) -> Response:
    """Archive all chosen items."""
    access.demand(person, "archive")
    try:
        items = bulk.chosen(entered)
    except MistakenError as error:
        return await _page(request, desk, person, told=told(error))
    failed = await bulk.each(
        request, desk, person, items, lambda item: archiving.archive(desk, person, item)
    )
    if failed is not None:
        return await _page(request, desk, person, told=failed, entered=entered)
    return back("/archive", "archive")


async def _page(
    request: Request,
    desk: Desk,
    person: Actor,
    *,
    offset: int = 0,
    told: Told | None = None,
    entered: Fields | None = None,
) -> Response:
    waiting = await archiving.waiting(desk, person, offset=offset)
    due = await retention.due(desk, person)
    return await page(
        request,
        person,
        "archive.html",
        status=told.status if told else 200,
        rows=waiting.rows,
        total=waiting.total,
        due=due,
        offset=offset,
        size=reading.PAGE,
        told=told,
        chosen=set(entered.each("item")) if entered else set(),
    )
