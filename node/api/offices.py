"""The offices below: how they stand; suspending, revoking and taking up again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter, Path
from pydantic import AwareDatetime, BaseModel, ConfigDict

from node.api.link_shapes import Answer
from node.api.permission import needs
from node.http.session import OneDesk, Person
from node.workflow import standing
from node.workflow.standing import StandingView
from protocol.identifiers import NODE_ID
from protocol.offices import Line

router = APIRouter(prefix="/offices", tags=["offices"])

Office = Annotated[str, Path(pattern=f"^{NODE_ID.pattern}$")]


class Grounds(BaseModel):
    """Why, and since when the key may be in other hands. The reason is told to all offices."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: Line
    compromised_since: AwareDatetime | None = None


class IssuedShape(Answer):
    """A certificate that the office was issued; `standing` is good, suspended or revoked."""

    serial: str
    kind: str
    issued_at: datetime
    not_after: datetime
    standing: str


class StandingShape(Answer):
    """How an office below stands."""

    office: str
    name: str
    standing: str
    since: datetime | None
    reason: str | None
    certificates: list[IssuedShape]

    @classmethod
    def of(cls, view: StandingView) -> Self:
        return cls.model_validate(view)


@router.get("/{office}", openapi_extra=needs("manage_links"))
async def view_office(office: Office, desk: OneDesk, person: Person) -> StandingShape:
    """How an office below stands, and what it was issued."""
    return StandingShape.of(await standing.show(desk, person, office))


@router.post("/{office}/suspend", status_code=204, openapi_extra=needs("manage_links"))
async def suspend(office: Office, given: Grounds, desk: OneDesk, person: Person) -> None:
    """Let nothing of the office count, until it is taken up again."""
    await standing.suspend(desk, person, office, given.reason, given.compromised_since)


@router.post("/{office}/resume", status_code=204, openapi_extra=needs("manage_links"))
async def resume(office: Office, desk: OneDesk, person: Person) -> None:
    """Take a suspended office up again."""
    await standing.resume(desk, person, office)


@router.post("/{office}/revoke", status_code=204, openapi_extra=needs("manage_links"))
async def revoke(office: Office, given: Grounds, desk: OneDesk, person: Person) -> None:
    """Let nothing of the office count any more; it can come back with new certificates alone."""
    await standing.revoke(desk, person, office, given.reason, given.compromised_since)
