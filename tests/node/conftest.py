"""Offices for the tests of a node: set up once a run, and fresh for each test.

`county` is one office on its own, on SQLite and on PostgreSQL; `leaf` is the same on SQLite alone,
for tests in which the database plays no part; `chain` is a whole hierarchy in memory.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
import structlog

from node.workflow import passwords
from tests import unthreaded
from tests.node import chain as chains
from tests.node import rooms
from tests.node.chain import Chain
from tests.node.rooms import Clock, Room, Templates
from tests.offices import DEPTH_2, DEPTH_3, DONGHU, HIERARCHIES, Hierarchy
from tests.servers.postgres import Postgres


@pytest.fixture(scope="module", autouse=True)
def _without_threads(request: pytest.FixtureRequest) -> Iterator[None]:
    with nullcontext() if request.node.get_closest_marker("threads") else unthreaded.everywhere():
        yield


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """Hierarchies to copy."""
    return Templates(tmp_path_factory.mktemp("templates"))


@pytest.fixture
def lone(templates: Templates, tmp_path: Path) -> Hierarchy:
    """The county 东湖 with nobody above it, on SQLite, closed."""
    return templates.copy(DONGHU, tmp_path / "offices")


@pytest.fixture
async def leaf(lone: Hierarchy) -> AsyncIterator[Room]:
    """The county 东湖 with nobody above it, on SQLite."""
    clock = Clock()
    async with rooms.opened(lone.open("donghu", clock=clock), clock) as room:
        yield room


@pytest.fixture(scope="session")
def county_on_postgresql(
    postgres: Postgres, migrated: str, tmp_path_factory: pytest.TempPathFactory
) -> Hierarchy:
    """The same on PostgreSQL, closed. One for the whole run: each test leaves it tidy."""

    async def make(office: str) -> str:
        return await postgres.create_database(f"county_{office}", template=migrated)

    async def set_up() -> Hierarchy:
        folder = tmp_path_factory.mktemp("postgresql")
        hierarchy = await rooms.set_up(folder, DONGHU, make_database=make)
        await hierarchy.stop()
        return hierarchy

    return asyncio.run(set_up())


@pytest.fixture(params=["sqlite", "postgresql"])
def lone_on_each(request: pytest.FixtureRequest) -> Hierarchy:
    """The county 东湖 with nobody above it, closed: the test runs once on each database."""
    named = {"sqlite": "lone", "postgresql": "county_on_postgresql"}
    found: Hierarchy = request.getfixturevalue(named[request.param])
    return found


@pytest.fixture
async def county(lone_on_each: Hierarchy) -> AsyncIterator[Room]:
    """The county 东湖 with nobody above it: the test runs once on each database."""
    clock = Clock()
    async with rooms.opened(lone_on_each.open("donghu", clock=clock), clock) as room:
        yield room
        if room.database.is_postgresql:  # A database on SQLite was a copy for this test alone.
            await rooms.tidy(room.database)


@pytest.fixture(params=HIERARCHIES)
def hierarchy(request: pytest.FixtureRequest, templates: Templates, tmp_path: Path) -> Hierarchy:
    """A whole hierarchy, closed: the test runs once on each of its kind."""
    return templates.copy(HIERARCHIES[request.param], tmp_path / "chain")


@pytest.fixture
async def chain(hierarchy: Hierarchy) -> AsyncIterator[Chain]:
    """A whole hierarchy whose messages are delivered by hand."""
    async with chains.opened(hierarchy) as opened:
        yield opened


@pytest.fixture
def two_levels(templates: Templates, tmp_path: Path) -> Hierarchy:
    """The counties 东湖 and 西山 and the city 云州 above them, closed."""
    return templates.copy(DEPTH_2, tmp_path / "pair")


@pytest.fixture(scope="module")
def three_levels(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Hierarchy:
    """The same with the province 江原 above them, closed. One for all tests of a file."""
    return templates.copy(DEPTH_3, tmp_path_factory.mktemp("line") / "line")


@pytest.fixture
async def pair(two_levels: Hierarchy) -> AsyncIterator[Chain]:
    """The counties 东湖 and 西山 and the city 云州 above them, delivered by hand."""
    async with chains.opened(two_levels) as opened:
        yield opened


@pytest.fixture
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are hashed with next to no work, for tests in which that plays no part."""
    monkeypatch.setattr(passwords, "_hasher", rooms.QUICK)
    monkeypatch.setattr(passwords, "_NOBODY", rooms.QUICK.hash("nobody's"))


@pytest.fixture(scope="session", autouse=True)
def plain_lines() -> None:
    """Log plain lines: what structlog does unasked draws whole pictures of exceptions."""
    structlog.configure(
        processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()]
    )


@pytest.fixture
def quiet() -> Iterator[None]:
    """Puts logging back as it was: commands set it up for their whole process."""
    root = logging.getLogger()
    handlers, level, configuration = list(root.handlers), root.level, structlog.get_config()
    yield
    structlog.configure(**configuration)
    root.handlers[:], root.level = handlers, level
