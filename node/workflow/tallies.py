"""Items of one year counted: handed in and adopted, by month, topic and level. Reads only.

An item counts in the month in which it was handed in here, and as adopted once, however many
offices adopted it; by level, once at each. An adoption that was retracted does not count, and
neither does an item that was combined here: its originals do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from sqlalchemy import ColumnElement, and_, func, not_, select
from sqlalchemy.orm import aliased

from node.storage.database import Session
from node.storage.events import Event
from node.storage.items import Item
from node.workflow import access
from node.workflow.calendar import day_of
from node.workflow.desk import Actor, Desk

MONTHS = range(1, 13)

Level = Literal["street", "county", "city", "province", "nation"]
LEVELS: tuple[Level, ...] = get_args(Level)
"""The usual ones, from the lowest to the highest."""


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
    """Those of them to which this applies; of all items, out of the index alone."""
    rows = await session.execute(
        select(Item.month, Item.topic, Item.adopted_by, func.count())
        .where(Item.year == year, Item.combined.is_(False), *which)
        .group_by(Item.month, Item.topic, Item.adopted_by)
    )
    months, topics = dict.fromkeys(MONTHS, Count()), dict[str, Count]()
    levels: dict[str, int] = {}
    for month, topic, adopted_by, many in rows:
        found = Count(many, many if adopted_by else 0)
        months[month] += found
        topics[topic] = topics.get(topic, Count()) + found
        for level in adopted_by.split():
            levels[level] = levels.get(level, 0) + many
    return Tally(sum(months.values(), Count()), months, topics, levels)


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
