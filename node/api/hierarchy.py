"""The offices below as a tree, with what came from each and how the links stand."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from node.api.link_shapes import Answer, BacklogShape
from node.api.permission import needs
from node.http.session import OneDesk, Person
from node.workflow import hierarchy

router = APIRouter(tags=["hierarchy"])


class CountsShape(Answer):
    """Items of the year, and how they stand at this office."""

    received: int
    adopted: int
    waiting: int


class StateShape(Answer):
    """How the link to an office directly below stands."""

    backlog: BacklogShape
    heard_at: datetime | None
    silent_since: datetime | None
    certificate_until: datetime | None


class BranchShape(Answer):
    """An office below; `link` is null where its link belongs to another hub."""

    office: str
    name: str
    level: str
    counts: CountsShape
    link: StateShape | None
    below: list[BranchShape]


class TreeShape(Answer):
    """The whole tree of one year."""

    year: int
    own: CountsShape
    total: CountsShape
    branches: list[BranchShape]


@router.get("/hierarchy", openapi_extra=needs("read_hierarchy"))
async def tree(
    desk: OneDesk,
    person: Person,
    year: Annotated[int | None, Query(ge=1949, le=9998)] = None,
) -> TreeShape:
    """The offices below, with the items of a year, this one where none is named."""
    return TreeShape.model_validate(await hierarchy.of(desk, person, year))
