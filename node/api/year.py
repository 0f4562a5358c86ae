"""A year in numbers: an author's own items, and all items of the office."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from node.api.link_shapes import Answer
from node.api.permission import needs
from node.http.session import OneDesk, Person
from node.workflow import tallies, yearbook
from node.workflow.points import Kind, Points
from node.workflow.tallies import Tally

router = APIRouter(tags=["year"])

Year = Annotated[int | None, Query(ge=1949, le=9998)]


class CountShape(Answer):
    """How many items were handed in, and how many of these were adopted somewhere."""

    submitted: int
    adopted: int


class TallyShape(Answer):
    """Items by month, topic, and level at which they were adopted."""

    total: CountShape
    months: dict[int, CountShape]
    topics: dict[str, CountShape]
    levels: dict[str, int]


class OverviewShape(BaseModel):
    """All items of the office in a year."""

    year: int
    tally: TallyShape

    @classmethod
    def of(cls, year: int, tally: Tally) -> Self:
        return cls(year=year, tally=TallyShape.model_validate(tally))


class LineShape(Answer):
    """What brought points; `counts` is false below the highest level, where that counts alone."""

    kind: Kind
    level: str
    worth: Decimal
    counts: bool


class CountedShape(BaseModel):
    """An item, and the author's points for it; `part` is a fraction such as `1/3`."""

    id: UUID
    title: str
    lines: list[LineShape]
    part: str
    points: Decimal


class PointsShape(BaseModel):
    """An author's points of a year, by the rules of this version."""

    total: Decimal
    items: list[CountedShape]
    version: int

    @classmethod
    def of(cls, found: Points) -> Self:
        items = [
            CountedShape(
                id=one.id,
                title=one.title,
                lines=[LineShape.model_validate(line) for line in one.lines],
                part=str(one.part),
                points=one.points,
            )
            for one in found.items
        ]
        return cls(total=found.total, items=items, version=found.rules.version)


class YearShape(BaseModel):
    """What an author handed in within a year, and what came of it.

    `heard`: on how many items a leader wrote; `implemented`: of how many something came. `points`
    is null at an office without rules for them.
    """

    year: int
    tally: TallyShape
    heard: int
    implemented: int
    points: PointsShape | None


@router.get("/overview", openapi_extra=needs("read_hierarchy"))
async def overview(desk: OneDesk, person: Person, year: Year = None) -> OverviewShape:
    """What came to the office within a year, this one where none is named."""
    return OverviewShape.of(*await tallies.of(desk, person, year))


@router.get("/year", openapi_extra=needs("rate"))
async def own_year(desk: OneDesk, person: Person, year: Year = None) -> YearShape:
    """The author's own items of a year, this one where none is named."""
    book = await yearbook.of(desk, person, year)
    return YearShape(
        year=book.year,
        tally=TallyShape.model_validate(book.tally),
        heard=book.heard,
        implemented=book.implemented,
        points=PointsShape.of(book.points) if book.points else None,
    )
