"""Writing: a new item, and a new edition of one that was returned."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from starlette.datastructures import UploadFile

from node.draft_errors import DraftChangedError, UnknownDraftError
from node.errors import InputError
from node.http.session import OneDesk, Person
from node.web import uploads
from node.web.forms import Entered, Fields, record
from node.web.mistakes import Told, told
from node.web.rendering import page
from node.web.routing import PageRoute, back
from node.workflow import (
    access,
    drafts,
    duplicates,
    files,
    reading,
    responses,
    revisions,
    submissions,
    topics,
)
from node.workflow.desk import Actor, Desk
from node.workflow.drafts import DraftView, Sketch
from node.workflow.reading import ItemView
from node.workflow.responses import CallView
from node.workflow.submissions import Draft
from protocol.errors import ZhitongError

router = APIRouter(route_class=PageRoute)

BETWEEN = re.compile(r"[、，,;；\s]+")
"""What stands between two tags."""
ROWS = 5
"""Rows for co-authors that the form offers."""
MOST_LISTED = 20
"""Drafts beside the form."""


@router.get("/write")
async def write_page(
    request: Request,
    desk: OneDesk,
    person: Person,
    answers: UUID | None = None,
    draft: UUID | None = None,
) -> Response:
    """An empty form; for a call, where one is answered; or a draft, to go on with."""
    access.demand(person, "submit")
    if draft is not None:
        found = await drafts.view(desk, person, draft)
        if found.item_id is not None:
            return back(f"/items/{found.item_id}/resubmit")
        return await _page(request, desk, person, _drafted(found))
    call = await responses.view(desk, person, answers) if answers else None
    entered = Fields([("answers", str(answers))] if answers else [])
    return await _page(request, desk, person, entered, call=call)


@router.post("/write")
async def write(request: Request, desk: OneDesk, person: Person, entered: Entered) -> Response:
    """Hand the item in and show it."""
    access.demand(person, "submit")
    try:
        wanted = _draft(entered, new=True)
        if entered.text("draft"):
            id = await _hand_in(desk, person, entered)
        else:
            id = await submissions.submit(desk, person, wanted)
    except ZhitongError as error:
        return await _page(request, desk, person, entered, told=told(error))
    return back(f"/items/{id}", "submit")


@router.post("/write/save")
async def save(request: Request, desk: OneDesk, person: Person, entered: Entered) -> Response:
    """Save what there is as a draft: at a button, or by itself while the author writes."""
    access.demand(person, "draft")
    by_itself = "hx-request" in request.headers
    saved, problem = None, None
    try:
        saved = await _save(desk, person, entered)
    except ZhitongError as error:
        problem = told(error)
        if isinstance(error, DraftChangedError):
            # The next save keeps this text as a draft of its own, beside what is stored.
            entered = entered.without("draft", "draft_version")
    if by_itself:
        return await page(
            request, person, "parts/draft.html", saved=saved, unsaved=problem, entered=entered
        )
    if saved is None:
        item = entered.optional("item")
        view = await _returned(desk, person, entered.ids("item")[0]) if item else None
        return await _page(request, desk, person, entered, view=view, told=problem)
    if saved.item_id is not None:
        return back(f"/items/{saved.item_id}/resubmit", "draft")
    return back(f"/write?draft={saved.id}", "draft")


@router.get("/items/{item_id}/resubmit")
async def resubmit_page(item_id: UUID, request: Request, desk: OneDesk, person: Person) -> Response:
    """The form with the edition that was returned, or with what was made of it so far."""
    view = await _returned(desk, person, item_id)
    if (begun := await revisions.find(desk, person, item_id)) is not None:
        return await _page(request, desk, person, _drafted(begun), view=view)
    edition = view.edition
    entered = Fields(
        [
            ("title", edition.title),
            ("body", edition.body),
            ("topic", view.item.topic_code or edition.topic),
            ("urgency", edition.urgency),
            ("classification", edition.classification),
            ("tags", "、".join(view.tags)),
            *(("file", f"{file.digest} {file.name}") for file in view.files),
        ]
    )
    return await _page(request, desk, person, entered, view=view)


@router.post("/items/{item_id}/resubmit")
async def resubmit(
    item_id: UUID, request: Request, desk: OneDesk, person: Person, entered: Entered
) -> Response:
    """Hand in the new edition."""
    view = await _returned(desk, person, item_id)
    try:
        wanted = _draft(entered, new=False)
        if entered.text("draft"):
            await _hand_in(desk, person, entered)
        else:
            await submissions.resubmit(desk, person, item_id, wanted)
    except ZhitongError as error:
        return await _page(request, desk, person, entered, view=view, told=told(error))
    return back(f"/items/{item_id}", "resubmit")


@router.post("/write/files")
async def upload(request: Request, desk: OneDesk, person: Person, entered: Entered) -> Response:
    """Take a file in and show the form again, with all that was entered: for browsers without
    scripts, which send the whole form."""
    access.demand(person, "submit")
    item = entered.optional("item")
    view = await _returned(desk, person, entered.ids("item")[0]) if item else None
    form = await request.form()
    pairs = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    problem = None
    for one in form.getlist("upload"):
        if not isinstance(one, UploadFile) or not one.filename:
            continue
        try:
            stored = await files.store(desk, person, one.filename, uploads.chunks(one))
        except ZhitongError as error:
            problem = told(error)
            break
        pairs.append(("file", f"{stored.digest} {one.filename}"))
    return await _page(request, desk, person, Fields(pairs), view=view, told=problem)


@router.post("/write/similar")
async def similar(request: Request, desk: OneDesk, person: Person, entered: Entered) -> Response:
    """What is similar to the text while it is being written. Nothing is kept of it."""
    found = await duplicates.of_draft(desk, person, entered.text("title"), entered.text("body"))
    return await page(request, person, "parts/similar.html", found=found)


async def _returned(desk: Desk, person: Actor, item_id: UUID) -> ItemView:
    view = await reading.view(desk, person, item_id)
    access.demand(person, "resubmit")
    if not {"resubmit", "revise"} & set(view.actions):
        raise InputError("这件信息现在不能修改：它没有被退回")
    return view


async def _save(desk: Desk, person: Actor, entered: Fields) -> DraftView:
    sketch = record(Sketch, **_content(entered))
    if not (draft := entered.ids("draft")):
        if item := entered.ids("item"):
            return await revisions.begin(desk, person, item[0], sketch)
        return await drafts.begin(desk, person, sketch)
    return await drafts.save(desk, person, draft[0], entered.number("draft_version"), sketch)


async def _hand_in(desk: Desk, person: Actor, entered: Fields) -> UUID:
    [id] = entered.ids("draft")
    version = entered.number("draft_version")
    with suppress(UnknownDraftError):
        # What is handed in is what stands in the form, whatever was saved meanwhile.
        stored = await drafts.view(desk, person, id)
        sketch = record(Sketch, **_content(entered))
        version = (await drafts.save(desk, person, id, stored.version, sketch)).version
    # Where it is gone, it was handed in already: the answer is the same item.
    return await drafts.submit(desk, person, id, version, confirmed=entered.flag("confirmed"))


def _drafted(view: DraftView) -> Fields:
    content = view.content
    pairs = [
        ("draft", str(view.id)),
        ("draft_version", str(view.version)),
        ("title", content.title),
        ("body", content.body),
        ("topic", content.topic or ""),
        ("urgency", content.urgency),
        ("classification", content.classification),
        ("answers", str(content.answers or "")),
        ("tags", "、".join(content.tags)),
        ("channel", content.channel or ""),
        *(("file", f"{file.digest} {file.name}") for file in content.attachments),
    ]
    for row, author in enumerate(content.co_authors[:ROWS]):
        pairs += [
            (f"co-name-{row}", author.username or author.name or ""),
            (f"co-kind-{row}", author.kind or ""),
            (f"co-unit-{row}", author.unit or ""),
        ]
    return Fields(pairs)


def _content(entered: Fields) -> dict[str, Any]:
    content: dict[str, Any] = {
        name: entered.optional(name) for name in ("title", "body", "topic", "answers", "channel")
    }
    content |= {
        "urgency": entered.text("urgency") or "normal",
        "classification": entered.text("classification") or "internal",
        "attachments": [dict(zip(("digest", "name"), one, strict=True)) for one in named(entered)],
        "co_authors": _co_authors(entered),
        "tags": [word for word in BETWEEN.split(entered.text("tags")) if word],
    }
    return {name: value for name, value in content.items() if value is not None}


def _draft(entered: Fields, *, new: bool) -> Draft:
    content = _content(entered) | {"confirmed": entered.flag("confirmed")}
    if not new:
        for name in ("answers", "co_authors", "channel"):
            content.pop(name, None)
    return record(Draft, **content)


def _co_authors(entered: Fields) -> list[dict[str, str | None]]:
    found: list[dict[str, str | None]] = []
    for row in range(ROWS):
        name, kind, unit = (
            entered.optional(f"co-{part}-{row}") for part in ("name", "kind", "unit")
        )
        if name is not None and kind is None and unit is None:
            found.append({"username": name})
        elif name is not None:
            found.append({"name": name, "kind": kind, "unit": unit})
    return found


def named(entered: Fields) -> list[tuple[str, str]]:
    """The files that the form names: digest and name."""
    pairs = [value.partition(" ") for value in entered.each("file")]
    return [(digest, name) for digest, _, name in pairs if digest and name]


async def _others(desk: Desk, person: Actor, entered: Fields) -> Sequence[DraftView]:
    """The person's drafts that are not in the form."""
    listed = await drafts.list_drafts(desk, person, limit=MOST_LISTED)
    return [draft for draft in listed.rows if str(draft.id) != entered.text("draft")]


async def _page(
    request: Request,
    desk: Desk,
    person: Actor,
    entered: Fields,
    *,
    view: ItemView | None = None,
    call: CallView | None = None,
    told: Told | None = None,
) -> Response:
    if call is None and view is None and (answers := entered.optional("answers")):
        call = await responses.view(desk, person, UUID(answers))
    return await page(
        request,
        person,
        "write.html",
        status=told.status if told else 200,
        entered=entered,
        told=told,
        files=named(entered),
        view=view,
        call=call,
        rows=range(ROWS),
        limits=desk.limits,
        topics=await topics.choices(desk, person, view.item if view else None),
        drafts=await _others(desk, person, entered) if view is None else (),
        saved=None,
        unsaved=None,
    )
