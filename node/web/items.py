"""The list of items, and one item: its text, its way through all levels, and what to do with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from node.errors import InputError
from node.http.session import OneDesk, Person
from node.web.deeds import DEEDS, Deed
from node.web.desk import editors
from node.web.forms import Entered, Fields
from node.web.mistakes import Told, told
from node.web.rendering import page
from node.web.routing import PageRoute, back
from node.workflow import (
    access,
    cases,
    directory,
    duplicates,
    merging,
    phrases,
    public_receipts,
    reading,
    searching,
    topics,
    units,
    workbench,
)
from node.workflow.access import Scope
from node.workflow.assignments import HANDLING
from node.workflow.desk import Actor, Desk
from node.workflow.public_intake import CHANNEL
from node.workflow.searching import Wanted
from protocol.errors import ZhitongError
from protocol.lifecycle import State
from protocol.offices import BIGGEST

router = APIRouter(route_class=PageRoute)

Offset = Annotated[int, Query(ge=0, le=BIGGEST)]
Word = Annotated[str, Query(max_length=searching.LONGEST_QUERY)]


@dataclass(frozen=True)
class Tried:
    """A deed that could not be done: its form stays open, with what was entered."""

    deed: str = ""
    entered: Fields = field(default_factory=lambda: Fields([]))
    told: Told | None = None


@router.get("/items")
async def item_list(
    request: Request,
    desk: OneDesk,
    person: Person,
    q: Word = "",
    state: str = "",
    adopted: str = "",
    topic: str = "",
    urgency: str = "",
    source: str = "",
    since: str = "",
    until: str = "",
    overdue: str = "",
    offset: Offset = 0,
) -> Response:
    """The items that the visitor may see, by words and filters, which stay in the address."""
    names = await topics.names(desk, person)
    chosen = {
        "q": q.strip(),
        "state": state if state in phrases.STATES else "",
        "adopted": adopted if adopted in phrases.LEVELS else "",
        "topic": topic if topic in names else "",
        "urgency": urgency if urgency in phrases.URGENCIES else "",
        "source": source,
        "since": since,
        "until": until,
        "overdue": "1" if overdue else "",
    }
    asked = {name: value for name, value in chosen.items() if value}
    problem: Told | None = None
    hits: Mapping[UUID, Any] = {}
    size = reading.PAGE
    try:
        if asked.keys() <= {"state"}:
            listed = await reading.list_items(
                desk, person, state=State(state) if chosen["state"] else None, offset=offset
            )
            rows, total, more = listed.rows, listed.total, False
        else:
            size = searching.PAGE
            found = await searching.search(desk, person, chosen["q"], _wanted(asked), offset=offset)
            rows, total, more = [hit.item for hit in found.hits], found.total, found.more
            hits = {hit.item.id: hit.excerpts for hit in found.hits}
    except InputError as error:
        rows, total, more, problem = [], 0, False, told(error)
    return await page(
        request,
        person,
        "items.html",
        status=problem.status if problem else 200,
        rows=rows,
        total=total,
        more=more,
        hits=hits,
        chosen=chosen,
        topics=names,
        asked=asked,
        told=problem,
        offset=offset,
        size=size,
        mine=_mine(person),
    )


def _wanted(asked: Mapping[str, str]) -> Wanted:
    days: dict[str, date] = {}
    for name in ("since", "until"):
        if name in asked:
            try:
                days[name] = date.fromisoformat(asked[name])
            except ValueError as error:
                raise InputError("日期请按 2026-01-31 的样子填写") from error
    return Wanted(
        state=asked.get("state"),
        adopted=asked.get("adopted"),
        topic=asked.get("topic"),
        urgency=asked.get("urgency"),
        source=asked.get("source"),
        since=days.get("since"),
        until=days.get("until"),
        overdue="overdue" in asked,
    )


@router.get("/items/{item_id}")
async def item(item_id: UUID, request: Request, desk: OneDesk, person: Person) -> Response:
    """One item, as this person sees it."""
    return await _page(request, desk, person, item_id, Tried())


@router.get("/items/{item_id}/timeline")
async def timeline(item_id: UUID, request: Request, desk: OneDesk, person: Person) -> Response:
    """Where the item is and what happened: the part of its page that changes by itself."""
    view = await reading.view(desk, person, item_id)
    return await page(request, person, "parts/progress.html", view=view, mine=_mine(person))


@router.get("/items/{item_id}/similar")
async def similar(item_id: UUID, request: Request, desk: OneDesk, person: Person) -> Response:
    """What is similar to the item, with the words that agree."""
    view = await reading.view(desk, person, item_id)
    found = await duplicates.of_item(desk, person, item_id)
    return await page(request, person, "similar.html", view=view, found=found)


@router.get("/items/{item_id}/lineage")
async def lineage(item_id: UUID, request: Request, desk: OneDesk, person: Person) -> Response:
    """Which items became which, as a picture."""
    view = await reading.view(desk, person, item_id)
    parts = await merging.view(desk, person, item_id)
    return await page(request, person, "lineage.html", view=view, parts=parts)


def _mine(person: Actor) -> bool:
    return access.scope(person, "read") is Scope.OWN


async def _page(
    request: Request, desk: Desk, person: Actor, item_id: UUID, tried: Tried
) -> Response:
    view = await reading.view(desk, person, item_id)
    at_desk = access.allows(person, "review")
    leads = access.allows(person, "assign")
    return await page(
        request,
        person,
        "item.html",
        status=tried.told.status if tried.told else 200,
        topics=await topics.names(desk, person),
        view=view,
        tried=tried,
        mine=_mine(person),
        bench=await workbench.view(desk, person, item_id) if at_desk else None,
        parts=await merging.view(desk, person, item_id)
        if access.allows(person, "read_merges")
        else None,
        cases=await cases.list_cases(desk, person, item_id=item_id, settled=True)
        if access.allows(person, "supervise")
        else (),
        contact=await public_receipts.contact(desk, person, item_id)
        if view.item.channel == CHANNEL and access.allows(person, "read_contact")
        else None,
        editors=await editors(desk, person) if access.allows(person, "assign_editor") else (),
        handling=[
            unit
            for unit in await units.list_units(desk, person)
            if unit.kind in HANDLING and unit.closed_on is None
        ]
        if leads
        else (),
        below=await directory.below(desk.database) if leads else (),
    )


def _register(name: str, deed: Deed) -> None:
    async def carry_out(
        item_id: UUID, request: Request, desk: OneDesk, person: Person, entered: Entered
    ) -> Response:
        access.demand(person, deed.action)
        try:
            await deed.work(desk, person, item_id, entered)
        except ZhitongError as error:
            tried = Tried(name, entered, told(error))
            return await _page(request, desk, person, item_id, tried)
        return back(f"/items/{item_id}", name)

    carry_out.__doc__ = deed.work.__doc__
    router.add_api_route(f"/items/{{item_id}}/{name}", carry_out, methods=["POST"], name=name)


for _name, _deed in DEEDS.items():
    _register(_name, _deed)
