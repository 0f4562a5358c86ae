"""An item's whole file as one archive, and which items have been kept long enough."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict

from node.api.permission import needs
from node.http.session import OneDesk, Person
from node.workflow import archiving, casefile, retention
from protocol.offices import BIGGEST

router = APIRouter(tags=["items"])


class DueShape(BaseModel):
    """An item whose retention period ended on the day `until`. Nothing is removed by that."""

    model_config = ConfigDict(from_attributes=True)

    item_id: UUID
    number: str | None
    state: str
    closed_on: date
    years: int
    until: date


class DueList(BaseModel):
    """A part of the list."""

    items: list[DueShape]
    total: int


@router.get("/retention", openapi_extra=needs("read_retention"))
async def due(
    desk: OneDesk,
    person: Person,
    offset: Annotated[int, Query(ge=0, le=BIGGEST)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> DueList:
    """The closed items that were kept as long as the office decided, the longest closed first."""
    page = await retention.due(desk, person, offset=offset, limit=limit)
    return DueList(items=[DueShape.model_validate(row) for row in page.rows], total=page.total)


class WaitingShape(BaseModel):
    """An item that is done with and not archived; archived now, it would be kept until `until`."""

    model_config = ConfigDict(from_attributes=True)

    item_id: UUID
    title: str
    number: str | None
    state: str
    closed: bool
    ended_at: datetime
    until: date


class WaitingList(BaseModel):
    """A part of the list."""

    items: list[WaitingShape]
    total: int


class ArchivedShape(BaseModel):
    """The last day on which the item is kept."""

    until: date


@router.get("/archive", openapi_extra=needs("archive"))
async def waiting(
    desk: OneDesk,
    person: Person,
    offset: Annotated[int, Query(ge=0, le=BIGGEST)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> WaitingList:
    """What is done with and can be archived, the longest done with first."""
    page = await archiving.waiting(desk, person, offset=offset, limit=limit)
    rows = [WaitingShape.model_validate(row) for row in page.rows]
    return WaitingList(items=rows, total=page.total)


@router.post("/items/{item_id}/archive", openapi_extra=needs("archive"))
async def archive(item_id: UUID, desk: OneDesk, person: Person) -> ArchivedShape:
    """Put the item away for good: nothing is changed here any more."""
    return ArchivedShape(until=await archiving.archive(desk, person, item_id))


@router.get(
    "/items/{item_id}/file",
    response_class=StreamingResponse,
    openapi_extra=needs("export_item"),
)
async def export(item_id: UUID, desk: OneDesk, person: Person) -> StreamingResponse:
    """The item's whole file: editions, timeline, attachments, signed messages, an overview."""
    case = await casefile.gather(desk, person, item_id)
    headers = {
        "Content-Disposition": f'attachment; filename="{item_id}.zip"',
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingResponse(casefile.pack(case), media_type="application/zip", headers=headers)
