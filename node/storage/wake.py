"""Waking a loop in another process: LISTEN and NOTIFY on PostgreSQL.

SQLite has nothing like it; there the loops' slow poll does the job.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import asyncpg
from sqlalchemy import text
from sqlalchemy.engine import make_url

from node.storage.database import Database

CHANNEL = "zhitong"
LOOK_SECONDS = 5.0


async def notify(database: Database, topic: str) -> None:
    """Tell the other processes on this database."""
    async with database.writing.begin() as session:
        await session.execute(
            text("SELECT pg_notify(:channel, :topic)").bindparams(channel=CHANNEL, topic=topic)
        )


async def listen(url: str, wake: Callable[[str], None], stopping: asyncio.Event) -> None:
    """Call `wake` with each topic that another process names, until `stopping` is set."""
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    while not stopping.is_set():
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            connection = await asyncpg.connect(address)
            try:
                await connection.add_listener(CHANNEL, lambda *said: wake(str(said[3])))
                while not stopping.is_set() and not connection.is_closed():
                    await _wait(stopping)
            finally:
                await connection.close(timeout=LOOK_SECONDS)
        await _wait(stopping)


async def _wait(stopping: asyncio.Event) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), LOOK_SECONDS)
