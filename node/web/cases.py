"""Assignments: the board by deadline, and one case with all that is done about it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from node.http.session import OneDesk, Person
from node.web import uploads
from node.web.deeds import Reasoned, order
from node.web.forms import Entered, Fields, record
from node.web.mistakes import Told, told
from node.web.rendering import page
from node.web.routing import PageRoute, back
from node.workflow import access, assignments, board, cases, directory, handling, reading, units
from node.workflow.assignments import HANDLING
from node.workflow.board import Column
from node.workflow.desk import Actor, Desk
from node.workflow.handling import Answer, Judgement
from protocol.errors import ZhitongError
from protocol.offices import BIGGEST

router = APIRouter(route_class=PageRoute)

Offset = Annotated[int, Query(ge=0, le=BIGGEST)]


@router.get("/cases")
async def cases_by_deadline(
    request: Request,
    desk: OneDesk,
    person: Person,
    column: Column | None = None,
    offset: Offset = 0,
) -> Response:
    """The cases that the visitor may see, in columns by deadline, or all of one column."""
    if column is None:
        return await page(request, person, "cases.html", columns=await board.show(desk, person))
    found = await board.column(desk, person, column, offset=offset)
    return await page(
        request,
        person,
        "case_column.html",
        name=column,
        rows=found.rows,
        total=found.total,
        offset=offset,
        size=reading.PAGE,
    )


@router.get("/cases/{case_id}")
async def case(case_id: UUID, request: Request, desk: OneDesk, person: Person) -> Response:
    """One case."""
    return await _page(request, desk, person, case_id)


async def _sign_for(desk: Desk, actor: Actor, case_id: UUID, entered: Fields) -> None:
    """Take the work."""
    await handling.sign_for(desk, actor, case_id)


async def _hand_back(desk: Desk, actor: Actor, case_id: UUID, entered: Fields) -> None:
    """Ask whoever gave the work to take it back."""
    reason = record(Reasoned, reason=entered.text("reason")).reason
    await handling.ask_hand_back(desk, actor, case_id, reason)


async def _reply(desk: Desk, actor: Actor, case_id: UUID, entered: Fields) -> None:
    """Answer what came of the work."""
    answer = record(
        Answer,
        text=entered.text("text"),
        degree=entered.text("degree"),
        implemented=entered.flag("implemented"),
        attachments=await uploads.brought(desk, actor, entered, "document"),
    )
    await handling.reply(desk, actor, case_id, answer)


async def _judge(desk: Desk, actor: Actor, case_id: UUID, entered: Fields) -> None:
    """Accept what was answered, or refuse it with a reason."""
    judgement = record(
        Judgement,
        accepted=entered.text("verdict") == "accepted",
        reason=entered.optional("reason"),
    )
    await handling.judge(desk, actor, case_id, judgement)


async def _pass_on(desk: Desk, actor: Actor, case_id: UUID, entered: Fields) -> None:
    """Give work that came from above to a unit here, or to an office below."""
    await assignments.pass_on(desk, actor, case_id, order(entered))


DEEDS: dict[str, tuple[str, Callable[[Desk, Actor, UUID, Fields], Awaitable[None]]]] = {
    "sign-for": ("handle", _sign_for),
    "hand-back": ("handle", _hand_back),
    "reply": ("handle", _reply),
    "judge": ("judge_reply", _judge),
    "pass-on": ("assign", _pass_on),
}


def _register(name: str) -> None:
    action, work = DEEDS[name]

    async def carry_out(
        case_id: UUID, request: Request, desk: OneDesk, person: Person, entered: Entered
    ) -> Response:
        access.demand(person, action)
        try:
            await work(desk, person, case_id, entered)
        except ZhitongError as error:
            return await _page(request, desk, person, case_id, name, entered, told(error))
        return back(f"/cases/{case_id}", name)

    carry_out.__doc__ = work.__doc__
    router.add_api_route(f"/cases/{{case_id}}/{name}", carry_out, methods=["POST"], name=name)


for _name in DEEDS:
    _register(_name)


async def _page(
    request: Request,
    desk: Desk,
    person: Actor,
    case_id: UUID,
    tried: str = "",
    entered: Fields | None = None,
    told: Told | None = None,
) -> Response:
    found = await cases.view(desk, person, case_id)
    gives = access.allows(person, "assign") and found.assignment.source is not None
    listed = await units.list_units(desk, person) if gives else ()
    return await page(
        request,
        person,
        "case.html",
        status=told.status if told else 200,
        case=found,
        row=found.assignment,
        tried=tried,
        entered=entered or Fields([]),
        told=told,
        handling=[one for one in listed if one.kind in HANDLING and one.closed_on is None],
        below=await directory.below(desk.database) if gives else (),
        handles=cases.handles(person, found.assignment),
    )
