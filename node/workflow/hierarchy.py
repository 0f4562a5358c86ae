"""The offices below as a tree: what came from each in a year, and how the links stand. Reads only.

Of offices that stand below another hub this one knows what it was sent of theirs, and nothing of
their links: those belong to the hub that serves them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from sqlalchemy import Select, func, select

from node.storage.items import Item
from node.storage.offices import Office
from node.workflow import access, links
from node.workflow.calendar import day_of
from node.workflow.desk import Actor, Desk
from node.workflow.links import LinkView


@dataclass(frozen=True)
class Counts:
    """Items that came in during the year, and how they stand at this office."""

    received: int = 0
    adopted: int = 0
    waiting: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.received + other.received,
            self.adopted + other.adopted,
            self.waiting + other.waiting,
        )


@dataclass(frozen=True)
class Branch:
    """An office with those below it. `counts` covers everything that came through it.

    `link` is None where this office has no link to it. Of `below`, only those are known whose items
    came here.
    """

    office: str
    name: str
    level: str
    counts: Counts
    link: LinkView | None = None
    below: Sequence[Branch] = ()


@dataclass(frozen=True)
class Tree:
    """The offices below this one. `own` counts what was written here, `total` everything."""

    year: int
    own: Counts
    total: Counts
    branches: Sequence[Branch]


class _Row(NamedTuple):
    source: str | None
    office: str
    received: int
    adopted: int
    waiting: int
    origin: Mapping[str, str] | None
    """The office, where the items were sent."""

    @property
    def counts(self) -> Counts:
        return Counts(self.received, self.adopted, self.waiting)


async def of(desk: Desk, actor: Actor, year: int | None = None) -> Tree:
    """The tree, with the items of one year, this one where none is named."""
    access.demand(actor, "read_hierarchy")
    year = year or day_of(desk.clock()).year
    async with desk.database.reading() as session:
        rows = [_Row._make(row) for row in await session.execute(_counted(year))]
        views = {view.peer: view for view in await links.views(session)}
        known = (await session.scalars(select(Office).where(Office.relation != "self"))).all()
    by_source: dict[str, list[_Row]] = defaultdict(list)
    for row in rows:
        if row.source is not None:
            by_source[row.source].append(row)
    branches = [
        _branch(office, by_source.get(office.id, ()), views)
        for office in known
        if office.relation == "child" or office.id in by_source
    ]
    own = _sum(row.counts for row in rows if row.source is None)
    total = own + _sum(branch.counts for branch in branches)
    return Tree(year, own, total, sorted(branches, key=lambda branch: branch.office))


def _counted(year: int) -> Select[tuple[str | None, str, int, int, int, dict[str, Any] | None]]:
    """Grouped by who sent the items and where they were written, out of the index alone.

    An office may have been renamed within the year: it is called as it was when the newest came.
    """
    counted = (
        select(
            Item.source,
            Item.origin_office,
            func.count().label("received"),
            func.count().filter(Item.adopted).label("adopted"),
            func.count().filter(Item.waiting).label("waiting"),
        )
        .where(Item.year == year)
        .group_by(Item.source, Item.origin_office)
        .subquery()
    )
    newest = (
        select(Item.origin)
        .where(
            Item.year == year,
            Item.source == counted.c.source,
            Item.origin_office == counted.c.origin_office,
        )
        .order_by(Item.created_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    return select(*counted.c, newest)


def _branch(office: Office, rows: Iterable[_Row], views: Mapping[str, LinkView]) -> Branch:
    rows = sorted(rows, key=lambda row: row.office)
    made = Branch(
        office.id,
        office.name,
        office.level,
        _sum(row.counts for row in rows),
        views.get(office.id) if office.relation == "child" else None,
    )
    below = [
        Branch(row.office, row.origin["name"], row.origin["level"], row.counts)
        for row in rows
        if row.office != office.id and row.origin is not None
    ]
    return replace(made, below=below)


def _sum(counts: Iterable[Counts]) -> Counts:
    return sum(counts, Counts())
