"""The offices around this one: how their links stand, letting new ones in, putting some out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, datetime, time
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from node.http.session import OneDesk, Person
from node.web.deeds import Reasoned
from node.web.forms import Entered, Fields, record
from node.web.mistakes import Told, told
from node.web.rendering import page
from node.web.routing import PageRoute, back
from node.workflow import (
    access,
    accounts,
    ceilings,
    endings,
    enrolment,
    links,
    quarantine,
    standing,
)
from node.workflow.calendar import OFFICE_TIME
from node.workflow.desk import Actor, Desk
from protocol.errors import ZhitongError
from protocol.identifiers import NODE_ID
from protocol.messages.items import LEVELS, ClassificationName
from protocol.offices import Record

router = APIRouter(route_class=PageRoute)

Peer = Annotated[str, Path(pattern=f"^{NODE_ID.pattern}$")]
Work = Callable[[Desk, Actor, str, Fields], Awaitable[object]]


class Ceiling(Record):
    """The highest classification that a link may carry."""

    highest_level: ClassificationName


class Ending(Record):
    """The day on which a link ends; none is now."""

    on: date | None
    force: bool


@router.get("/offices")
async def offices(request: Request, desk: OneDesk, person: Person) -> Response:
    """The neighbours as a tree, with the state of each link, and offices that want to come."""
    return await _offices(request, desk, person)


@router.get("/offices/{peer}")
async def office(peer: Peer, request: Request, desk: OneDesk, person: Person) -> Response:
    """One link: its backlog, what was refused, certificates, and what can be done."""
    return await _page(request, desk, person, peer)


@router.get("/quarantine")
async def held(request: Request, desk: OneDesk, person: Person) -> Response:
    """What was refused here, by reason and one by one."""
    return await _quarantine(request, desk, person)


@router.post("/quarantine/{held_id}/replay")
async def replay(held_id: UUID, request: Request, desk: OneDesk, person: Person) -> Response:
    """Have the relay take the message in."""
    access.demand(person, "manage_links")
    try:
        await quarantine.replay(desk, person, held_id)
    except ZhitongError as error:
        return await _quarantine(request, desk, person, told(error))
    return back("/quarantine", "replay")


@router.post("/quarantine/{held_id}/discard")
async def discard(
    held_id: UUID, request: Request, desk: OneDesk, person: Person, entered: Entered
) -> Response:
    """Take the message's bytes away, for a reason."""
    access.demand(person, "manage_links")
    try:
        await quarantine.discard(desk, person, held_id, _reason(entered))
    except ZhitongError as error:
        return await _quarantine(request, desk, person, told(error))
    return back("/quarantine", "discard")


@router.post("/enrolments/{peer}/approve")
async def approve(peer: Peer, request: Request, desk: OneDesk, person: Person) -> Response:
    """Take the office in."""
    access.demand(person, "manage_links")
    try:
        await enrolment.approve(desk, person, peer)
    except ZhitongError as error:
        return await _offices(request, desk, person, told(error))
    return back("/offices", "approve-office")


@router.post("/enrolments/{peer}/refuse")
async def refuse(
    peer: Peer, request: Request, desk: OneDesk, person: Person, entered: Entered
) -> Response:
    """Do not take the office in, for a reason that it is told."""
    access.demand(person, "manage_links")
    try:
        await enrolment.refuse(desk, person, peer, _reason(entered))
    except ZhitongError as error:
        return await _offices(request, desk, person, told(error))
    return back("/offices", "refuse")


def _reason(entered: Fields) -> str:
    return record(Reasoned, reason=entered.text("reason")).reason


async def _pause(desk: Desk, actor: Actor, peer: str, entered: Fields) -> None:
    """Send this neighbour nothing but receipts."""
    await links.pause(desk, actor, peer, _reason(entered))


async def _go_on(desk: Desk, actor: Actor, peer: str, entered: Fields) -> None:
    """Send again."""
    await links.resume(desk, actor, peer)


async def _probe(desk: Desk, actor: Actor, peer: str, entered: Fields) -> None:
    """Try now instead of waiting."""
    await links.probe(desk, actor, peer)


async def _reconcile(desk: Desk, actor: Actor, peer: str, entered: Fields) -> None:
    """State now what went over the link, instead of tomorrow."""
    await accounts.reconcile(desk, actor, peer)


async def _limit(desk: Desk, actor: Actor, peer: str, entered: Fields) -> None:
    """Set the highest classification that the link may carry."""
    highest = record(Ceiling, highest_level=entered.text("highest_level")).highest_level
    await ceilings.limit(desk, actor, peer, highest)


async def _end(desk: Desk, actor: Actor, peer: str, entered: Fields) -> None:
    """End the link to a former parent, now or at the beginning of a day."""
    given = record(Ending, on=entered.optional("on"), force=entered.flag("force"))
    at = None if given.on is None else datetime.combine(given.on, time(), OFFICE_TIME)
    await endings.end(desk, actor, peer, on=at, force=given.force)


async def _suspend(desk: Desk, actor: Actor, peer: str, entered: Fields) -> None:
    """Let nothing of the office count, until it is taken up again."""
    await standing.suspend(desk, actor, peer, _reason(entered))


async def _take_up(desk: Desk, actor: Actor, peer: str, entered: Fields) -> None:
    """Take a suspended office up again."""
    await standing.resume(desk, actor, peer)


async def _revoke(desk: Desk, actor: Actor, peer: str, entered: Fields) -> None:
    """Let nothing of the office count any more."""
    await standing.revoke(desk, actor, peer, _reason(entered))


DEEDS: dict[str, Work] = {
    "pause": _pause,
    "go-on": _go_on,
    "probe": _probe,
    "reconcile": _reconcile,
    "limit": _limit,
    "end": _end,
    "suspend": _suspend,
    "take-up": _take_up,
    "revoke": _revoke,
}


def _register(name: str) -> None:
    work = DEEDS[name]

    async def carry_out(
        peer: Peer, request: Request, desk: OneDesk, person: Person, entered: Entered
    ) -> Response:
        access.demand(person, "manage_links")
        try:
            await work(desk, person, peer, entered)
        except ZhitongError as error:
            return await _page(request, desk, person, peer, name, told(error))
        return back(f"/offices/{peer}", name)

    carry_out.__doc__ = work.__doc__
    router.add_api_route(f"/offices/{{peer}}/{name}", carry_out, methods=["POST"], name=name)


for _name in DEEDS:
    _register(_name)


async def _offices(
    request: Request, desk: Desk, person: Actor, told: Told | None = None
) -> Response:
    return await page(
        request,
        person,
        "offices.html",
        status=told.status if told else 200,
        links=await links.list_links(desk, person),
        enrolments=await enrolment.list_all(desk, person),
        now=desk.clock(),
        told=told,
    )


async def _page(
    request: Request,
    desk: Desk,
    person: Actor,
    peer: str,
    tried: str = "",
    told: Told | None = None,
) -> Response:
    link = await links.show(desk, person, peer)
    return await page(
        request,
        person,
        "office.html",
        status=told.status if told else 200,
        link=link,
        refused=await links.refusals(desk, person, peer),
        standing=await standing.show(desk, person, peer) if link.relation == "child" else None,
        levels=LEVELS,
        now=desk.clock(),
        tried=tried,
        told=told,
    )


async def _quarantine(
    request: Request, desk: Desk, person: Actor, told: Told | None = None
) -> Response:
    return await page(
        request,
        person,
        "quarantine.html",
        status=told.status if told else 200,
        held=await quarantine.list_held(desk, person),
        names={link.peer: link.name for link in await links.list_links(desk, person)},
        told=told,
    )
