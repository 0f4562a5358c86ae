"""Assignments: giving work, carrying it out, judging what was answered; supervision; ratings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict

from node.api.files import HEADERS
from node.api.permission import needs
from node.api.shapes import AttachmentShape, Reason
from node.http.session import OneDesk, Person
from node.storage.assignments import Assignment, Reply
from node.workflow import assignments, cases, handling, ratings, supervision
from node.workflow.assignments import Order
from node.workflow.cases import Case
from node.workflow.handling import Answer, Judgement
from protocol.offices import BIGGEST

router = APIRouter(tags=["assignments"])


class AssignmentShape(BaseModel):
    """Who is to do what until when. `source`: the office above that gave it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    item_id: UUID | None
    source: str | None
    office: str | None
    parent_id: UUID | None
    handler: str
    lead: bool
    text: str
    due: date | None
    state: str
    given_at: datetime
    given_by: str
    signed_for_at: datetime | None
    signed_for_by: str | None
    settled_at: datetime | None
    reminded: str | None

    @classmethod
    def of(cls, row: Assignment) -> Self:
        return cls.model_validate(row)


class ReplyShape(BaseModel):
    """An answer, or the request to hand back; `accepted` is null until it was judged."""

    model_config = ConfigDict(from_attributes=True)

    kind: str
    text: str
    degree: str | None
    implemented: bool | None
    by: str
    at: datetime
    accepted: bool | None
    reason: str | None
    decided_by: str | None
    decided_at: datetime | None
    files: list[AttachmentShape] = []


class CaseShape(AssignmentShape):
    """An assignment with its answers, and the item's text where that is here."""

    title: str | None
    body: str | None
    replies: list[ReplyShape]

    @classmethod
    def of_case(cls, case: Case) -> Self:
        return cls(
            **AssignmentShape.of(case.assignment).model_dump(),
            title=case.title,
            body=case.body,
            replies=[_reply_shape(case, reply) for reply in case.replies],
        )


def _reply_shape(case: Case, reply: Reply) -> ReplyShape:
    files = [AttachmentShape.model_validate(file) for file in case.files.get(reply.id, ())]
    return ReplyShape.model_validate(reply).model_copy(update={"files": files})


class GivenShape(BaseModel):
    """The assignment that was given."""

    id: UUID


@router.post("/items/{item_id}/assignments", status_code=201, openapi_extra=needs("assign"))
async def assign(item_id: UUID, given: Order, desk: OneDesk, person: Person) -> GivenShape:
    """Give work to a handling unit of this office, or to an office below."""
    return GivenShape(id=await assignments.assign(desk, person, item_id, given))


@router.get("/assignments", openapi_extra=needs("read_assignments"))
async def list_cases(
    desk: OneDesk,
    person: Person,
    item_id: UUID | None = None,
    *,
    settled: bool = False,
    offset: Annotated[int, Query(ge=0, le=BIGGEST)] = 0,
    limit: Annotated[int, Query(ge=1, le=cases.MOST)] = cases.MOST,
) -> Sequence[CaseShape]:
    """The cases that you may see, those due first; with `settled` also what is done."""
    found = await cases.list_cases(
        desk, person, item_id=item_id, settled=settled, offset=offset, limit=limit
    )
    return [CaseShape.of_case(case) for case in found]


@router.get("/assignments/overdue", openapi_extra=needs("supervise"))
async def overdue(desk: OneDesk, person: Person) -> Sequence[AssignmentShape]:
    """What should have been answered before today, the oldest first."""
    return [AssignmentShape.of(row) for row in await supervision.overdue(desk, person)]


@router.get("/assignments/{assignment_id}", openapi_extra=needs("read_assignments"))
async def view(assignment_id: UUID, desk: OneDesk, person: Person) -> CaseShape:
    """One case."""
    return CaseShape.of_case(await cases.view(desk, person, assignment_id))


@router.get(
    "/assignments/{assignment_id}/attachments/{digest}",
    response_class=FileResponse,
    openapi_extra=needs("read_assignments"),
)
async def fetch(assignment_id: UUID, digest: str, desk: OneDesk, person: Person) -> FileResponse:
    """A file of an answer, to be saved and not shown."""
    found = await cases.download(desk, person, assignment_id, digest)
    return FileResponse(
        found.path, media_type=found.media_type, filename=found.name, headers=HEADERS
    )


@router.post("/assignments/{assignment_id}/pass-on", status_code=201, openapi_extra=needs("assign"))
async def pass_on(assignment_id: UUID, given: Order, desk: OneDesk, person: Person) -> GivenShape:
    """Give work that came from above to a handling unit here, or to an office below."""
    return GivenShape(id=await assignments.pass_on(desk, person, assignment_id, given))


@router.post(
    "/assignments/{assignment_id}/sign-for", status_code=204, openapi_extra=needs("handle")
)
async def sign_for(assignment_id: UUID, desk: OneDesk, person: Person) -> None:
    """Take the work."""
    await handling.sign_for(desk, person, assignment_id)


@router.post(
    "/assignments/{assignment_id}/hand-back", status_code=204, openapi_extra=needs("handle")
)
async def ask_hand_back(assignment_id: UUID, given: Reason, desk: OneDesk, person: Person) -> None:
    """Ask whoever gave the work to take it back."""
    await handling.ask_hand_back(desk, person, assignment_id, given.reason)


@router.post("/assignments/{assignment_id}/reply", status_code=204, openapi_extra=needs("handle"))
async def reply(assignment_id: UUID, given: Answer, desk: OneDesk, person: Person) -> None:
    """Answer what came of the work."""
    await handling.reply(desk, person, assignment_id, given)


@router.post(
    "/assignments/{assignment_id}/verdict", status_code=204, openapi_extra=needs("judge_reply")
)
async def judge(assignment_id: UUID, given: Judgement, desk: OneDesk, person: Person) -> None:
    """Accept what was answered, or refuse it with a reason."""
    await handling.judge(desk, person, assignment_id, given)


@router.post("/items/{item_id}/rating", status_code=204, openapi_extra=needs("rate"))
async def rate(item_id: UUID, given: ratings.Given, desk: OneDesk, person: Person) -> None:
    """Judge, once, what came of an item of yours."""
    await ratings.rate(desk, person, item_id, given)
