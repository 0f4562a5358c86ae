"""How long the server takes for each page of a big office (`office`), with very many items.

The pages are those of the table that the browser's tests walk (`tests/browser/pages`), each for all
who look at it, as if all were at this one office, over its own application without a network. Each
is asked for once before the clock runs: what a process builds at its first page is not measured. A
page that answers otherwise than the table says is no figure but an error.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import text

from node.storage.database import Database, gather_statistics
from tests.bench import finding, office
from tests.bench.finding import spread
from tests.browser.pages import PAGES, Look
from tests.node import rooms
from tests.node.browser import visit
from tests.node.rooms import Clock, Room
from tests.offices import DEPTH_3
from tests.servers.postgres import Postgres

TIMES = 20
INDEXED = 5_000
"""Of so many items words are found here; `finding` measures it with all of them."""
PLAN = DEPTH_3
OFFICE = "yunzhou"
"""It stands between others: offices below it, and one above."""


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
    made: list[str] = []

    async def make_database(office: str) -> str:
        made.append(f"bench_pages_{office}")
        return await postgres.create_database(made[-1])

    with tempfile.TemporaryDirectory(prefix="zhitong-bench-") as folder:
        make = None if sqlite else make_database
        tree = await rooms.set_up(Path(folder), PLAN, make_database=make)
        await tree.stop()
        clock = Clock()
        node = tree.open(OFFICE, half="web", clock=clock)
        database = node.desk.database
        try:
            room = await rooms.enter(node, clock)
            things = await office.fill(room, items)
            await finding.index_newest(database, INDEXED)
            await settle(database)
            found = await opened(room, things)
        finally:
            await database.close()
            for name in made:
                await postgres.drop_database(name)
    return Served(items, "SQLite" if sqlite else "PostgreSQL", found)


async def opened(room: Room, things: Mapping[str, object]) -> dict[str, list[float]]:
    """Milliseconds of each page, for each person once a thing."""
    return {look.name: await _opened(room, look, path) for look, path in _looks(things)}


def _looks(things: Mapping[str, object]) -> Iterator[tuple[Look, str]]:
    """Who looks at what. What nobody looks at by itself is a part of a page, or leads to one."""
    seen: set[tuple[str | None, str]] = set()
    for page in PAGES:
        for look in page.looks or (Look(page.route, "editor", answer=page.answer),):
            path = look.path(page, things)
            if (look.username, path) not in seen:
                seen.add((look.username, path))
                yield look, path


async def settle(database: Database) -> None:
    """Statistics, as the database or the running node gathers them now and then."""
    await gather_statistics(database)
    if database.is_postgresql:
        async with database.engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            await connection.execute(text("VACUUM ANALYZE"))


async def _opened(room: Room, look: Look, path: str) -> list[float]:
    spent: list[float] = []
    async with visit(room, look.username) as client:
        for _ in range(TIMES + 1):
            began = time.perf_counter()
            answer = await client.get(path)
            spent.append((time.perf_counter() - began) * 1_000)
            told = f"{look.name} at {path}: {answer.status_code}, not {look.answer}"
            assert answer.status_code == look.answer, told
    return spent[1:]
