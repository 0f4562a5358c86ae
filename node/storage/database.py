"""The database of one office: engine and sessions. Opens nothing until the first session.

Two kinds of session. `reading` is for queries. `writing` is for use-cases: on SQLite it begins
with BEGIN IMMEDIATE, so that what was read cannot change before it is written; on PostgreSQL rows
that are read in order to be changed are locked with FOR UPDATE, which SQLite neither has nor
needs. Nothing is flushed behind a use-case's back: everything goes out at the commit, which wakes
whoever waits for it (`wake`).
"""

from __future__ import annotations

import hashlib
import socket
import sqlite3
from pathlib import Path
from typing import Any

from pydantic_core import from_json, to_json
from sqlalchemy import event, func, select, text
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from node.errors import ConfigurationError
from node.storage import dialects, wake

BUSY_SECONDS = 30
ANALYSED = 400
"""Rows of each index, as SQLite's manual advises: some milliseconds, however large the table."""
AWAY_STATES = ("08", "28", "3D", "53", "57P")
"""Classes of SQLSTATE: connection, authorization, no such database, resources, shutdown."""

MISSING_STATES = ("42P01", "42703")
"""SQLSTATE of an undefined table and column."""


class Database:
    """Sessions on one office's database."""

    def __init__(self, url: str, *, pool_size: int = 5) -> None:
        self.engine = _engine(url, pool_size)
        self.watch = wake.Watch(_bell(self.engine))
        self.reading = async_sessionmaker(self.engine, expire_on_commit=False, autoflush=False)
        self.writing = async_sessionmaker(
            self.engine.execution_options(zhitong_writing=True),
            expire_on_commit=False,
            autoflush=False,
            sync_session_class=wake.WritingSession,
            info={wake.TOLD_BY: self.watch},
        )

    @property
    def is_postgresql(self) -> bool:
        """Whether LISTEN/NOTIFY and row locks exist."""
        return self.engine.dialect.name == "postgresql"

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()


async def gather_statistics(database: Database) -> None:
    """Statistics for SQLite's planner, from so many rows an index; PostgreSQL gathers its own."""
    if database.is_postgresql:
        return
    async with database.writing.begin() as session:
        await session.execute(text(f"PRAGMA analysis_limit = {ANALYSED}"))
        await session.execute(text("ANALYZE"))


async def take_turn(session: Session, name: str) -> None:
    """Wait until no other transaction of this database holds the turn; it ends with this one.

    SQLite has one writer at a time anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
        await session.execute(select(func.pg_advisory_xact_lock(number)))


def is_away(error: BaseException) -> bool:
    """Whether the error means that the database does not answer, rather than a bad statement."""
    if isinstance(error, DBAPIError):
        if lacks_tables(error):
            return False
        return (
            error.connection_invalidated
            or isinstance(error, OperationalError | InterfaceError)
            or _sqlstate(error).startswith(AWAY_STATES)
        )
    if isinstance(error, PoolTimeoutError | ConnectionError | TimeoutError | socket.gaierror):
        return True
    # A COPY speaks to the driver, whose errors nobody translated.
    if isinstance(state := getattr(error, "sqlstate", None), str):
        return state.startswith(AWAY_STATES)
    # No route to it, or several addresses of which none answers: no subclass says so.
    return type(error) is OSError


def lacks_tables(error: BaseException) -> bool:
    """Whether the error means that the tables are not those of this version."""
    if not isinstance(error, DBAPIError):
        return False
    return _sqlstate(error) in MISSING_STATES or str(error.orig).startswith(
        ("no such table", "no such column")
    )


def _sqlstate(error: DBAPIError) -> str:
    return getattr(error.orig, "sqlstate", None) or ""


def _engine(url: str, pool_size: int) -> AsyncEngine:
    # Values stay out of the texts of errors: they are what people wrote, and errors are logged.
    options: dict[str, Any] = {
        "pool_size": pool_size,
        "max_overflow": 5,
        "hide_parameters": True,
        "json_serializer": _json,
        "json_deserializer": from_json,
        "execution_options": {"compiled_cache": dialects.COMPILED},
    }
    if url.startswith("sqlite"):
        options["connect_args"] = {"timeout": BUSY_SECONDS}
    else:
        options["pool_pre_ping"] = True
        # The connection used last knows the statements that are asked now.
        options["pool_use_lifo"] = True
    dialects.register()
    try:
        address = make_url(url)
        address = address.set(drivername=dialects.DRIVERS[address.drivername])
        engine = create_async_engine(address, **options)
    except (SQLAlchemyError, KeyError, ValueError, TypeError) as error:
        # The address itself may hold a password.
        raise ConfigurationError(
            "the database's address is neither sqlite+aiosqlite:///… nor postgresql+asyncpg://…"
        ) from error
    if engine.dialect.name != "sqlite":
        return engine
    folder = Path(engine.url.database or "").parent
    if not folder.is_dir():
        raise ConfigurationError(f"there is no folder {folder} for the database")
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _bell(engine: AsyncEngine) -> Path | None:
    name = engine.url.database
    return Path(f"{name}-wake") if engine.dialect.name == "sqlite" and name else None


def _json(value: Any) -> str:
    return to_json(value).decode()


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
