"""The office's code table of topics, and the tags of an item."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from node.api.desk import Version
from node.api.permission import needs
from node.api.shapes import Shape
from node.http.session import OneDesk, Person
from node.workflow import tags, topics
from node.workflow.tags import Tags
from node.workflow.topics import Entry, Table

router = APIRouter(tags=["topics"])


class TopicsShape(BaseModel):
    """The code table that counts; version 0 where none was ever set."""

    model_config = ConfigDict(from_attributes=True)

    version: int
    topics: list[Entry]
    set_at: datetime | None
    set_by: str | None


class Tagging(Shape):
    """All the tags that an item is to have."""

    tags: Tags


@router.get("/topics", openapi_extra=needs("read_topics"))
async def table(desk: OneDesk, person: Person) -> TopicsShape:
    """The topics, in the order in which people choose; what is retired cannot be chosen."""
    return TopicsShape.model_validate(await topics.show(desk, person))


@router.put("/topics", openapi_extra=needs("configure_desk"))
async def set_table(given: Table, desk: OneDesk, person: Person) -> Version:
    """Let this table count from now on. What was in use is retired, and not left out."""
    return Version(version=await topics.set_table(desk, person, given))


@router.put("/items/{item_id}/tags", status_code=204, openapi_extra=needs("edit"))
async def set_tags(item_id: UUID, given: Tagging, desk: OneDesk, person: Person) -> None:
    """Let the item carry these tags, and no others."""
    await tags.set_tags(desk, person, item_id, given.tags)
