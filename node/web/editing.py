"""Editing an item's text, beside its editions, and comparing two of them by sentence."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from node.http.session import OneDesk, Person
from node.web.forms import Entered, Fields, record
from node.web.mistakes import Told, told
from node.web.rendering import page
from node.web.routing import PageRoute, back
from node.workflow import access, editing, reading, topics
from node.workflow.desk import Actor, Desk
from node.workflow.editing import Rewriting
from protocol.errors import ZhitongError
from protocol.offices import BIGGEST

router = APIRouter(route_class=PageRoute)

Number = Annotated[int | None, Query(ge=1, le=BIGGEST)]


@router.get("/items/{item_id}/edit")
async def edit_page(item_id: UUID, request: Request, desk: OneDesk, person: Person) -> Response:
    """The newest edition in a form, with the author's text beside it."""
    access.demand(person, "edit")
    return await _page(request, desk, person, item_id)


@router.post("/items/{item_id}/edit")
async def edit(
    item_id: UUID, request: Request, desk: OneDesk, person: Person, entered: Entered
) -> Response:
    """Make a new edition."""
    access.demand(person, "edit")
    try:
        wanted = record(
            Rewriting,
            based_on=entered.number("based_on"),
            title=entered.text("title"),
            body=entered.text("body"),
            topic=entered.optional("topic"),
            urgency=entered.optional("urgency"),
            classification=entered.optional("classification"),
            why=entered.text("why"),
            confirmed=entered.flag("confirmed"),
        )
        await editing.edit(desk, person, item_id, wanted)
    except ZhitongError as error:
        return await _page(request, desk, person, item_id, entered, told(error))
    return back(f"/items/{item_id}", "edit")


@router.get("/items/{item_id}/comparison")
async def comparison(
    item_id: UUID,
    request: Request,
    desk: OneDesk,
    person: Person,
    before: Number = None,
    after: Number = None,
) -> Response:
    """Two editions, sentence by sentence: at first the author's and the newest."""
    history = await editing.history(desk, person, item_id)
    found = await editing.compare(
        desk,
        person,
        item_id,
        before or history[0].number,
        after or history[-1].number,
    )
    return await page(
        request,
        person,
        "comparison.html",
        view=await reading.view(desk, person, item_id),
        history=history,
        found=found,
    )


async def _page(
    request: Request,
    desk: Desk,
    person: Actor,
    item_id: UUID,
    entered: Fields | None = None,
    told: Told | None = None,
) -> Response:
    view = await reading.view(desk, person, item_id)
    history = await editing.history(desk, person, item_id)
    edition = view.edition
    if entered is None:
        names = ("title", "body", "urgency", "classification")
        entered = Fields(
            [
                ("based_on", str(edition.number)),
                ("topic", view.item.topic_code or edition.topic),
                *((n, getattr(edition, n)) for n in names),
            ]
        )
    return await page(
        request,
        person,
        "edit.html",
        status=told.status if told else 200,
        view=view,
        original=history[0],
        entered=entered,
        told=told,
        limits=desk.limits,
        topics=await topics.choices(desk, person, view.item),
    )
