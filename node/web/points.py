"""The rules by which authors get points, for whoever keeps the office's settings."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from node.http.session import OneDesk, Person
from node.web.forms import Entered, Fields, record
from node.web.mistakes import Told, told
from node.web.rendering import page
from node.web.routing import PageRoute, back
from node.workflow import access, points
from node.workflow.calendar import day_of
from node.workflow.desk import Actor, Desk
from node.workflow.points import KINDS, Rules
from node.workflow.tallies import LEVELS
from protocol.errors import ZhitongError

router = APIRouter(route_class=PageRoute)


@router.get("/points")
async def rules(request: Request, desk: OneDesk, person: Person) -> Response:
    """The rules that were set last, in a form."""
    access.demand(person, "configure_desk")
    return await _page(request, desk, person)


@router.post("/points")
async def set_rules(request: Request, desk: OneDesk, person: Person, entered: Entered) -> Response:
    """Let these rules count."""
    access.demand(person, "configure_desk")
    try:
        wanted = record(
            Rules,
            version=entered.number("version"),
            from_year=entered.number("from_year"),
            worth={kind: _entered(entered, kind) for kind in KINDS},
            levels=entered.text("levels"),
            authors=entered.text("authors"),
        )
        await points.set_rules(desk, person, wanted)
    except ZhitongError as error:
        return await _page(request, desk, person, entered, told(error))
    return back("/points", "points")


def _entered(entered: Fields, kind: str) -> dict[str, str]:
    given = {level: entered.text(f"{kind}-{level}") for level in LEVELS}
    return {level: worth for level, worth in given.items() if worth}


async def _page(
    request: Request,
    desk: Desk,
    person: Actor,
    entered: Fields | None = None,
    told: Told | None = None,
) -> Response:
    view = await points.show(desk, person)
    if entered is None:
        entered = _shown(view.rules, view.version, day_of(desk.clock()).year)
    return await page(
        request,
        person,
        "points.html",
        status=told.status if told else 200,
        view=view,
        kinds=KINDS,
        levels_up=LEVELS,
        entered=entered,
        told=told,
    )


def _shown(set_last: Rules | None, version: int, year: int) -> Fields:
    pairs = [("version", str(version))]
    if set_last is None:
        return Fields([*pairs, ("from_year", str(year)), ("levels", "sum"), ("authors", "parts")])
    for kind, worth in set_last.worth.items():
        pairs += [(f"{kind}-{level}", f"{value.normalize():f}") for level, value in worth.items()]
    return Fields(
        [
            *pairs,
            ("from_year", str(set_last.from_year)),
            ("levels", set_last.levels),
            ("authors", set_last.authors),
        ]
    )
