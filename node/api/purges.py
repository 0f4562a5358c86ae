"""Purges: erase an item's contents here and wherever it went, and see who did so."""

from __future__ import annotations

from datetime import datetime
from typing import Self
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from node.api.permission import needs
from node.api.shapes import Reason
from node.http.session import OneDesk, Person
from node.workflow import purges
from node.workflow.purges import Status

router = APIRouter(prefix="/items/{item_id}/purge", tags=["purges"])


class AnswerShape(BaseModel):
    """Another office. `purged_at` is empty until it has answered."""

    model_config = ConfigDict(from_attributes=True)

    office: str
    asked_at: datetime | None
    purged_at: datetime | None


class PurgeShape(BaseModel):
    """A purge, and where it was carried out."""

    model_config = ConfigDict(from_attributes=True)

    item_id: UUID
    reason: str
    actor: str
    at: datetime
    offices: list[AnswerShape]

    @classmethod
    def of(cls, status: Status) -> Self:
        return cls.model_validate(status)


@router.post("", status_code=202, openapi_extra=needs("purge"))
async def purge(item_id: UUID, given: Reason, desk: OneDesk, person: Person) -> PurgeShape:
    """Erase the contents here, for a reason, and ask every office that has them to do the same."""
    await purges.purge(desk, person, item_id, given.reason)
    return PurgeShape.of(await purges.status(desk, person, item_id))


@router.get("", openapi_extra=needs("purge"))
async def view_purge(item_id: UUID, desk: OneDesk, person: Person) -> PurgeShape:
    """Which offices were asked, and which have answered."""
    return PurgeShape.of(await purges.status(desk, person, item_id))
