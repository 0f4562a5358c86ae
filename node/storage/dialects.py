"""The two databases as SQLAlchemy speaks to them, with one memory of compiled statements a process.

SQLAlchemy keeps what it compiled for each engine, and knows the engine's dialect by its identity.
A process that hosts sixty counties would compile, and keep, every statement sixty times; here
dialects of one kind are equal, and all engines look into the same memory.
"""

from __future__ import annotations

import time
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.util import LRUCache

DRIVERS = {"sqlite+aiosqlite": "sqlite+zhitong", "postgresql+asyncpg": "postgresql+zhitong"}
"""What a configuration names, and the dialect here that takes its place."""

KNOWN_SECONDS = 30.0
"""How long a connection that was taken is believed to work, unless the driver knows better.
Firewalls forget those that rest, without a word, but only after minutes."""

COMPILED: LRUCache[Any, Any] = LRUCache(2_000)
"""More statements than the product has, for either database."""


class Sqlite(SQLiteDialect_aiosqlite):
    """SQLite; one library a process, so all its dialects compile alike."""

    supports_statement_cache = True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sqlite)

    def __hash__(self) -> int:
        return hash(Sqlite)


class Postgresql(PGDialect_asyncpg):
    """PostgreSQL; dialects compile alike for servers of the same version.

    A connection that was in use a moment ago is not asked whether it works: the driver knows when
    the server ended it, and SQLAlchemy's question has three answers to wait for, which is more
    than most transactions have.
    """

    supports_statement_cache = True

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call]
        self._taken: WeakKeyDictionary[Any, float] = WeakKeyDictionary()
        self.now = time.monotonic

    def do_ping(self, dbapi_connection: Any) -> bool:
        """Whether the connection works, as far as is known, or as it says itself."""
        driver = dbapi_connection.driver_connection
        now = self.now()
        known = now - self._taken.get(driver, -KNOWN_SECONDS) < KNOWN_SECONDS
        self._taken[driver] = now
        if driver.is_closed():
            return False
        return known or bool(super().do_ping(dbapi_connection))  # type: ignore[no-untyped-call]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Postgresql) and self._version == other._version

    def __hash__(self) -> int:
        return hash(Postgresql)

    @property
    def _version(self) -> object:
        # Unknown before the first connection, when nothing was compiled yet.
        return getattr(self, "server_version_info", None)


def register() -> None:
    """Have SQLAlchemy know them by name. Doing it again changes nothing."""
    registry.register("sqlite.zhitong", __name__, "Sqlite")
    registry.register("postgresql.zhitong", __name__, "Postgresql")
