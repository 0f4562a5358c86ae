"""Merging items into a combined one, taking that apart, and what is part of what."""

from __future__ import annotations

from datetime import datetime
from typing import Self
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from node.api.permission import needs
from node.http.session import OneDesk, Person
from node.workflow import merging
from node.workflow.merging import Combination, Part

router = APIRouter(tags=["merges"])


class CombinedShape(BaseModel):
    """The combined item that was written."""

    id: UUID


class PartShape(BaseModel):
    """An item at the other end of a merge; `ended_at`, where it was taken apart."""

    id: UUID
    title: str
    number: str | None
    state: str
    source: str | None
    merged_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, part: Part) -> Self:
        item = part.item
        return cls(
            id=item.id,
            title=item.title,
            number=item.number,
            state=item.state,
            source=item.source,
            merged_at=part.merged_at,
            ended_at=part.ended_at,
        )


class PartsShape(BaseModel):
    """What an item is made of, and what it went into."""

    originals: list[PartShape]
    combined: list[PartShape]


@router.post("/merges", status_code=201, openapi_extra=needs("merge"))
async def merge(wanted: Combination, desk: OneDesk, person: Person) -> CombinedShape:
    """Write a combined item out of several; their authors are told."""
    return CombinedShape(id=await merging.merge(desk, person, wanted))


@router.post("/items/{item_id}/take-apart", status_code=204, openapi_extra=needs("take_apart"))
async def take_apart(item_id: UUID, desk: OneDesk, person: Person) -> None:
    """Undo a merge, as long as nobody else has the combined item."""
    await merging.take_apart(desk, person, item_id)


@router.get("/items/{item_id}/merges", openapi_extra=needs("read_merges"))
async def parts(item_id: UUID, desk: OneDesk, person: Person) -> PartsShape:
    """The originals of a combined item, and the combined items that an item is or was part of."""
    found = await merging.view(desk, person, item_id)
    return PartsShape(
        originals=[PartShape.of(part) for part in found.originals],
        combined=[PartShape.of(part) for part in found.combined],
    )
