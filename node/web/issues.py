"""Issues: composing one, seeing it as it will be printed, signing and withdrawing it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from node.http.session import OneDesk, Person
from node.web.deeds import Reasoned
from node.web.forms import Entered, Fields, record
from node.web.mistakes import Told, told
from node.web.rendering import page
from node.web.routing import PageRoute, back
from node.workflow import access, issues, reading
from node.workflow.desk import Actor, Desk
from node.workflow.issues import Layout, NewIssue
from protocol.errors import ZhitongError
from protocol.lifecycle import State

router = APIRouter(route_class=PageRoute)

CHOICE = (State.SIGNED, State.ADOPTED, State.EDITING, State.REGISTERED)
"""States of items that an issue may take up, in the order in which they are offered."""


@router.get("/issues")
async def issue_list(request: Request, desk: OneDesk, person: Person) -> Response:
    """The issues, the newest first."""
    return await _list(request, desk, person)


@router.post("/issues")
async def begin(request: Request, desk: OneDesk, person: Person, entered: Entered) -> Response:
    """Begin an issue."""
    access.demand(person, "compose_issue")
    try:
        wanted = record(NewIssue, series=entered.text("series"), title=entered.text("title"))
        id = await issues.begin(desk, person, wanted)
    except ZhitongError as error:
        return await _list(request, desk, person, entered, told(error))
    return back(f"/issues/{id}/edit")


@router.get("/issues/{issue_id}")
async def issue(issue_id: UUID, request: Request, desk: OneDesk, person: Person) -> Response:
    """The issue as it is printed."""
    return await _page(request, desk, person, issue_id)


@router.get("/issues/{issue_id}/edit")
async def edit_page(issue_id: UUID, request: Request, desk: OneDesk, person: Person) -> Response:
    """What the draft holds, and what it could hold."""
    access.demand(person, "compose_issue")
    return await _edit(request, desk, person, issue_id)


@router.post("/issues/{issue_id}/edit")
async def edit(
    issue_id: UUID, request: Request, desk: OneDesk, person: Person, entered: Entered
) -> Response:
    """Lay the draft out anew."""
    access.demand(person, "compose_issue")
    try:
        wanted = record(
            Layout,
            title=entered.text("title"),
            primary_recipients=entered.lines("primary"),
            copy_recipients=entered.lines("copy"),
            copies=entered.number("copies"),
            items=_ordered(entered),
        )
        await issues.change(desk, person, issue_id, entered.number("version"), wanted)
    except ZhitongError as error:
        return await _edit(request, desk, person, issue_id, entered, told(error))
    return back(f"/issues/{issue_id}", "edit")


@router.post("/issues/{issue_id}/drop")
async def drop(
    issue_id: UUID, request: Request, desk: OneDesk, person: Person, entered: Entered
) -> Response:
    """Throw the draft away."""
    access.demand(person, "compose_issue")
    try:
        await issues.drop(desk, person, issue_id, entered.number("version"))
    except ZhitongError as error:
        return await _page(request, desk, person, issue_id, told(error))
    return back("/issues", "drop")


@router.post("/issues/{issue_id}/sign")
async def sign(
    issue_id: UUID, request: Request, desk: OneDesk, person: Person, entered: Entered
) -> Response:
    """Sign the issue: it gets its number."""
    access.demand(person, "sign_issue")
    try:
        await issues.sign(desk, person, issue_id, entered.number("version"))
    except ZhitongError as error:
        return await _page(request, desk, person, issue_id, told(error))
    return back(f"/issues/{issue_id}", "sign")


@router.post("/issues/{issue_id}/withdraw")
async def withdraw(
    issue_id: UUID, request: Request, desk: OneDesk, person: Person, entered: Entered
) -> Response:
    """Withdraw a signed issue, with a reason."""
    access.demand(person, "sign_issue")
    try:
        reason = record(Reasoned, reason=entered.text("reason")).reason
        await issues.withdraw(desk, person, issue_id, reason)
    except ZhitongError as error:
        return await _page(request, desk, person, issue_id, told(error))
    return back(f"/issues/{issue_id}", "withdraw")


def _ordered(entered: Fields) -> list[UUID]:
    """The chosen items by the places that were entered for them; equal places as they stood."""

    def place(item: UUID) -> int:
        entry = entered.text(f"place-{item}")
        return int(entry) if entry.isdecimal() else len(chosen)

    chosen = entered.ids("item")
    return sorted(chosen, key=place)


async def _list(
    request: Request,
    desk: Desk,
    person: Actor,
    entered: Fields | None = None,
    told: Told | None = None,
) -> Response:
    return await page(
        request,
        person,
        "issues.html",
        status=told.status if told else 200,
        issues=await issues.list_issues(desk, person),
        entered=entered or Fields([]),
        told=told,
    )


async def _page(
    request: Request, desk: Desk, person: Actor, issue_id: UUID, told: Told | None = None
) -> Response:
    found = await issues.view(desk, person, issue_id)
    return await page(
        request,
        person,
        "issue.html",
        status=told.status if told else 200,
        issue=found.issue,
        placed=found.items,
        told=told,
    )


async def _edit(
    request: Request,
    desk: Desk,
    person: Actor,
    issue_id: UUID,
    entered: Fields | None = None,
    told: Told | None = None,
) -> Response:
    found = await issues.view(desk, person, issue_id)
    issue, placed = found.issue, found.items
    if entered is None:
        pairs: list[tuple[str, Any]] = [
            ("title", issue.title),
            ("primary", "\n".join(issue.primary_recipients)),
            ("copy", "\n".join(issue.copy_recipients)),
            ("copies", str(issue.copies)),
            *(("item", str(one.item.id)) for one in placed),
        ]
        entered = Fields(pairs)
    inside = {one.item.id for one in placed}
    offered = [one.item for one in placed]
    for state in CHOICE:
        listed = await reading.list_items(desk, person, state=state)
        offered += [item for item in listed.rows if item.id not in inside and not item.closed]
    return await page(
        request,
        person,
        "issue_edit.html",
        status=told.status if told else 200,
        issue=issue,
        offered=offered,
        chosen=set(entered.each("item")),
        entered=entered,
        told=told,
    )
