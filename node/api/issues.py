"""Issues: composing, signing and withdrawing them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from node.api.permission import needs
from node.api.shapes import Reason, Shape
from node.http.session import OneDesk, Person
from node.workflow import issues
from node.workflow.issues import IssueView, Layout, NewIssue
from protocol.offices import BIGGEST

router = APIRouter(prefix="/issues", tags=["issues"])


class IssueShape(BaseModel):
    """An issue. `label` is how it is cited, once it is signed."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    series: str
    title: str
    primary_recipients: list[str]
    copy_recipients: list[str]
    copies: int
    state: str
    version: int
    label: str | None
    made_at: datetime
    made_by: str
    signed_at: datetime | None
    signed_by: str | None
    withdrawn_at: datetime | None
    withdrawn_by: str | None
    reason: str | None


class PlacedShape(BaseModel):
    """An item in an issue, with the text that stands there."""

    item_id: UUID
    edition: int
    title: str
    body: str
    authors: list[dict[str, str]]


class IssueDetail(IssueShape):
    """An issue with what stands in it, in its order."""

    items: list[PlacedShape]

    @classmethod
    def of(cls, found: IssueView) -> Self:
        return cls(
            **IssueShape.model_validate(found.issue).model_dump(),
            items=[
                PlacedShape(
                    item_id=placed.item.id,
                    edition=placed.edition.number,
                    title=placed.edition.title,
                    body=placed.edition.body,
                    authors=placed.edition.authors,
                )
                for placed in found.items
            ],
        )


class Begun(BaseModel):
    """The issue that was begun."""

    id: UUID


class Cited(BaseModel):
    """How the issue that was signed is cited."""

    label: str


class Changed(Layout):
    """The draft as it is to be, made of this version."""

    version: int


class OfVersion(Shape):
    """The version of the draft that was looked at."""

    version: int


@router.post("", status_code=201, openapi_extra=needs("compose_issue"))
async def begin(given: NewIssue, desk: OneDesk, person: Person) -> Begun:
    """Begin an issue."""
    return Begun(id=await issues.begin(desk, person, given))


@router.get("", openapi_extra=needs("read_issues"))
async def list_issues(
    desk: OneDesk,
    person: Person,
    state: Literal["draft", "signed", "withdrawn"] | None = None,
    offset: Annotated[int, Query(ge=0, le=BIGGEST)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Sequence[IssueShape]:
    """The issues, the newest first."""
    found = await issues.list_issues(desk, person, state=state, offset=offset, limit=limit)
    return [IssueShape.model_validate(issue) for issue in found]


@router.get("/{issue_id}", openapi_extra=needs("read_issues"))
async def view(issue_id: UUID, desk: OneDesk, person: Person) -> IssueDetail:
    """One issue with what stands in it."""
    return IssueDetail.of(await issues.view(desk, person, issue_id))


@router.put("/{issue_id}", status_code=204, openapi_extra=needs("compose_issue"))
async def change(issue_id: UUID, given: Changed, desk: OneDesk, person: Person) -> None:
    """Lay the draft out anew, with the newest editions of its items."""
    await issues.change(desk, person, issue_id, given.version, given)


@router.delete("/{issue_id}", status_code=204, openapi_extra=needs("compose_issue"))
async def drop(
    issue_id: UUID,
    version: Annotated[int, Query(ge=1, le=BIGGEST)],
    desk: OneDesk,
    person: Person,
) -> None:
    """Throw a draft away."""
    await issues.drop(desk, person, issue_id, version)


@router.post("/{issue_id}/sign", openapi_extra=needs("sign_issue"))
async def sign(issue_id: UUID, given: OfVersion, desk: OneDesk, person: Person) -> Cited:
    """Sign the issue: it gets its number, and the authors are told."""
    return Cited(label=await issues.sign(desk, person, issue_id, given.version))


@router.post("/{issue_id}/withdraw", status_code=204, openapi_extra=needs("sign_issue"))
async def withdraw(issue_id: UUID, given: Reason, desk: OneDesk, person: Person) -> None:
    """Withdraw a signed issue; what it adopted is adopted no longer."""
    await issues.withdraw(desk, person, issue_id, given.reason)
