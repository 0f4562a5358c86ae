"""The database of one office: engine and sessions. Opens nothing until the first session.

Two kinds of session. `reading` is for queries. `writing` is for use-cases: on SQLite it begins
with BEGIN IMMEDIATE, so that what was read cannot change before it is written; on PostgreSQL rows
that are read in order to be changed are locked with FOR UPDATE, which SQLite neither has nor
needs. Nothing is flushed behind a use-case's back: everything goes out at the commit.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

BUSY_SECONDS = 30


class Database:
    """Sessions on one office's database."""

    def __init__(self, url: str, *, pool_size: int = 5) -> None:
        self.engine = _engine(url, pool_size)
        self.reading = async_sessionmaker(self.engine, expire_on_commit=False, autoflush=False)
        self.writing = async_sessionmaker(
            self.engine.execution_options(zhitong_writing=True),
            expire_on_commit=False,
            autoflush=False,
        )

    @property
    def is_postgresql(self) -> bool:
        """Whether LISTEN/NOTIFY and row locks exist."""
        return self.engine.dialect.name == "postgresql"

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()


def is_away(error: BaseException) -> bool:
    """Whether the error means that the database does not answer, rather than a bad statement."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    if isinstance(error, OperationalError | InterfaceError | PoolTimeoutError):
        return True
    return isinstance(error, ConnectionError | TimeoutError)


def _engine(url: str, pool_size: int) -> AsyncEngine:
    if not url.startswith("sqlite"):
        return create_async_engine(url, pool_size=pool_size, max_overflow=5, pool_pre_ping=True)
    engine = create_async_engine(
        url, pool_size=pool_size, max_overflow=5, connect_args={"timeout": BUSY_SECONDS}
    )
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    cursor: sqlite3.Cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get("zhitong_writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


Session = AsyncSession
