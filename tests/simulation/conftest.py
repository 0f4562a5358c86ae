"""What simulated offices stand on, for all schedules of a process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import simulator
from tests.servers.postgres import Postgres
from tests.simulation import databases
from tests.simulation.databases import PostgresDatabases, SqliteFiles


@pytest.fixture(scope="session")
def files() -> Iterator[SqliteFiles]:
    """SQLite files, copied for each schedule."""
    with databases.sqlite_files() as made:
        yield made


@pytest.fixture(scope="session")
def places(postgres: Postgres) -> PostgresDatabases:
    """PostgreSQL databases, copied for each schedule."""
    return PostgresDatabases(postgres)


@pytest.fixture(autouse=True)
def silent() -> Iterator[None]:
    """No log lines: a thousand faults make ten thousand of them."""
    with simulator.silence():
        yield
