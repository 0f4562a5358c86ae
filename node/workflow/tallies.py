"""Items of one year counted: handed in and adopted, by month, topic and level. Reads only.

An item counts in the month in which it was handed in here, and as adopted once, however many
offices adopted it; by level, once at each. An adoption that was retracted does not count, and
neither does an item that was combined here: its originals do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, func, not_, select
from sqlalchemy.orm import aliased

from node.storage.database import Session
from node.storage.events import Event
from node.storage.items import Item
from node.workflow import access
from node.workflow.calendar import OFFICE_TIME, day_of
from node.workflow.desk import Actor, Desk

MONTHS = range(1, 13)


@dataclass(frozen=True)
class Count:
    """How many were handed in, and how many of these were adopted somewhere."""

    submitted: int = 0
    adopted: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(self.submitted + other.submitted, self.adopted + other.adopted)


@dataclass(frozen=True)
class Tally:
    """What was counted. `levels` holds how many were adopted at each, where any were."""

    total: Count
    months: Mapping[int, Count]
    topics: Mapping[str, Count]
    levels: Mapping[str, int]


async def of(desk: Desk, actor: Actor, year: int | None = None) -> tuple[int, Tally]:
    """All items of the office in a year, this one where none is named."""
    access.demand(actor, "read_hierarchy")
    year = year or day_of(desk.clock()).year
    async with desk.database.reading() as session:
        return year, await count(session, year)


async def count(session: Session, year: int, *which: ColumnElement[bool]) -> Tally:
    """Those of them to which this applies."""
    wanted = and_(*of_year(year), Item.combined.is_(False), *which)
    groups = _month(year).label("month"), Item.topic
    handed_in = await session.execute(
        select(*groups, func.count()).where(wanted).group_by("month", Item.topic)
    )
    taken = _adoptions(year, wanted).subquery().c
    items = func.count(taken.id.distinct())
    adopted = await session.execute(
        select(taken.month, taken.topic, items).group_by(taken.month, taken.topic)
    )
    levels = await session.execute(select(taken.level, items).group_by(taken.level))
    months, topics = dict.fromkeys(MONTHS, Count()), dict[str, Count]()
    for month, topic, many in handed_in:
        months[month] += Count(many)
        topics[topic] = topics.get(topic, Count()) + Count(many)
    for month, topic, many in adopted:
        months[month] += Count(0, many)
        topics[topic] += Count(0, many)
    total = sum(months.values(), Count())
    return Tally(total, months, topics, {str(level): many for level, many in levels})


def of_year(year: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """What was handed in during this year of the office."""
    return Item.created_at >= _start(year, 1), Item.created_at < _start(year + 1, 1)


def _start(year: int, month: int) -> datetime:
    return datetime(year, month, 1, tzinfo=OFFICE_TIME)


def _month(year: int) -> ColumnElement[int]:
    # Both databases would take the month of UTC.
    ends = [(Item.created_at < _start(year, when + 1), when) for when in MONTHS[:-1]]
    return case(*ends, else_=MONTHS[-1])


def _adoptions(year: int, wanted: ColumnElement[bool]) -> Select[tuple[UUID, int, str, str]]:
    """A row for each adoption that holds."""
    later = aliased(Event)
    retracted = (
        select(later.id)
        .where(
            later.item_id == Event.item_id,
            later.office == Event.office,
            later.about == Event.about,
            later.kind == "adoption_retracted",
            later.sequence > Event.sequence,
        )
        .exists()
    )
    return (
        select(
            Item.id,
            _month(year).label("month"),
            Item.topic.label("topic"),
            Event.data["office"]["level"].as_string().label("level"),
        )
        .join(Event, Event.item_id == Item.id)
        .where(wanted, Event.kind == "adopted", not_(retracted))
    )
