"""What became of an author's items in one year, counted. Reads only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from node.storage.items import Item, ItemAuthor
from node.workflow import access
from node.workflow.calendar import day_of
from node.workflow.desk import Actor, Desk
from node.workflow.numbers import OFFICE_TIME

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
    items: Sequence[Item]


async def of(desk: Desk, actor: Actor, year: int | None = None) -> Yearbook:
    """The actor's own items of the year, this one where none is named."""
    access.demand(actor, "rate")
    year = year or day_of(desk.clock()).year
    since = datetime(year, 1, 1, tzinfo=OFFICE_TIME)
    until = datetime(year + 1, 1, 1, tzinfo=OFFICE_TIME)
    query = (
        select(Item)
        .join(ItemAuthor, ItemAuthor.item_id == Item.id)
        .where(
            ItemAuthor.person_id == actor.id,
            Item.created_at >= since,
            Item.created_at < until,
        )
        .order_by(Item.created_at.desc(), Item.id.desc())
    )
    async with desk.database.reading() as session:
        items = (await session.scalars(query)).all()
    adopted: Counter[str] = Counter()
    for item in items:
        # Two offices of one level count as one: the item was adopted there.
        adopted.update({kept["level"] for kept in item.standings.values() if _adopted(kept)})
    return Yearbook(
        year,
        len(items),
        {level: adopted[level] for level in ORDER if adopted[level]},
        sum(_any(item, "instructed") for item in items),
        sum(_any(item, "implemented") for item in items),
        items,
    )


def _adopted(kept: Mapping[str, object]) -> bool:
    kinds = kept["kinds"]
    return kept["state"] == "adopted" or (isinstance(kinds, list) and "adopted" in kinds)


def _any(item: Item, kind: str) -> bool:
    return any(kind in kept["kinds"] for kept in item.standings.values())
