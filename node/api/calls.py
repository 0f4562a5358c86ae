"""Calls: issuing and sharing them, reading them, and who answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from node.api.permission import needs
from node.api.shapes import Shape
from node.http.session import OneDesk, Person
from node.workflow import call_changes, calls, responses
from node.workflow.calls import Audience, NewCall
from node.workflow.responses import CallView
from protocol.offices import Text, Time

router = APIRouter(prefix="/calls", tags=["calls"])


class ResponseShape(BaseModel):
    """One of those to whom a call goes: when it was read there, and how often it was answered."""

    model_config = ConfigDict(from_attributes=True)

    kind: str
    name: str
    read_at: datetime | None
    readers: int
    answers: int
    late: int
    overdue: bool


class CallShape(BaseModel):
    """A call; `source` is the office that it came from, `answers` the items that you may see, of
    which those that came after the date or the end are `late`. `revision` counts its changes."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: str
    source: str | None
    title: str
    body: str
    topics: list[str]
    topic: str | None
    period: str | None
    due: datetime | None
    revision: int
    ended: str | None
    ended_at: datetime | None
    ended_reason: str | None
    pass_on: bool
    made_at: datetime
    made_by: str | None
    read: bool
    answered: int
    answers: list[UUID]
    late: list[UUID]
    responses: list[ResponseShape]

    @classmethod
    def of(cls, view: CallView) -> Self:
        call: dict[str, Any] = {
            name: getattr(view.call, name)
            for name in cls.model_fields
            if name not in ("read", "answered", "answers", "late", "responses")
        }
        return cls(
            **call,
            read=view.read,
            answered=view.answered,
            answers=[answer.item_id for answer in view.answers],
            late=sorted(view.late),
            responses=[ResponseShape.model_validate(one) for one in view.responses],
        )


class Moved(Shape):
    """Another date."""

    due: Time
    reason: Text | None = None


class EndedShape(Shape):
    """That a call is over, and why; a withdrawal needs a reason."""

    reason: Text | None = None


class Issued(BaseModel):
    """The call that was issued."""

    id: UUID


@router.post("", status_code=201, openapi_extra=needs("call"))
async def issue(given: NewCall, desk: OneDesk, person: Person) -> Issued:
    """Issue a solicitation, a topic guide or a circular."""
    return Issued(id=await calls.issue(desk, person, given))


@router.get("", openapi_extra=needs("read_calls"))
async def list_calls(desk: OneDesk, person: Person) -> Sequence[CallShape]:
    """The calls that are meant for you, the newest first."""
    return [CallShape.of(view) for view in await responses.list_calls(desk, person)]


@router.get("/{call_id}", openapi_extra=needs("read_calls"))
async def view(call_id: UUID, desk: OneDesk, person: Person) -> CallShape:
    """One call, with who has read and answered it."""
    return CallShape.of(await responses.view(desk, person, call_id))


@router.post("/{call_id}/read", status_code=204, openapi_extra=needs("read_calls"))
async def mark_read(call_id: UUID, desk: OneDesk, person: Person) -> None:
    """You have read it; the office that it came from is told once."""
    await calls.mark_read(desk, person, call_id)


@router.post("/{call_id}/share", status_code=204, openapi_extra=needs("call"))
async def share(call_id: UUID, given: Audience, desk: OneDesk, person: Person) -> None:
    """Let offices below, units or people have it."""
    await calls.share(desk, person, call_id, given)


@router.post("/{call_id}/move", status_code=204, openapi_extra=needs("call"))
async def move(call_id: UUID, given: Moved, desk: OneDesk, person: Person) -> None:
    """Let the call be due at another time; everybody who has it is told."""
    await call_changes.move(desk, person, call_id, given.due, given.reason)


@router.post("/{call_id}/close", status_code=204, openapi_extra=needs("call"))
async def close(call_id: UUID, given: EndedShape, desk: OneDesk, person: Person) -> None:
    """Close the call before its time: it is not answered any more."""
    await call_changes.end(desk, person, call_id, "closed", given.reason)


@router.post("/{call_id}/withdraw", status_code=204, openapi_extra=needs("call"))
async def withdraw(call_id: UUID, given: EndedShape, desk: OneDesk, person: Person) -> None:
    """Withdraw the call, with a reason."""
    await call_changes.end(desk, person, call_id, "withdrawn", given.reason)
