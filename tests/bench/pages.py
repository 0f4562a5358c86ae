"""How long the server takes for each page, with very many items in the office.

The pages are those of the table that the browser's tests walk (`tests/browser/pages`), each for
those who look at it at the county, over the office's own application without a network. Each is
asked for once before the clock runs: what a process builds at its first page is not measured.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select, text

from node.storage.database import Database, gather_statistics
from node.storage.items import ItemAuthor
from tests.bench import many
from tests.bench.finding import spread
from tests.browser.pages import PAGES, Look, Page
from tests.node import rooms
from tests.node.browser import visit
from tests.node.rooms import Clock, Room
from tests.offices import DONGHU
from tests.servers.postgres import Postgres

TIMES = 20
OFFICE = "donghu"


@dataclass(frozen=True)
class Served:
    """Milliseconds of each page, by who looks at it."""

    items: int
    database: str
    milliseconds: dict[str, list[float]]

    @property
    def spreads(self) -> dict[str, dict[str, float]]:
        """Median and tail of each page."""
        return {name: spread(spent) for name, spent in self.milliseconds.items()}

    @property
    def slowest(self) -> float:
        """The highest of the medians."""
        return max(spent["median"] for spent in self.spreads.values())

    def as_json(self) -> dict[str, Any]:
        """Medians and tails; not every single figure."""
        return asdict(self) | {"milliseconds": self.spreads}


def measure(postgres: Postgres, *, items: int, sqlite: bool) -> Served:
    """Fill an office's database with so many items, and open its pages."""
    return asyncio.run(_measure(postgres, items, sqlite))


async def _measure(postgres: Postgres, items: int, sqlite: bool) -> Served:
    name = "bench_pages"

    async def make_database(_: str) -> str:
        return await postgres.create_database(name)

    with tempfile.TemporaryDirectory(prefix="zhitong-bench-") as folder:
        made = None if sqlite else make_database
        tree = await rooms.set_up(Path(folder), DONGHU, make_database=made)
        node, database = tree.nodes[OFFICE], tree.nodes[OFFICE].desk.database
        try:
            await many.fill(node.desk, items)
            await _settle(database)
            room = await rooms.enter(node, Clock())
            found = {look.name: await _opened(room, page, look) for page, look in _looks()}
        finally:
            await database.close()
            if not sqlite:
                await postgres.drop_database(name)
    return Served(items, "SQLite" if sqlite else "PostgreSQL", found)


def _looks() -> Iterator[tuple[Page, Look]]:
    """Each page once for each person: which item is looked at makes no difference here."""
    seen: set[tuple[str, str | None, str]] = set()
    for page in PAGES:
        for look in page.looks:
            key = page.route, look.username, look.query
            if look.office == OFFICE and key not in seen:
                seen.add(key)
                yield page, look


async def _settle(database: Database) -> None:
    """Statistics, as the database or the running node gathers them now and then."""
    await gather_statistics(database)
    if database.is_postgresql:
        async with database.engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            await connection.execute(text("VACUUM ANALYZE"))


async def _opened(room: Room, page: Page, look: Look) -> list[float]:
    async with room.database.reading() as session:
        item = await session.scalar(select(ItemAuthor.item_id).limit(1))
    assert item is not None
    # What is not an item is not there, and answers so; the same item stands for all that are.
    stands = {"queue": "candidates"}
    things = {name: stands.get(name, item) for name in (look.thing, "fresh", "similar")}
    spent: list[float] = []
    async with visit(room, look.username) as client:
        for _ in range(TIMES + 1):
            began = time.perf_counter()
            answer = await client.get(look.path(page, things))
            spent.append((time.perf_counter() - began) * 1_000)
            assert answer.status_code < 500, f"{look.name}: {answer.status_code}"
    return spent[1:]
