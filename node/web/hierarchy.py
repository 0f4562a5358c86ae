"""All offices below: what came from each, what became of it, and how the links stand."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from node.http.session import OneDesk, Person
from node.web.rendering import page
from node.web.routing import PageRoute
from node.workflow import hierarchy
from node.workflow.calendar import day_of

router = APIRouter(route_class=PageRoute)


@router.get("/hierarchy")
async def tree(
    request: Request,
    desk: OneDesk,
    person: Person,
    year: Annotated[int | None, Query(ge=1949, le=9998)] = None,
) -> Response:
    """The tree, with the items of one calendar year."""
    return await page(
        request,
        person,
        "hierarchy.html",
        tree=await hierarchy.of(desk, person, year),
        now=desk.clock(),
        this_year=day_of(desk.clock()).year,
    )
