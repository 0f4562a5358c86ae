"""The product's hop: office A's outbox in PostgreSQL → quorum queue → office B's inbox, item,
edition, events and audit in PostgreSQL → signed receipt → A's outbox row `received`.

Two offices, a county and its city, each a process of its own started by the command line
(`zhitong serve --only relay`). The messages are placed into A's outbox in one transaction while
both run; the clock runs from that commit to the last receipt.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import func, select

from node.storage import wake
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


def measure(broker: str, management: str, postgres: Postgres, *, count: int) -> float:
    """Messages per second over one hop, receipts included."""
    return asyncio.run(_measure(broker, management, postgres, count))


async def _measure(broker: str, management: str, postgres: Postgres, count: int) -> float:
    made: list[str] = []

    async def make_database(office: str) -> str:
        made.append(f"hop_{office}")
        return await postgres.create_database(made[-1])

    with tempfile.TemporaryDirectory(prefix="zhitong-bench-") as folder:
        tree = await offices.build(
            Path(folder),
            DEPTH_2,
            make_database=make_database,
            broker=broker,
            management=management,
            relay={"poll": 2.0, "receipt_within": 30.0},
        )
        county, city = tree.nodes[COUNTY].desk, tree.nodes[CITY].desk
        try:
            async with _running(tree.folder / CITY), _running(tree.folder / COUNTY):
                # One message first, so that the connections stand.
                await _place(county, 1)
                await _until(lambda: _count(county, 1), "the first message")
                began = await _place(county, count)
                await _until(lambda: _count(county, count + 1), "the burst", county, count)
                elapsed = time.monotonic() - began
            await _demand_taken_in(city, count + 1)
        finally:
            await county.database.close()
            await city.database.close()
            for name in made:
                await postgres.drop_database(name)
    return count / elapsed


async def _place(desk: Desk, count: int) -> float:
    """Fill the outbox; when the commit was done, before anyone was woken."""
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        for number, body in enumerate(bodies.bodies(count)):
            item = Submission(
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
            outbox.post(session, desk, item, to=NodeId(CITY), now=now, subject=desk.new_id())
    committed = time.monotonic()
    await wake.notify(desk.database, "outbox")
    return committed


async def _count(desk: Desk, wanted: int) -> bool:
    return await _received(desk) >= wanted


async def _received(desk: Desk) -> int:
    query = select(func.count()).select_from(Outgoing).where(Outgoing.state == "received")
    async with desk.database.reading() as session:
        return await session.scalar(query) or 0


async def _demand_taken_in(desk: Desk, wanted: int) -> None:
    async with desk.database.reading() as session:
        found = await session.scalar(select(func.count()).select_from(Incoming))
    if found != wanted:
        raise RuntimeError(f"the city took in {found} messages instead of {wanted}")


async def _until(
    condition: Callable[[], Awaitable[bool]], what: str, desk: Desk | None = None, total: int = 0
) -> None:
    async with asyncio.timeout(START_SECONDS + total / 20):
        while not await condition():
            if desk is not None:
                done = await _received(desk)
                print(f"\rthe hop: {done:,} of {total:,}", end="", file=sys.stderr, flush=True)
            await asyncio.sleep(0.1)
    if desk is not None:
        print(file=sys.stderr, flush=True)


@asynccontextmanager
async def _running(folder: Path) -> AsyncIterator[None]:
    arguments = ["serve", str(folder), "--only", "relay", "--no-migrate", "--log-level", "error"]
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "node", *arguments)
    try:
        yield
    finally:
        process.terminate()
        await process.wait()
