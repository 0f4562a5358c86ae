"""Two offices of the product, a county and its city, and what is placed between them.

Each is a process of its own started by the command line (`zhitong serve --only relay`). Their
databases are also opened here, to place messages into the county's outbox and to count.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select

from node.storage.messages import Incoming, Outgoing
from node.workflow import outbox
from node.workflow.desk import Desk
from protocol.identifiers import NodeId
from protocol.messages.items import Author, Submission
from tests import offices
from tests.bench import bodies
from tests.offices import DEPTH_2
from tests.servers.postgres import Postgres

COUNTY, CITY = "donghu", "yunzhou"
START_SECONDS = 60.0
SQLITE = "sqlite+aiosqlite:///zhitong.sqlite"


@dataclass(frozen=True)
class Pair:
    """The two offices, set up and not running."""

    folder: Path
    county: Desk
    city: Desk

    def running(self, office: str) -> AbstractAsyncContextManager[Process]:
        """The office's relay, for as long as the block lasts."""
        return _running(self.folder / office)

    async def place(self, count: int) -> float:
        """Fill the county's outbox; when the commit was done, which wakes the relay."""
        async with self.county.database.writing.begin() as session:
            for item in _submissions(self.county, count):
                subject = self.county.new_id()
                now = item.submitted_at
                outbox.post(session, self.county, item, to=NodeId(CITY), now=now, subject=subject)
        return time.monotonic()

    async def placed(self) -> int:
        """How many messages the county ever had to send, all of them for the city."""
        async with self.county.database.reading() as session:
            return await session.scalar(select(func.count()).select_from(Outgoing)) or 0

    async def received(self) -> int:
        """Of how many messages the county knows that the city has them."""
        query = select(func.count()).select_from(Outgoing).where(Outgoing.state == "received")
        async with self.county.database.reading() as session:
            return await session.scalar(query) or 0

    async def taken_in(self) -> int:
        """How many messages the city took in."""
        async with self.city.database.reading() as session:
            return await session.scalar(select(func.count()).select_from(Incoming)) or 0

    async def until_received(self, wanted: int, what: str) -> None:
        """Wait until the county knows of so many, and say how far it is."""
        async with asyncio.timeout(START_SECONDS + wanted / 20):
            while (done := await self.received()) < wanted:
                print(f"\r{what}: {done:,} of {wanted:,}", end="", file=sys.stderr, flush=True)
                await asyncio.sleep(0.1)
        print(f"\r{what}: {wanted:,} of {wanted:,}", file=sys.stderr, flush=True)

    async def demand_taken_in(self, wanted: int) -> None:
        """Raises unless the city took in exactly so many."""
        if (found := await self.taken_in()) != wanted:
            raise RuntimeError(f"the city took in {found} messages instead of {wanted}")


@asynccontextmanager
async def opened(
    broker: str,
    management: str,
    postgres: Postgres,
    *,
    databases: Mapping[str, str] | None = None,
) -> AsyncIterator[Pair]:
    """Both offices on PostgreSQL, but for those whose database is named."""
    made: list[str] = []

    async def make_database(office: str) -> str:
        if named := (databases or {}).get(office):
            return named
        made.append(f"bench_{office}")
        return await postgres.create_database(made[-1])

    with tempfile.TemporaryDirectory(prefix="zhitong-bench-") as folder:
        tree = await offices.build(
            Path(folder),
            DEPTH_2,
            make_database=make_database,
            broker=broker,
            management=management,
            relay={"receipt_within": 30.0, "first_probe": 30.0},
        )
        desks = [tree.nodes[office].desk for office in (COUNTY, CITY)]
        try:
            yield Pair(tree.folder, *desks)
        finally:
            for node in tree.nodes.values():
                await node.desk.database.close()
            for name in made:
                await postgres.drop_database(name)


def _submissions(desk: Desk, count: int) -> Iterator[Submission]:
    now = desk.clock()
    for number, body in enumerate(bodies.bodies(count)):
        yield Submission(
            edition=1,
            title=f"关于农村供水管网改造的建议（{number}）",
            body=body.decode(),
            authors=(Author(name="林晓雨", kind="informant", unit="东湖县团结街道"),),
            topic="agriculture",
            urgency="normal",
            classification="internal",
            origin=desk.office,
            submitted_at=now,
        )


@asynccontextmanager
async def _running(folder: Path) -> AsyncIterator[Process]:
    arguments = ["serve", str(folder), "--only", "relay", "--no-migrate", "--log-level", "error"]
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "node", *arguments)
    try:
        yield process
    finally:
        process.terminate()
        await process.wait()
