"""Every row of every table as lines of JSON, and back: the same for both databases.

Left out is what is computed from other tables (`storage/search`), or waits an hour at most
(`storage/sheets`).

Reading takes one snapshot, so the rows fit together though people go on working. Neither end holds
more than one row's lines in memory beyond what the driver fetches at once.
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Table, func, insert, select

from node.storage.base import UtcDateTime
from node.storage.database import Database, Session
from node.storage.tables import METADATA

CHUNK = 500

TABLES: tuple[Table, ...] = tuple(
    table for table in METADATA.sorted_tables if not {"derived", "passing"} & table.info.keys()
)
"""In the order of their foreign keys."""


@asynccontextmanager
async def snapshot(database: Database) -> AsyncIterator[Session]:
    """A session in which nothing changes."""
    async with database.reading() as session:
        if database.is_postgresql:
            await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        yield session


async def lines(session: Session, table: Table) -> AsyncIterator[bytes]:
    """The table's rows, one line each, in the order of its key."""
    rows = await session.stream(
        select(table).order_by(*table.primary_key.columns).execution_options(yield_per=CHUNK)
    )
    async for row in rows:
        values = {
            column.name: _plain(value) for column, value in zip(table.columns, row, strict=True)
        }
        yield json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


async def load(session: Session, table: Table, rows: Iterable[bytes]) -> int:
    """Write the rows into the table, which is empty; how many there were."""
    count = 0
    chunk: list[dict[str, Any]] = []
    for line in rows:
        values = json.loads(line)
        chunk.append({c.name: _value(c, values[c.name]) for c in table.columns})
        count += 1
        if len(chunk) == CHUNK:
            await session.execute(insert(table), chunk)
            chunk = []
    if chunk:
        await session.execute(insert(table), chunk)
    await _count_on(session, table)
    return count


async def is_empty(session: Session) -> bool:
    """Whether no table holds a row."""
    for table in TABLES:
        if await session.scalar(select(func.count()).select_from(table)):
            return False
    return True


async def _count_on(session: Session, table: Table) -> None:
    # PostgreSQL's sequences know nothing of rows that brought their numbers along.
    column = table.autoincrement_column
    if column is None or session.get_bind().dialect.name != "postgresql":
        return
    highest = await session.scalar(select(func.max(column))) or 0
    sequence = func.pg_get_serial_sequence(table.name, column.name)
    await session.execute(select(func.setval(sequence, highest + 1, False)))


def _plain(value: Any) -> Any:
    match value:
        case bytes():
            return base64.b64encode(value).decode()
        case datetime() | date():
            return value.isoformat()
        case UUID():
            return str(value)
        case _:
            return value


def _value(column: Column[Any], value: Any) -> Any:
    if value is None:
        return None
    kind = datetime if isinstance(column.type, UtcDateTime) else column.type.python_type
    if kind is bytes:
        return base64.b64decode(value)
    if kind is datetime:
        return datetime.fromisoformat(value)
    if kind is date:
        return date.fromisoformat(value)
    return UUID(value) if kind is UUID else value
