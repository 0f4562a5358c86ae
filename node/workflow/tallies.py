"""Items of one year counted: handed in and adopted, by month, topic and level. Reads only.

An item counts in the month in which it was handed in here, and as adopted once, however many
offices adopted it; by level, once at each. An adoption that was retracted does not count, and
neither does an item that was combined here: its originals do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, not_, select
from sqlalchemy.orm import aliased

from node.storage.database import Session
from node.storage.events import Event
from node.storage.items import Item
from node.workflow import access
from node.workflow.calendar import OFFICE_TIME, day_of
from node.workflow.desk import Actor, Desk

MONTHS = range(1, 13)
LEVELS = ("street", "county", "city", "province", "nation")


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
    items = _items(year, wanted).subquery().c
    sums = [func.sum(items[level]) for level in LEVELS]
    rows = await session.execute(
        select(items.month, items.topic, func.count(), func.sum(items.somewhere), *sums).group_by(
            items.month, items.topic
        )
    )
    months, topics = dict.fromkeys(MONTHS, Count()), dict[str, Count]()
    levels = dict.fromkeys(LEVELS, 0)
    for month, topic, submitted, adopted, *at_levels in rows:
        counted = Count(submitted, adopted)
        months[month] += counted
        topics[topic] = topics.get(topic, Count()) + counted
        for level, many in zip(LEVELS, at_levels, strict=True):
            levels[level] += many
    total = sum(months.values(), Count())
    return Tally(total, months, topics, {level: many for level, many in levels.items() if many})


def of_year(year: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """What was handed in during this year of the office."""
    return Item.created_at >= _start(year, 1), Item.created_at < _start(year + 1, 1)


def _start(year: int, month: int) -> datetime:
    return datetime(year, month, 1, tzinfo=OFFICE_TIME)


def _month(year: int) -> ColumnElement[int]:
    # Both databases would take the month of UTC.
    ends = [(Item.created_at < _start(year, when + 1), when) for when in MONTHS[:-1]]
    return case(*ends, else_=MONTHS[-1])


def holds() -> ColumnElement[bool]:
    """That the event is an adoption which its office did not retract."""
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
    return and_(Event.kind == "adopted", not_(retracted))


def _items(year: int, wanted: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """A row for each item: whether it was adopted somewhere, and at which levels."""
    held = (
        select(Item.id.label("id"), level_of().label("level"))
        .join(Event, Event.item_id == Item.id)
        .where(wanted, holds())
        .distinct()
        .subquery()
        .c
    )
    at = [func.max(case((held.level == one, 1), else_=0)).label(one) for one in LEVELS]
    return (
        select(
            _month(year).label("month"),
            Item.topic.label("topic"),
            func.max(case((held.id.is_not(None), 1), else_=0)).label("somewhere"),
            *at,
        )
        .select_from(Item)
        .outerjoin(held.id.table, held.id == Item.id)
        .where(wanted)
        .group_by(Item.id, Item.topic, Item.created_at)
    )


def level_of() -> ColumnElement[str]:
    """The level of the office whose event it is, as it was then."""
    level: ColumnElement[str] = Event.data["office", "level"].as_string()
    return level
