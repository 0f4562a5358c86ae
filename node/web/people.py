"""People and units of the office: who is here, adding them, and their accounts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from node.http.session import OneDesk, Person
from node.web import wording
from node.web.deeds import Reasoned
from node.web.forms import Entered, Fields, MistakenError, record
from node.web.mistakes import Told, told
from node.web.rendering import page
from node.web.routing import PageRoute, back
from node.workflow import (
    access,
    appointments,
    departures,
    memberships,
    people,
    personal,
    units,
)
from node.workflow.appointments import Term
from node.workflow.desk import Actor, Desk
from node.workflow.people import Newcomer, Particulars
from node.workflow.personal import Wanted
from node.workflow.units import NewUnit
from protocol.errors import ZhitongError
from protocol.offices import BIGGEST, Day, Line, Record

router = APIRouter(route_class=PageRoute)

Word = Annotated[str, Query(max_length=60)]
Offset = Annotated[int, Query(ge=0, le=BIGGEST)]
TEXTS = ("username", "name", "kind", "unit", "employee_number", "phone", "email")


class Joining(Record):
    """A unit to which the person belongs from a day on."""

    unit: Line
    since: Day


class Ending(Record):
    """The last day of a membership, or of an appointment."""

    of: UUID
    until: Day


class Leaving(Record):
    """From which day on somebody is gone, and where to, or why."""

    on: Day
    left_for: Line


@router.get("/people")
async def person_list(
    request: Request,
    desk: OneDesk,
    person: Person,
    text: Word = "",
    role: Word = "",
    gone: bool = False,
    offset: Offset = 0,
) -> Response:
    """The people of the office, by words and role."""
    access.demand(person, "manage_people")
    wanted = Wanted(text=text.strip() or None, role=role or None, gone=gone)
    found = await personal.list_people(desk, person, wanted, offset=offset)
    return await page(
        request,
        person,
        "people.html",
        rows=found.rows,
        total=found.total,
        text=text,
        role=role,
        gone=gone,
        offset=offset,
        size=personal.PAGE,
    )


@router.get("/people/new")
async def new_page(request: Request, desk: OneDesk, person: Person) -> Response:
    """An empty form."""
    access.demand(person, "manage_people")
    return await _form(request, person, Fields([("roles", access.AUTHOR)]))


@router.post("/people/new")
async def add(request: Request, desk: OneDesk, person: Person, entered: Entered) -> Response:
    """Add the person, with a one-time password where one is given."""
    access.demand(person, "manage_people")
    try:
        newcomer = record(Newcomer, **_particulars(entered))
        id = await people.add(desk, person, newcomer, entered.raw("password") or None)
    except ZhitongError as error:
        return await _form(request, person, entered, told(error))
    return back(f"/people/{id}", "add")


@router.get("/people/{person_id}")
async def one(person_id: UUID, request: Request, desk: OneDesk, person: Person) -> Response:
    """One person."""
    access.demand(person, "manage_people")
    return await _page(request, desk, person, person_id)


async def _change(desk: Desk, actor: Actor, id: UUID, entered: Fields) -> None:
    """Change what is known of the person."""
    given = record(Particulars, **_particulars(entered))
    await people.change(desk, actor, id, entered.number("version"), given)


async def _disable(desk: Desk, actor: Actor, id: UUID, entered: Fields) -> None:
    """Disable the account, for a reason."""
    reason = record(Reasoned, reason=entered.text("reason")).reason
    await people.disable(desk, actor, id, entered.number("version"), reason)


async def _enable(desk: Desk, actor: Actor, id: UUID, entered: Fields) -> None:
    """Enable the account again."""
    await people.enable(desk, actor, id, entered.number("version"))


async def _password(desk: Desk, actor: Actor, id: UUID, entered: Fields) -> None:
    """Set a one-time password."""
    await people.set_password(desk, actor, id, entered.number("version"), entered.raw("password"))


async def _leave(desk: Desk, actor: Actor, id: UUID, entered: Fields) -> None:
    """The person leaves: no login any more, and still an author."""
    given = record(Leaving, on=entered.text("on"), left_for=entered.text("left_for"))
    version = entered.number("version")
    await departures.leave(desk, actor, id, version, on=given.on, left_for=given.left_for)


async def _return(desk: Desk, actor: Actor, id: UUID, entered: Fields) -> None:
    """The person is here again."""
    await departures.come_back(desk, actor, id, entered.number("version"))


async def _join(desk: Desk, actor: Actor, id: UUID, entered: Fields) -> None:
    """The person belongs to a unit from a day on."""
    version = entered.number("version")
    given = record(Joining, unit=entered.text("unit"), since=entered.text("since"))
    main = entered.flag("main")
    await memberships.join(desk, actor, id, version, unit=given.unit, since=given.since, main=main)


async def _leave_unit(desk: Desk, actor: Actor, id: UUID, entered: Fields) -> None:
    """The person belongs to the unit until a day."""
    version = entered.number("version")
    given = record(Ending, of=entered.text("membership"), until=entered.text("until"))
    await memberships.end(desk, actor, id, version, given.of, given.until)


async def _appoint(desk: Desk, actor: Actor, id: UUID, entered: Fields) -> None:
    """Appoint the person for a term."""
    content = {name: entered.text(name) for name in ("kind", "certificate", "since", "until")}
    term = record(Term, **content)
    if term.until < term.since:
        raise MistakenError(fields={"until": wording.BEFORE_BEGINNING})
    await appointments.appoint(desk, actor, id, entered.number("version"), term)


async def _dismiss(desk: Desk, actor: Actor, id: UUID, entered: Fields) -> None:
    """The appointment ends earlier than it says."""
    version = entered.number("version")
    given = record(Ending, of=entered.text("appointment"), until=entered.text("until"))
    await appointments.shorten(desk, actor, id, version, given.of, given.until)


DEEDS: dict[str, Callable[[Desk, Actor, UUID, Fields], Awaitable[None]]] = {
    "change": _change,
    "disable": _disable,
    "enable": _enable,
    "one-time-password": _password,
    "leave": _leave,
    "return": _return,
    "join": _join,
    "leave-unit": _leave_unit,
    "appoint": _appoint,
    "dismiss": _dismiss,
}


def _register(name: str) -> None:
    work = DEEDS[name]

    async def carry_out(
        person_id: UUID, request: Request, desk: OneDesk, person: Person, entered: Entered
    ) -> Response:
        access.demand(person, "manage_people")
        try:
            await work(desk, person, person_id, entered)
        except ZhitongError as error:
            return await _page(request, desk, person, person_id, name, entered, told(error))
        return back(f"/people/{person_id}", "return-person" if name == "return" else name)

    carry_out.__doc__ = work.__doc__
    router.add_api_route(f"/people/{{person_id}}/{name}", carry_out, methods=["POST"], name=name)


for _name in DEEDS:
    _register(_name)


@router.get("/units")
async def unit_list(request: Request, desk: OneDesk, person: Person) -> Response:
    """The units of the office."""
    access.demand(person, "manage_people")
    return await _units(request, desk, person, Fields([]))


@router.post("/units")
async def add_unit(request: Request, desk: OneDesk, person: Person, entered: Entered) -> Response:
    """Add a unit."""
    access.demand(person, "manage_people")
    try:
        content = {name: entered.text(name) for name in ("code", "name", "kind")}
        wanted = record(NewUnit, **content, parent=entered.optional("parent"))
        await units.add(desk, person, wanted)
    except ZhitongError as error:
        return await _units(request, desk, person, entered, told(error))
    return back("/units", "add")


def _particulars(entered: Fields) -> dict[str, Any]:
    given: dict[str, Any] = {name: entered.optional(name) for name in TEXTS}
    given["roles"] = entered.each("roles")
    return {name: value for name, value in given.items() if value is not None}


async def _form(
    request: Request, person: Actor, entered: Fields, told: Told | None = None
) -> Response:
    return await page(
        request,
        person,
        "person_new.html",
        status=told.status if told else 200,
        entered=entered,
        chosen=set(entered.each("roles")),
        told=told,
    )


async def _page(
    request: Request,
    desk: Desk,
    actor: Actor,
    person_id: UUID,
    tried: str = "",
    entered: Fields | None = None,
    told: Told | None = None,
) -> Response:
    shown = await personal.show(desk, actor, person_id)
    if tried != "change" or entered is None:
        pairs = [(name, str(shown[name])) for name in TEXTS if shown.get(name) is not None]
        entered = Fields([*pairs, *(("roles", role) for role in shown["roles"])])
    return await page(
        request,
        actor,
        "person.html",
        status=told.status if told else 200,
        shown=shown,
        units=[one for one in await units.list_units(desk, actor) if one.closed_on is None],
        entered=entered,
        chosen=set(entered.each("roles")),
        tried=tried,
        told=told,
    )


async def _units(
    request: Request, desk: Desk, person: Actor, entered: Fields, told: Told | None = None
) -> Response:
    return await page(
        request,
        person,
        "units.html",
        status=told.status if told else 200,
        units=await units.list_units(desk, person),
        entered=entered,
        told=told,
    )
