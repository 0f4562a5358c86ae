"""How long it takes to find words, and items like a text, among very many in one office.

The items are put together from the sentences of the labelled pairs and of the demo, with places and
figures of their own, so that every word stands in many of them and no two are copies. They are
written as if they had come in over two years, and indexed by the node's own step, at full speed.
Then the clock runs over what a person would ask for: words of one, two and more characters, rare
and common, with and without filters; and drafts, some of them copies of what is there.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, select, text

from node.search import index
from node.storage.database import Database
from node.storage.search import SearchPending
from node.workflow import searching
from node.workflow.desk import Actor, Desk
from node.workflow.duplicates import of_draft
from node.workflow.searching import Wanted
from tests import offices
from tests.bench import many
from tests.node.search import labelled
from tests.node.search.quality import demo
from tests.offices import DONGHU
from tests.servers.postgres import Postgres

QUERIES: tuple[tuple[str, Wanted], ...] = (
    ("电梯", Wanted()),
    ("加装电梯", Wanted()),
    ("老旧小区 充电", Wanted()),
    ("建议", Wanted()),
    ("停车", Wanted(topic="city", state="registered")),
    ("网格员", Wanted(since=None)),
    ("云山蜜橘", Wanted()),
    ("梯", Wanted()),
    ("长期护理保险 护士", Wanted()),
    ("12345", Wanted()),
    ("2026-0815", Wanted()),
    ("李国栋", Wanted()),
    ("", Wanted(topic="economy", urgency="urgent")),
    ("没有人写过的字词", Wanted()),
)
TIMES = 8


@dataclass(frozen=True)
class Finding:
    """Milliseconds of each question, and what the index costs."""

    items: int
    database: str
    indexed_per_second: float
    bytes_per_item: float
    milliseconds: dict[str, list[float]]
    """Of each question, by part."""

    @property
    def spreads(self) -> dict[str, dict[str, float]]:
        """Median and tail of each part that was measured."""
        return {part: spread(spent) for part, spent in self.milliseconds.items() if spent}

    def as_json(self) -> dict[str, Any]:
        """Medians and tails; not every single figure."""
        return asdict(self) | {"milliseconds": self.spreads}


def spread(milliseconds: Sequence[float]) -> dict[str, float]:
    """Median and tail."""
    return {
        "median": statistics.median(milliseconds),
        "p95": statistics.quantiles(milliseconds, n=20)[-1],
        "longest": max(milliseconds),
    }


def measure(postgres: Postgres, *, items: int, sqlite: bool, parts: Collection[str]) -> Finding:
    """Fill an office's database with so many items, and ask."""
    return asyncio.run(_measure(postgres, items, sqlite, parts))


async def _measure(postgres: Postgres, items: int, sqlite: bool, parts: Collection[str]) -> Finding:
    name = "bench_finding"

    async def make_database(_: str) -> str:
        return await postgres.create_database(name)

    with tempfile.TemporaryDirectory(prefix="zhitong-bench-") as folder:
        made = None if sqlite else make_database
        tree = await offices.build(Path(folder), DONGHU, make_database=made)
        desk = tree.nodes["donghu"].desk
        editor = await tree.actor("donghu")
        try:
            await many.fill(desk, items)
            before = await _size(desk.database)
            rate = await index_newest(desk.database, items)
            size = await _size(desk.database) - before
            asked = await _search(desk, editor) if "search" in parts else []
            similar = await _similar(desk, editor) if "duplicates" in parts else []
        finally:
            await desk.database.close()
            if not sqlite:
                await postgres.drop_database(name)
    return Finding(
        items=items,
        database="SQLite" if sqlite else "PostgreSQL",
        indexed_per_second=rate,
        bytes_per_item=size / items,
        milliseconds={"search": asked, "duplicates": similar},
    )


async def index_newest(database: Database, count: int) -> float:
    """Index the newest of what waits for it, at full speed; items a second."""
    async with database.writing.begin() as session:
        last = select(func.max(SearchPending.number)).scalar_subquery()
        await session.execute(delete(SearchPending).where(SearchPending.number <= last - count))
    began, done = time.monotonic(), 0
    while taken := await index.step(database):
        done += taken
        if done % many.CHUNK < taken:
            many.tell(f"indexed: {done:,} of {count:,}")
    print(file=sys.stderr)
    elapsed = time.monotonic() - began
    if database.is_postgresql:
        # As its autovacuum does now and then.
        async with database.engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            await connection.execute(text("VACUUM ANALYZE"))
    return count / elapsed


async def _size(database: Database) -> int:
    query = (
        "SELECT pg_database_size(current_database())"
        if database.is_postgresql
        else "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    )
    async with database.reading() as session:
        return int(await session.scalar(text(query)) or 0)


async def _search(desk: Desk, editor: Actor) -> list[float]:
    return [
        await _timed(lambda q=query, w=wanted: searching.search(desk, editor, q, w))
        for _ in range(TIMES)
        for query, wanted in QUERIES
    ]


async def _similar(desk: Desk, editor: Actor) -> list[float]:
    drafts = [pair.second for pair in labelled.pairs(labelled.HELD_OUT) if pair.kind == "copied"]
    drafts += demo()
    return [
        await _timed(lambda d=draft: of_draft(desk, editor, d.title, d.body[:2_000]))
        for draft in drafts
    ]


async def _timed(work: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await work()
    return (time.perf_counter() - began) * 1_000
