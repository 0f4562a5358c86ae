"""Fixtures that every test may name: real servers, started once a run, and empty places on them.

Nothing is started unless a test asks for it.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
import uvloop

from node.workflow import audit, log_words
from tests import tables
from tests.offices import MakeDatabase
from tests.servers import places
from tests.servers.postgres import Postgres
from tests.servers.rabbitmq import RabbitMQ

if TYPE_CHECKING:
    from playwright.async_api import Browser

TEMPLATE = "zhitong_template"
LONGEST = (
    "journeys/test_call",
    "test_broker_killed",
    "test_restore",
    "simulation/test_schedules",
    "simulation/",
    "test_chaos",
    "test_demo",
    "browser/test_pages",
    "journeys/",
    "deploy/",
)
"""Parts of paths, in the order in which the files begin."""
_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first: a file runs on one worker, for which the others must not wait."""
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    return next((n for n, name in enumerate(LONGEST) if name in str(item.path)), len(LONGEST))


@pytest.fixture(scope="session", autouse=True)
def _every_deed_has_words() -> Iterator[None]:
    """What is noted in the audit log by any test must have a name that a person can read."""
    note = audit.note

    def demanding(*args: Any, action: str, **content: Any) -> None:
        assert action in log_words.WORDS, f"{action} has no words in node/workflow/log_words.py"
        note(*args, action=action, **content)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audit, "note", demanding)
        yield


def pytest_configure() -> None:
    """Whatever is temporary lies in memory, where there is room: nothing waits for a disk there.

    Before the workers start, which inherit it.
    """
    places.use_memory()


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Tests run on the event loop on which nodes are served."""
    return {"uvloop": uvloop.new_event_loop}


def pytest_collection_finish() -> None:
    """Collect garbage less often: a worker keeps millions of objects that are none."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[RabbitMQ]:
    """A private RabbitMQ."""
    with RabbitMQ() as server:
        yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A private PostgreSQL."""
    with Postgres() as server:
        yield server


@pytest.fixture
async def broker(rabbitmq: RabbitMQ) -> AsyncIterator[str]:
    """The address of an empty virtual host."""
    name = f"test{next(_numbers)}"
    yield await rabbitmq.create_vhost(name)
    await rabbitmq.delete_vhost(name)


@pytest.fixture(scope="session")
def migrated(postgres: Postgres) -> str:
    """A PostgreSQL database with all tables, to copy from."""

    async def make() -> None:
        await tables.furnish(await postgres.create_database(TEMPLATE))

    asyncio.run(make())
    return TEMPLATE


@pytest.fixture
async def postgresql(postgres: Postgres, migrated: str) -> AsyncIterator[MakeDatabase]:
    """Makes PostgreSQL databases with all tables; they are removed at the end of the test."""
    made: list[str] = []

    async def make(office: str) -> str:
        made.append(f"{office}_{next(_numbers)}")
        return await postgres.create_database(made[-1], template=migrated)

    yield make
    for name in made:
        await postgres.drop_database(name)


@pytest.fixture
def sqlite(tmp_path: Path) -> MakeDatabase:
    """Makes SQLite databases."""

    async def make(office: str) -> str:
        folder = tmp_path / "databases"
        folder.mkdir(exist_ok=True)
        return f"sqlite+aiosqlite:///{folder / office}.sqlite"

    return make


@pytest.fixture(params=["sqlite", "postgresql"])
def make_database(request: pytest.FixtureRequest) -> MakeDatabase:
    """Makes databases: the test runs once on SQLite and once on PostgreSQL."""
    made: MakeDatabase = request.getfixturevalue(request.param)
    return made


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A browser, for tests that run in the session's event loop."""
    # Not loaded by the workers that need none.
    from tests.browser import chromium

    async with chromium.started() as started:
        yield started
