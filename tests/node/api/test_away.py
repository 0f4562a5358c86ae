"""The database is away: people are told to come back, and all is well when it is there again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.node import rooms
from tests.node.browser import log_in, problem, visit
from tests.node.rooms import CONTENT, Clock
from tests.offices import DONGHU
from tests.servers.postgres import Postgres


@pytest.fixture
def server() -> Iterator[Postgres]:
    """A PostgreSQL that may be stopped."""
    with Postgres() as own:
        yield own


async def test_a_database_that_is_away_is_a_503_and_the_session_is_still_there_afterwards(
    server: Postgres, tmp_path: Path
) -> None:
    hierarchy = await rooms.set_up(tmp_path, DONGHU, make_database=server.create_database)
    await hierarchy.stop()
    clock = Clock()
    node = hierarchy.open("donghu", clock=clock)
    async with rooms.opened(node, clock) as room, visit(room, "lin") as client:
        await asyncio.to_thread(server.stop)
        for answer in (
            await client.get("/api/v1/items"),
            await client.post("/api/v1/items", json=CONTENT),
            await log_in(client, "chen"),
            await client.get("/"),
        ):
            document = problem(answer, 503, "storage.away")
            assert document["title"] == "数据库暂时无法连接，请稍后再试。"

        await asyncio.to_thread(server.start)
        assert (await client.post("/api/v1/items", json=CONTENT)).status_code == 201
        assert (await client.get("/api/v1/items")).json()["total"] == 1
