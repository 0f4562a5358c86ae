"""An author's year: what was handed in, and what became of it at each level."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from node.http.session import OneDesk, Person
from node.web.rendering import page
from node.web.routing import PageRoute
from node.workflow import yearbook

router = APIRouter(route_class=PageRoute)


@router.get("/year")
async def year(
    request: Request,
    desk: OneDesk,
    person: Person,
    year: Annotated[int | None, Query(ge=1949, le=9998)] = None,
) -> Response:
    """Of one calendar year of the office."""
    return await page(request, person, "year.html", book=await yearbook.of(desk, person, year))
