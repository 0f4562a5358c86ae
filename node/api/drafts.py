"""A person's own drafts: saving as he writes, what they said before, and handing one in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, StrictBool

from node.api import bodies
from node.api.permission import needs
from node.api.shapes import Shape
from node.http.session import OneDesk, Person
from node.manuscript_errors import ManuscriptSizeError
from node.workflow import access, draft_history, drafts
from node.workflow.drafts import Sketch
from node.workflow.manuscripts import MOST_BYTES
from protocol.messages.items import FileName
from protocol.offices import BIGGEST

router = APIRouter(prefix="/drafts", tags=["drafts"])

Version = Annotated[int, Field(ge=1, le=BIGGEST, strict=True)]


class DraftShape(BaseModel):
    """A draft, or what it said in an earlier version."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    version: int
    content: Sketch
    created_at: datetime
    changed_at: datetime
    item_id: UUID | None
    """The item of which it will be a new edition."""


class DraftSummary(BaseModel):
    """A draft in the list."""

    id: UUID
    version: int
    title: str
    characters: int
    created_at: datetime
    changed_at: datetime
    item_id: UUID | None


class DraftList(BaseModel):
    """A part of the list."""

    drafts: list[DraftSummary]
    total: int


class KeptShape(BaseModel):
    """An earlier version, saved at `at`."""

    model_config = ConfigDict(from_attributes=True)

    version: int
    title: str
    characters: int
    at: datetime


class Saved(Shape):
    """What was made of this version."""

    version: Version
    content: Sketch


class Present(Shape):
    """The version that was looked at."""

    version: Version


class Handing(Shape):
    """The version that was looked at, and that nothing in it is secret, where that was asked."""

    version: Version
    confirmed: StrictBool = False


class HandedIn(BaseModel):
    """The item that became of the draft."""

    id: UUID


@router.post("", status_code=201, openapi_extra=needs("draft"))
async def begin(content: Sketch, desk: OneDesk, person: Person) -> DraftShape:
    """Begin a draft, with as much of it as there is."""
    return DraftShape.model_validate(await drafts.begin(desk, person, content))


@router.post("/manuscripts", status_code=201, openapi_extra=bodies.FILE | needs("draft"))
async def of_manuscript(
    request: Request, name: Annotated[FileName, Query()], desk: OneDesk, person: Person
) -> DraftShape:
    """Begin a draft with the title and the text of a .docx, which is the body of the request."""
    access.demand(person, "draft")
    data = await bodies.read(request, MOST_BYTES, ManuscriptSizeError("最大 20 MB"))
    return DraftShape.model_validate(await drafts.of_manuscript(desk, person, name, data))


@router.get("", openapi_extra=needs("draft"))
async def list_drafts(
    desk: OneDesk,
    person: Person,
    offset: Annotated[int, Query(ge=0, le=BIGGEST)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> DraftList:
    """Your own drafts, what was saved last first."""
    page = await drafts.list_drafts(desk, person, offset=offset, limit=limit)
    found = [
        DraftSummary(
            id=row.id,
            version=row.version,
            title=row.content.title,
            characters=len(row.content.body),
            created_at=row.created_at,
            changed_at=row.changed_at,
            item_id=row.item_id,
        )
        for row in page.rows
    ]
    return DraftList(drafts=found, total=page.total)


@router.get("/{draft_id}", openapi_extra=needs("draft"))
async def view(draft_id: UUID, desk: OneDesk, person: Person) -> DraftShape:
    """One of your drafts."""
    return DraftShape.model_validate(await drafts.view(desk, person, draft_id))


@router.put("/{draft_id}", openapi_extra=needs("draft"))
async def save(draft_id: UUID, given: Saved, desk: OneDesk, person: Person) -> DraftShape:
    """Save the draft; made of an older version it is refused with what is `stored`."""
    saved = await drafts.save(desk, person, draft_id, given.version, given.content)
    return DraftShape.model_validate(saved)


@router.delete("/{draft_id}", status_code=204, openapi_extra=needs("draft"))
async def discard(
    draft_id: UUID,
    version: Annotated[int, Query(ge=1, le=BIGGEST)],
    desk: OneDesk,
    person: Person,
) -> None:
    """Remove the draft and what it said before."""
    await drafts.discard(desk, person, draft_id, version)


@router.get("/{draft_id}/versions", openapi_extra=needs("draft"))
async def versions(draft_id: UUID, desk: OneDesk, person: Person) -> Sequence[KeptShape]:
    """What the draft said before, the newest first."""
    kept = await draft_history.versions(desk, person, draft_id)
    return [KeptShape.model_validate(one) for one in kept]


@router.get("/{draft_id}/versions/{version}", openapi_extra=needs("draft"))
async def earlier(
    draft_id: UUID,
    version: Annotated[int, Path(ge=1, le=BIGGEST)],
    desk: OneDesk,
    person: Person,
) -> DraftShape:
    """What the draft said in this version."""
    return DraftShape.model_validate(await draft_history.earlier(desk, person, draft_id, version))


@router.post("/{draft_id}/versions/{version}/take-over", openapi_extra=needs("draft"))
async def take_over(
    draft_id: UUID,
    version: Annotated[int, Path(ge=1, le=BIGGEST)],
    given: Present,
    desk: OneDesk,
    person: Person,
) -> DraftShape:
    """Save what the draft said in this version once more; what it says now is kept."""
    saved = await draft_history.take_over(desk, person, draft_id, given.version, version)
    return DraftShape.model_validate(saved)


@router.post("/{draft_id}/submit", openapi_extra=needs("draft"))
async def submit(draft_id: UUID, given: Handing, desk: OneDesk, person: Person) -> HandedIn:
    """Hand the draft in; a new item has its id, and asking again answers the same."""
    item = await drafts.submit(desk, person, draft_id, given.version, confirmed=given.confirmed)
    return HandedIn(id=item)
