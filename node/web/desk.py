"""The desk: queues with their counts, and doing the same with several items at once."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from node.http.session import OneDesk, Person
from node.web import bulk
from node.web.deeds import Forwarded
from node.web.forms import Entered, Fields, MistakenError, record
from node.web.mistakes import Told, told
from node.web.rendering import page
from node.web.routing import PageRoute, back
from node.workflow import access, decisions, forwarding, merging, personal, reading, topics, triage
from node.workflow.desk import Actor, Desk
from node.workflow.merging import Combination
from node.workflow.queues import COUNTED, QUEUES, Queue
from protocol.errors import ZhitongError
from protocol.offices import BIGGEST

router = APIRouter(route_class=PageRoute)

Offset = Annotated[int, Query(ge=0, le=BIGGEST)]
Name = Annotated[Queue, Path()]
FIRST: dict[str, Queue] = {
    access.SIGNER: "waiting_for_me",
    access.REVIEWER: "waiting_for_me",
    access.EDITOR: "to_triage",
}
"""The queue that is shown first, by role; who has several roles begins with the last of them."""


@router.get("/desk")
async def desk_page(request: Request, desk: OneDesk, person: Person) -> Response:
    """The queue with which this person begins."""
    access.demand(person, "review")
    first = next(queue for role, queue in reversed(FIRST.items()) if role in person.roles)
    return await _queue(request, desk, person, first)


@router.get("/desk/{queue}")
async def queue_page(
    queue: Name, request: Request, desk: OneDesk, person: Person, offset: Offset = 0
) -> Response:
    """One queue."""
    return await _queue(request, desk, person, queue, offset=offset)


@router.post("/desk/{queue}/register")
async def register(
    queue: Name, request: Request, desk: OneDesk, person: Person, entered: Entered
) -> Response:
    """Take all chosen items up; of those that cannot be, it is said why."""
    return await _each(request, desk, person, entered, queue, "register")


@router.post("/desk/{queue}/assign")
async def assign(
    queue: Name, request: Request, desk: OneDesk, person: Person, entered: Entered
) -> Response:
    """Let one editor have all chosen items."""
    return await _each(request, desk, person, entered, queue, "assign_editor")


@router.get("/selection")
async def selection(
    request: Request, desk: OneDesk, person: Person, offset: Offset = 0
) -> Response:
    """What could go to the office above: the most urgent first, from whom, and what became of it
    at each level."""
    return await _selection(request, desk, person, offset=offset)


@router.post("/selection/forward")
async def forward(request: Request, desk: OneDesk, person: Person, entered: Entered) -> Response:
    """Forward all chosen items to the office above, each with the note where there is one."""
    access.demand(person, "forward_up")
    try:
        items = bulk.chosen(entered)
        note = record(Forwarded, note=entered.optional("note")).note
    except MistakenError as error:
        return await _selection(request, desk, person, told=told(error), entered=entered)
    failed = await bulk.each(
        request,
        desk,
        person,
        items,
        lambda item: forwarding.forward_up(desk, person, item, note=note),
    )
    if failed is not None:
        return await _selection(request, desk, person, told=failed, entered=entered)
    return back("/selection", "forward")


@router.get("/merge")
async def merge_page(
    request: Request,
    desk: OneDesk,
    person: Person,
    item: Annotated[list[UUID], Query(max_length=merging.MOST)],
) -> Response:
    """The chosen items beside each other, and the form for what is made of them."""
    access.demand(person, "merge")
    entered = Fields([("item", str(one)) for one in item])
    return await _merge(request, desk, person, entered)


@router.post("/merge")
async def merge(request: Request, desk: OneDesk, person: Person, entered: Entered) -> Response:
    """Write the combined item."""
    access.demand(person, "merge")
    content = {
        name: entered.optional(name)
        for name in ("title", "body", "topic", "urgency", "classification")
    }
    try:
        wanted = record(
            Combination,
            items=bulk.chosen(entered, at_least=2),
            confirmed=entered.flag("confirmed"),
            **content,
        )
        id = await merging.merge(desk, person, wanted)
    except ZhitongError as error:
        return await _merge(request, desk, person, entered, told=told(error))
    return back(f"/items/{id}", "merge")


async def _each(
    request: Request, desk: Desk, person: Actor, entered: Fields, queue: Queue, action: str
) -> Response:
    access.demand(person, action)
    editor = entered.optional("editor")

    async def deed(item: UUID) -> None:
        if action == "register":
            await decisions.register(desk, person, item)
        else:
            await triage.assign(desk, person, item, editor)

    try:
        items = bulk.chosen(entered)
    except MistakenError as error:
        return await _queue(request, desk, person, queue, told=told(error), entered=entered)
    failed = await bulk.each(request, desk, person, items, deed)
    if failed is not None:
        return await _queue(request, desk, person, queue, told=failed, entered=entered)
    return back(f"/desk/{queue}", action)


async def _queue(
    request: Request,
    desk: Desk,
    person: Actor,
    queue: Queue,
    *,
    offset: int = 0,
    told: Told | None = None,
    entered: Fields | None = None,
) -> Response:
    shown = await triage.show(desk, person, queue, offset=offset)
    return await page(
        request,
        person,
        "desk.html",
        status=told.status if told else 200,
        queue=queue,
        queues=QUEUES,
        counts=await triage.counts(desk, person),
        rows=shown.rows,
        total=shown.total,
        counted=COUNTED,
        offset=offset,
        size=reading.PAGE,
        told=told,
        chosen=set(entered.each("item")) if entered else set(),
        editors=await editors(desk, person) if access.allows(person, "assign_editor") else (),
    )


async def editors(desk: Desk, person: Actor) -> list[tuple[str, str]]:
    """User names and names of those who edit here."""
    found = await personal.holders(desk, person, access.EDITOR, access.REVIEWER)
    return list(found.items())


async def _selection(
    request: Request,
    desk: Desk,
    person: Actor,
    *,
    offset: int = 0,
    told: Told | None = None,
    entered: Fields | None = None,
) -> Response:
    access.demand(person, "forward_up")
    shown = await triage.show(desk, person, "candidates", offset=offset)
    return await page(
        request,
        person,
        "selection.html",
        status=told.status if told else 200,
        topics=await topics.names(desk, person),
        rows=shown.rows,
        total=shown.total,
        offset=offset,
        size=reading.PAGE,
        parent=desk.parent,
        told=told,
        chosen=set(entered.each("item")) if entered else set(),
        note=entered.raw("note") if entered else "",
    )


async def _merge(
    request: Request, desk: Desk, person: Actor, entered: Fields, *, told: Told | None = None
) -> Response:
    views = [await reading.view(desk, person, item) for item in entered.ids("item")]
    return await page(
        request,
        person,
        "merge.html",
        status=told.status if told else 200,
        views=views,
        entered=entered,
        told=told,
        limits=desk.limits,
        topics=await topics.choices(desk, person),
    )
