"""The two databases as SQLAlchemy speaks to them, with one memory of compiled statements a process.

SQLAlchemy keeps what it compiled for each engine, and knows the engine's dialect by its identity.
A process that hosts sixty counties would compile, and keep, every statement sixty times; here
dialects of one kind are equal, and all engines look into the same memory.
"""

from __future__ import annotations

import sqlite3
import time
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
    AsyncAdapt_aiosqlite_dbapi,
    SQLiteDialect_aiosqlite,
)
from sqlalchemy.util import LRUCache, await_only

DRIVERS = {"sqlite+aiosqlite": "sqlite+zhitong", "postgresql+asyncpg": "postgresql+zhitong"}
"""What a configuration names, and the dialect here that takes its place."""

KNOWN_SECONDS = 30.0
"""How long a connection that was taken is believed to work, unless the driver knows better.
Firewalls forget those that rest, without a word, but only after minutes."""

COMPILED: LRUCache[Any, Any] = LRUCache(2_000)
"""More statements than the product has, for either database."""


class _Done(NamedTuple):
    """What is left of a statement that the driver's thread carried out."""

    description: Any
    rows: list[Any]
    rowcount: int
    lastrowid: int | None


class _Cursor(AsyncAdapt_aiosqlite_cursor):
    """A statement goes to the connection's thread and its rows come back in one exchange.

    SQLAlchemy's own asks for a cursor, executes, fetches and closes in four, each of which costs
    more than most statements do.
    """

    __slots__ = ("_done",)

    def __init__(self, adapt_connection: Any) -> None:
        self._adapt_connection = adapt_connection
        self._connection = adapt_connection._connection
        self._rows = deque()
        self._done = _Done(None, [], -1, None)

    @property
    def description(self) -> Any:
        return self._done.description

    @property
    def rowcount(self) -> int:
        return self._done.rowcount

    @property
    def lastrowid(self) -> Any:
        return self._done.lastrowid

    def execute(self, operation: Any, parameters: Any = None) -> None:
        self._exchange(sqlite3.Connection.execute, operation, parameters or ())

    def executemany(self, operation: Any, seq_of_parameters: Any) -> None:
        self._exchange(sqlite3.Connection.executemany, operation, seq_of_parameters)

    def close(self) -> None:
        self._rows.clear()

    async def _async_soft_close(self) -> None:
        return

    def _exchange(self, act: Callable[..., sqlite3.Cursor], operation: Any, values: Any) -> None:
        driver: Any = self._connection
        try:
            self._done = await_only(
                driver._execute(_carry_out, driver._conn, act, operation, values)
            )
        except Exception as error:
            self._adapt_connection._handle_exception(error)
        self._rows = deque(self._done.rows)


def _carry_out(
    connection: sqlite3.Connection,
    act: Callable[..., sqlite3.Cursor],
    operation: str,
    values: Any,
) -> _Done:
    cursor = act(connection, operation, values)
    try:
        rows = cursor.fetchall() if cursor.description else []
        return _Done(cursor.description, rows, cursor.rowcount, cursor.lastrowid)
    finally:
        cursor.close()


class _Connection(AsyncAdapt_aiosqlite_connection):
    """A connection with such cursors, which rolls back what there is to roll back."""

    __slots__ = ()

    _cursor_cls = _Cursor

    def rollback(self) -> None:
        # The pool asks for it once more, whenever a connection comes back.
        driver: Any = self._connection
        if driver._connection and driver.in_transaction:
            super().rollback()


class _Driver(AsyncAdapt_aiosqlite_dbapi):
    """A driver that makes such connections."""

    def connect(self, *arguments: Any, **options: Any) -> AsyncAdapt_aiosqlite_connection:
        made = super().connect(*arguments, **options)
        return _Connection(self, made._connection)


class Sqlite(SQLiteDialect_aiosqlite):
    """SQLite; one library a process, so all its dialects compile alike."""

    supports_statement_cache = True

    @classmethod
    def import_dbapi(cls) -> AsyncAdapt_aiosqlite_dbapi:
        """The driver, whose connections need one exchange a statement."""
        import aiosqlite  # not for offices on PostgreSQL

        return _Driver(aiosqlite, sqlite3)

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
