"""The desk: its queues, who has which item, the approval chain, and deputies."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from node.api.permission import needs
from node.api.shapes import ItemSummary, Shape
from node.http.session import OneDesk, Person
from node.workflow import chains, deputies, reading, triage
from node.workflow.chains import Step, Wanted
from node.workflow.deputies import Absence
from node.workflow.queues import Queue
from node.workflow.triage import Row
from protocol.offices import BIGGEST, Line

router = APIRouter(tags=["desk"])


class ClaimShape(BaseModel):
    """Who works on an item, and until when it is his without a stroke."""

    model_config = ConfigDict(from_attributes=True)

    person_id: UUID
    name: str
    since: datetime
    until: datetime


class QueueRow(ItemSummary):
    """An item in a queue."""

    editor: str | None
    claim: ClaimShape | None
    waits_for: str | None

    @classmethod
    def of_row(cls, row: Row) -> Self:
        return cls(
            **ItemSummary.of(row.item).model_dump(),
            editor=row.editor,
            claim=ClaimShape.model_validate(row.claim) if row.claim else None,
            waits_for=row.waits_for,
        )


class QueueShape(BaseModel):
    """A part of a queue."""

    items: list[QueueRow]
    total: int


class Claiming(Shape):
    """Whether to take over from somebody else who works on it."""

    take_over: bool = False


class EditorShape(Shape):
    """An editor's user name; null for nobody."""

    editor: Line | None


class ChainShape(BaseModel):
    """The approval chain that counts; version 0 where none was ever set."""

    model_config = ConfigDict(from_attributes=True)

    version: int
    steps: list[Step]
    checks_demanded: bool
    set_at: datetime | None
    set_by: str | None


class Version(BaseModel):
    """The version of the chain that was set."""

    version: int


class DeputyShape(BaseModel):
    """Who acts in whose place."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    person: str
    deputy: str
    role: str
    since: date
    until: date
    set_by: str


class Named(BaseModel):
    """The deputy that was named."""

    id: UUID


@router.get("/desk", openapi_extra=needs("review"))
async def counts(desk: OneDesk, person: Person) -> dict[Queue, int]:
    """How many items each queue has."""
    return dict(await triage.counts(desk, person))


@router.get("/desk/queues/{queue}", openapi_extra=needs("review"))
async def show(
    queue: Queue,
    desk: OneDesk,
    person: Person,
    offset: Annotated[int, Query(ge=0, le=BIGGEST)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = reading.PAGE,
) -> QueueShape:
    """One queue: the most urgent first, then what waits longest."""
    page = await triage.show(desk, person, queue, offset=offset, limit=limit)
    return QueueShape(items=[QueueRow.of_row(row) for row in page.rows], total=page.total)


@router.post("/items/{item_id}/claim", openapi_extra=needs("claim"))
async def claim(item_id: UUID, given: Claiming, desk: OneDesk, person: Person) -> ClaimShape:
    """Work on the item; others are told so when they want to."""
    held = await triage.claim(desk, person, item_id, take_over=given.take_over)
    return ClaimShape.model_validate(held)


@router.delete("/items/{item_id}/claim", status_code=204, openapi_extra=needs("claim"))
async def give_up(item_id: UUID, desk: OneDesk, person: Person) -> None:
    """Work on the item no longer."""
    await triage.give_up(desk, person, item_id)


@router.put("/items/{item_id}/editor", status_code=204, openapi_extra=needs("assign_editor"))
async def assign(item_id: UUID, given: EditorShape, desk: OneDesk, person: Person) -> None:
    """Let an editor have the item."""
    await triage.assign(desk, person, item_id, given.editor)


@router.get("/desk/chain", openapi_extra=needs("read_chain"))
async def chain(desk: OneDesk, person: Person) -> ChainShape:
    """The approval chain that counts now."""
    return ChainShape.model_validate(await chains.show(desk, person))


@router.put("/desk/chain", openapi_extra=needs("configure_desk"))
async def set_chain(given: Wanted, desk: OneDesk, person: Person) -> Version:
    """Let this chain count for reviews that begin from now on; without steps there is none."""
    return Version(version=await chains.set_chain(desk, person, given))


@router.get("/desk/deputies", openapi_extra=needs("name_deputy"))
async def list_deputies(desk: OneDesk, person: Person) -> list[DeputyShape]:
    """Who acts in whose place, now and later."""
    return [DeputyShape.model_validate(row) for row in await deputies.view(desk, person)]


@router.post("/desk/deputies", status_code=201, openapi_extra=needs("name_deputy"))
async def name_deputy(given: Absence, desk: OneDesk, person: Person) -> Named:
    """Name who acts in one's place."""
    return Named(id=await deputies.add(desk, person, given))


@router.delete("/desk/deputies/{id}", status_code=204, openapi_extra=needs("name_deputy"))
async def end_deputy(id: UUID, desk: OneDesk, person: Person) -> None:
    """Act for oneself again."""
    await deputies.end(desk, person, id)
