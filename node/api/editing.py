"""Working on an item: its editions, the five checks, and its review."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from node.api.desk import ClaimShape
from node.api.permission import needs
from node.api.shapes import Shape
from node.http.session import OneDesk, Person
from node.workflow import checks, editing, reviews, workbench
from node.workflow.editing import Comparison, Rewriting
from node.workflow.workbench import Bench
from protocol.offices import BIGGEST, Text

router = APIRouter(prefix="/items/{item_id}", tags=["editing"])

Number = Annotated[int, Query(ge=1, le=BIGGEST)]


class Read(BaseModel):
    """What is answered, from the record of the same fields."""

    model_config = ConfigDict(from_attributes=True)


class EditionShape(Read):
    """An edition: the author's, or made here out of `base` by an editor."""

    number: int
    title: str
    body: str
    topic: str
    urgency: str
    classification: str
    submitted_at: datetime
    base: int | None
    editor: str | None
    edited_at: datetime | None
    why: str | None


class PartShape(Read):
    """Sentences that are in both, in one of two, or changed."""

    kind: str
    before: str
    after: str


class ComparisonShape(Read):
    """Two editions beside each other, sentence by sentence."""

    before: EditionShape
    after: EditionShape
    title: list[PartShape]
    body: list[PartShape]

    @classmethod
    def of(cls, found: Comparison) -> Self:
        return cls.model_validate(found)


class Made(BaseModel):
    """The edition that was made."""

    number: int


class CheckShape(Read):
    """What somebody found in one of the five checks."""

    kind: str
    edition: int
    passed: bool
    opinion: str | None
    person: str
    at: datetime


class Checked(Shape):
    """An opinion on the newest edition; an objection says why."""

    edition: int
    kind: checks.Kind
    passed: bool
    opinion: Text | None = None


class OfEdition(Shape):
    """The edition that was looked at: the newest, or the answer is what changed."""

    edition: int


class Approval(OfEdition):
    """Agreement, with a word where there is one."""

    opinion: Text | None = None


class Objection(OfEdition):
    """Why."""

    reason: Text


class VoteShape(Read):
    """What somebody said at a step; `deputy_for`: in whose place."""

    step: str
    verdict: str
    opinion: str | None
    person: str
    deputy_for: str | None
    at: datetime


class ReviewShape(Read):
    """One way of an edition along the chain."""

    edition: int
    sent_by: str
    sent_at: datetime
    waits_at: str | None
    role: str | None
    outcome: str | None
    votes: list[VoteShape]


class BenchShape(Read):
    """All that the desk knows of an item, but its texts."""

    editor: str | None
    claim: ClaimShape | None
    checks: list[CheckShape]
    checks_missing: list[str]
    reviews: list[ReviewShape]

    @classmethod
    def of(cls, bench: Bench) -> Self:
        return cls.model_validate(bench)


@router.get("/bench", openapi_extra=needs("review"))
async def bench(item_id: UUID, desk: OneDesk, person: Person) -> BenchShape:
    """Who works on the item, what was found in the newest edition, and how its reviews went."""
    return BenchShape.of(await workbench.view(desk, person, item_id))


@router.get("/editions", openapi_extra=needs("review"))
async def history(item_id: UUID, desk: OneDesk, person: Person) -> Sequence[EditionShape]:
    """All editions, the oldest first."""
    found = await editing.history(desk, person, item_id)
    return [EditionShape.model_validate(edition) for edition in found]


@router.post("/editions", status_code=201, openapi_extra=needs("edit"))
async def edit(item_id: UUID, given: Rewriting, desk: OneDesk, person: Person) -> Made:
    """Make a new edition of the newest one."""
    return Made(number=await editing.edit(desk, person, item_id, given))


@router.get("/comparison", openapi_extra=needs("review"))
async def compare(
    item_id: UUID, before: Number, after: Number, desk: OneDesk, person: Person
) -> ComparisonShape:
    """Two editions, sentence by sentence."""
    return ComparisonShape.of(await editing.compare(desk, person, item_id, before, after))


@router.post("/checks", status_code=204, openapi_extra=needs("review"))
async def check(item_id: UUID, given: Checked, desk: OneDesk, person: Person) -> None:
    """Note an opinion in one of the five checks."""
    await checks.note(
        desk,
        person,
        item_id,
        edition=given.edition,
        kind=given.kind,
        passed=given.passed,
        opinion=given.opinion,
    )


@router.post("/review", status_code=204, openapi_extra=needs("send_to_review"))
async def send(item_id: UUID, given: OfEdition, desk: OneDesk, person: Person) -> None:
    """Send the edition along the approval chain."""
    await reviews.send(desk, person, item_id, given.edition)


@router.post("/review/approve", status_code=204, openapi_extra=needs("review"))
async def approve(item_id: UUID, given: Approval, desk: OneDesk, person: Person) -> None:
    """Agree at the present step; whoever takes the last one signs."""
    await reviews.approve(desk, person, item_id, given.edition, given.opinion)


@router.post("/review/skip", status_code=204, openapi_extra=needs("review"))
async def skip(item_id: UUID, given: Objection, desk: OneDesk, person: Person) -> None:
    """Pass over the present step, with a reason."""
    await reviews.skip(desk, person, item_id, given.edition, given.reason)


@router.post("/review/send-back", status_code=204, openapi_extra=needs("review"))
async def send_back(item_id: UUID, given: Objection, desk: OneDesk, person: Person) -> None:
    """Send the edition back to the editor, with a reason."""
    await reviews.send_back(desk, person, item_id, given.edition, given.reason)
