"""What became of an author's items in one year, counted. Reads only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from node.storage.items import Item, ItemAuthor
from node.workflow import access
from node.workflow.calendar import day_of
from node.workflow.desk import Actor, Desk
from node.workflow.numbers import OFFICE_TIME
from node.workflow.reading import PAGE

ORDER = ("county", "city", "province", "nation")


@dataclass(frozen=True)
class Yearbook:
    """Whole items, each counted once at every office that did this with it.

    `adopted` by level; `heard`: items on which a leader wrote; `implemented`: something came of it.
    """

    year: int
    submitted: int
    adopted: Mapping[str, int]
    heard: int
    implemented: int
    newest: Sequence[Item]
    """The newest of them."""


async def of(desk: Desk, actor: Actor, year: int | None = None) -> Yearbook:
    """The actor's own items of the year, this one where none is named."""
    access.demand(actor, "rate")
    year = year or day_of(desk.clock()).year
    since = datetime(year, 1, 1, tzinfo=OFFICE_TIME)
    until = datetime(year + 1, 1, 1, tzinfo=OFFICE_TIME)
    mine = (
        Item.id.in_(select(ItemAuthor.item_id).where(ItemAuthor.person_id == actor.id)),
        Item.created_at >= since,
        Item.created_at < until,
    )
    query = select(Item).where(*mine).order_by(Item.created_at.desc(), Item.id.desc())
    async with desk.database.reading() as session:
        newest = (await session.scalars(query.limit(PAGE))).all()
        ways = (await session.scalars(select(Item.standings).where(*mine))).all()
    adopted: Counter[str] = Counter()
    for way in ways:
        # Two offices of one level count as one: the item was adopted there.
        adopted.update({kept["level"] for kept in way.values() if _adopted(kept)})
    return Yearbook(
        year,
        len(ways),
        {level: adopted[level] for level in ORDER if adopted[level]},
        sum(_any(way, "instructed") for way in ways),
        sum(_any(way, "implemented") for way in ways),
        newest,
    )


def _adopted(kept: Mapping[str, object]) -> bool:
    kinds = kept["kinds"]
    return kept["state"] == "adopted" or (isinstance(kinds, list) and "adopted" in kinds)


def _any(way: Mapping[str, Mapping[str, Any]], kind: str) -> bool:
    return any(kind in kept["kinds"] for kept in way.values())
