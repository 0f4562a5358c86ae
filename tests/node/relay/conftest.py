"""The two ends of a link, fresh for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from node.relay import amqp, publisher
from tests.node import rooms
from tests.node.relay import brokered, logs
from tests.node.relay import ends as ends_
from tests.node.relay.brokered import Brokered
from tests.node.relay.ends import Ends
from tests.offices import DEPTH_2, Hierarchy, MakeDatabase
from tests.servers.rabbitmq import RabbitMQ


@pytest.fixture
async def ends(two_levels: Hierarchy) -> AsyncIterator[Ends]:
    """The county 东湖 and the city 云州 above it, with a wire between them."""
    async with ends_.joined(two_levels) as joined:
        yield joined


@pytest.fixture
async def each_ends(make_database: MakeDatabase, tmp_path: Path) -> AsyncIterator[Ends]:
    """The same two ends: the test runs once on each database."""
    async with _set_up(tmp_path, make_database) as joined:
        yield joined


@pytest.fixture
async def ends_on_postgresql(postgresql: MakeDatabase, tmp_path: Path) -> AsyncIterator[Ends]:
    """The same two ends on PostgreSQL, for what only a database with many writers can do."""
    async with _set_up(tmp_path, postgresql) as joined:
        yield joined


@asynccontextmanager
async def _set_up(folder: Path, make_database: MakeDatabase) -> AsyncIterator[Ends]:
    hierarchy = await rooms.set_up(folder / "each", DEPTH_2, make_database=make_database)
    for node in hierarchy.nodes.values():
        await node.enter()
    await hierarchy.stop()
    async with ends_.joined(hierarchy) as joined:
        yield joined


@pytest.fixture(autouse=True)
def plain_logs() -> Iterator[None]:
    """Short tracebacks."""
    with logs.plain():
        yield


@pytest.fixture
async def place(
    two_levels: Hierarchy, broker: str, rabbitmq: RabbitMQ, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Brokered]:
    """东湖 and 西山 below 云州 on a real broker; none is running. Nobody waits long in vain."""
    monkeypatch.setattr(publisher, "AGAIN_AFTER", timedelta(seconds=0.3))
    monkeypatch.setattr(amqp, "LONGEST_PAUSE", 0.4)
    async with brokered.opened(two_levels, broker, rabbitmq) as opened:
        yield opened
