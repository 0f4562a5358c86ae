"""Whoever is cancelled while the database works leaves nothing half written and keeps no lock."""

from __future__ import annotations

import asyncio
from collections import Counter as Count
from contextlib import suppress

import pytest
from sqlalchemy import insert, select

from node.storage.database import Database
from node.storage.items import Counter
from tests.node.rooms import Room

# What is cancelled goes on in the driver's thread.
pytestmark = pytest.mark.threads

ROWS = 3
CONNECTIONS = 12
"""More than a database has: each of them takes its turn."""


async def write(database: Database, name: str) -> None:
    """Some rows in one transaction."""
    async with database.writing.begin() as session:
        for number in range(ROWS):
            await session.execute(insert(Counter).values(name=f"{name}-{number}", value=1))


async def cancelled(task: asyncio.Task[None], turns: int) -> None:
    """Let the task have so many turns at most, and cancel it."""
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_at_whatever_moment_a_transaction_is_cancelled_it_is_whole_or_not_there(
    county: Room,
) -> None:
    database = county.database
    for turns in range(0, 800, 16):
        await cancelled(asyncio.create_task(write(database, f"cancelled {turns}")), turns)
        async with asyncio.timeout(10):
            await write(database, f"after {turns}")
    async with database.reading() as session:
        names = await session.scalars(select(Counter.name).where(Counter.name.contains("-")))
        found = Count(name.split("-")[0] for name in names)
    assert set(found.values()) == {ROWS}
    assert sum(name.startswith("after") for name in found) == 50


async def test_who_is_cancelled_while_he_waits_for_his_turn_does_not_keep_it(county: Room) -> None:
    database = county.database
    async with database.writing.begin() as session:
        await session.execute(insert(Counter).values(name="first", value=1))
        await cancelled(asyncio.create_task(write(database, "waits")), 200)
    for number in range(CONNECTIONS):
        async with asyncio.timeout(10):
            await write(database, f"next {number}")
