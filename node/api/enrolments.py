"""Enrolment: offices that ask to come below this one, and what its administrator decides.

An office that asks has no account: it shows the token that it was handed, as a bearer token.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, ConfigDict

from node.api.permission import FOR_ANYONE, needs
from node.api.shapes import Reason
from node.enrolment_errors import EnrolmentLockedOutError, EnrolmentTokenError
from node.http.attempts import Attempts
from node.http.session import OneDesk, Person, address_of
from node.workflow import enrolment
from node.workflow.enrolment import Answer, EnrolmentView
from protocol.enrolment import Request as OfficeRequest
from protocol.enrolment import Token, read_token
from protocol.errors import TokenError
from protocol.identifiers import NODE_ID

router = APIRouter(prefix="/enrolments", tags=["enrolment"])

Office = Annotated[str, Path(pattern=f"^{NODE_ID.pattern}$")]


class AnswerShape(BaseModel):
    """How a request stands; `welcome` is there when it is ready."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    state: str
    fingerprint: str
    reason: str | None
    welcome: str | None

    @classmethod
    def of(cls, answer: Answer) -> Self:
        return cls.model_validate(answer)


class EnrolmentShape(BaseModel):
    """A request. Compare `fingerprint` with the office that asks before you approve it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    office: str
    name: str
    level: str
    hub: bool
    fingerprint: str
    state: Literal[
        "waiting", "approved", "entered", "ready", "welcomed", "lapsed", "refused", "revoked"
    ]
    asked_at: datetime
    came_from: str
    decided_at: datetime | None
    decided_by: str | None
    reason: str | None
    problem: str | None
    fetched_at: datetime | None

    @classmethod
    def of(cls, view: EnrolmentView) -> Self:
        return cls.model_validate(view)


class EnrolmentList(BaseModel):
    """Requests, the newest first."""

    enrolments: list[EnrolmentShape]


class Guesses:
    """Counts wrong tokens of one client."""

    def __init__(self, request: Request, desk: OneDesk) -> None:
        self._attempts: Attempts = request.app.state.attempts
        self._address = address_of(request)
        self._header = request.headers.get("authorization", "")
        self._clock = desk.clock
        self.came_from = self._address

    @contextmanager
    def token(self) -> Iterator[Token]:
        """The token that the client shows, for a block that says whether it is a right one.

        Raises `EnrolmentLockedOutError`.
        """
        if self._attempts.locked(self._address, self._clock()):
            raise EnrolmentLockedOutError
        try:
            yield read_token(self._header.removeprefix("Bearer "))
        except (EnrolmentTokenError, TokenError):
            self._attempts.failed(self._address, self._clock())
            raise
        self._attempts.succeeded(self._address)


Stranger = Annotated[Guesses, Depends(Guesses)]


@router.post("", status_code=202, openapi_extra=FOR_ANYONE)
async def ask(given: OfficeRequest, desk: OneDesk, stranger: Stranger) -> AnswerShape:
    """Ask to come below this office, with a token that it handed out."""
    with stranger.token() as token:
        answer = await enrolment.ask(desk, token, given, came_from=stranger.came_from)
    return AnswerShape.of(answer)


@router.get("/{id}", openapi_extra=FOR_ANYONE)
async def look(id: UUID, desk: OneDesk, stranger: Stranger) -> AnswerShape:
    """How the request stands that was made with this token; in the end, its welcome."""
    with stranger.token() as token:
        return AnswerShape.of(await enrolment.answer(desk, token, id))


@router.get("", openapi_extra=needs("manage_links"))
async def list_enrolments(desk: OneDesk, person: Person) -> EnrolmentList:
    """Every request of an office to come below this one."""
    views = await enrolment.list_all(desk, person)
    return EnrolmentList(enrolments=[EnrolmentShape.of(view) for view in views])


@router.post("/{office}/approve", status_code=202, openapi_extra=needs("manage_links"))
async def approve(office: Office, desk: OneDesk, person: Person) -> None:
    """Take the office in: the relay certifies it and makes its account and queues."""
    await enrolment.approve(desk, person, office)


@router.post("/{office}/refuse", status_code=204, openapi_extra=needs("manage_links"))
async def refuse(office: Office, given: Reason, desk: OneDesk, person: Person) -> None:
    """Do not take the office in, for a reason that it is told."""
    await enrolment.refuse(desk, person, office, given.reason)
