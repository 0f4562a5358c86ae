"""A year in numbers: an author's own items, and all items of the office."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from node.http.session import OneDesk, Person
from node.web import charts
from node.web.rendering import page
from node.web.routing import PageRoute
from node.workflow import tallies, yearbook
from node.workflow.calendar import day_of
from node.workflow.desk import Actor, Desk
from node.workflow.tallies import LEVELS, Tally

router = APIRouter(route_class=PageRoute)

Year = Annotated[int | None, Query(ge=1949, le=9998)]


@router.get("/year")
async def year(request: Request, desk: OneDesk, person: Person, year: Year = None) -> Response:
    """What an author handed in within a calendar year of the office, and what came of it."""
    book = await yearbook.of(desk, person, year)
    return await _page(request, desk, person, "year.html", book.tally, book=book)


@router.get("/overview")
async def overview(request: Request, desk: OneDesk, person: Person, year: Year = None) -> Response:
    """What came to the office within a year, by month, topic and level of adoption."""
    of, tally = await tallies.of(desk, person, year)
    return await _page(request, desk, person, "overview.html", tally, year=of, tally=tally)


async def _page(
    request: Request, desk: Desk, person: Actor, template: str, counted: Tally, **content: Any
) -> Response:
    return await page(
        request,
        person,
        template,
        drawn=charts.columns(counted.months),
        share=charts.share,
        rate=charts.rate,
        levels_up=LEVELS,
        this_year=day_of(desk.clock()).year,
        **content,
    )
