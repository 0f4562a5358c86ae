"""Rows in bulk: many written or looked up in one statement.

What is only ever added is collected while a use-case runs, and written at its commit.

A batch of two hundred messages adds a thousand rows to five tables. As mapped objects they cost
more than everything else that is done with them, so they go out as one statement a table, or, to
PostgreSQL, as one COPY a table. Foreign keys are checked at the commit, so the order of the tables
does not matter.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, cast

from pydantic_core import to_json
from sqlalchemy import JSON, Column, ColumnDefault, ColumnElement, Table, any_, event, literal
from sqlalchemy import insert as table_insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session as SyncSession
from sqlalchemy.util import await_only

from node.storage import wake
from node.storage.base import Base
from node.storage.database import Session

KEY = "zhitong_rows"
MANY = 20
"""Rows from which on a COPY is worth its two extra exchanges with the server."""

Collected = dict[type[Base], list[dict[str, Any]]]


def insert(session: Session, model: type[Base], **values: Any) -> None:
    """Add a row to the model's table when the session commits."""
    collected: Collected = session.info.setdefault(KEY, {})
    collected.setdefault(model, []).append(values)


async def flush(session: Session) -> None:
    """Write what was collected now, for a query of the same transaction that must see it."""
    await session.flush()
    await session.run_sync(_write)


async def add_new(session: Session, model: type[Base], **values: Any) -> bool:
    """Add a row now, unless its key is there already; whether it was added."""
    table = Base.metadata.tables[model.__tablename__]
    key = list(table.primary_key)
    statement = _insert(session)(table).values(values).on_conflict_do_nothing(index_elements=key)
    return (await session.execute(statement.returning(*key))).first() is not None


async def upsert(
    session: Session, model: type[Base], *, change: Collection[str] = (), **values: Any
) -> None:
    """Add a row now; where its key is there already, change these columns of that row.

    Waits for whoever holds the row, so that two who add the same one do not fail.
    """
    table = Base.metadata.tables[model.__tablename__]
    statement = _insert(session)(table).values(values)
    key = [column.name for column in table.primary_key]
    new = {name: values[name] for name in change}
    await session.execute(
        statement.on_conflict_do_update(index_elements=key, set_=new)
        if new
        else statement.on_conflict_do_nothing(index_elements=key)
    )


def _insert(session: Session) -> Any:
    if session.get_bind().dialect.name == "postgresql":
        return postgresql.insert
    return sqlite.insert


# Before the others: what is written here is part of what the commit tells.
@event.listens_for(SyncSession, "before_commit", insert=True)
def _write(session: SyncSession) -> None:
    collected: Collected = session.info.pop(KEY, {})
    for model, rows in collected.items():
        table = Base.metadata.tables[model.__tablename__]
        wake.note(session, table.name)
        if len(rows) < MANY or not _copied(session, table, rows):
            session.execute(table_insert(table), rows)


def _copied(session: SyncSession, table: Table, rows: list[dict[str, Any]]) -> bool:
    """COPY the rows, where the session's connection is PostgreSQL's and in a transaction."""
    if session.get_bind().dialect.name != "postgresql":
        return False
    driver: Any = session.connection().connection.driver_connection
    # The driver's own connection knows nothing of a transaction that SQLAlchemy has yet to begin.
    if not driver.is_in_transaction():
        return False
    columns = [table.c[name] for name in rows[0]]
    defaults = [c for c in table.columns if c.default is not None and c.name not in rows[0]]
    given = [_values(column, [row[column.name] for row in rows]) for column in columns]
    filled = [_values(c, [_default(c) for _ in rows]) for c in defaults]
    await_only(
        driver.copy_records_to_table(
            table.name,
            columns=[column.name for column in (*columns, *defaults)],
            records=zip(*given, *filled, strict=True),
        )
    )
    return True


def _values(column: Column[Any], values: list[Any]) -> list[Any]:
    if isinstance(column.type, JSON):
        return [to_json(value).decode() for value in values]
    return values


def _default(column: Column[Any]) -> Any:
    assert isinstance(column.default, ColumnDefault)
    value = column.default.arg
    return value(None) if callable(value) else value


def among(session: Session, column: Any, values: Collection[Any]) -> ColumnElement[bool]:
    """Whether the column holds one of the values, which may be hundreds.

    On PostgreSQL they travel as one array: as single parameters, writing them into the statement
    took longer than running it.
    """
    if session.get_bind().dialect.name == "postgresql":
        return cast(
            "ColumnElement[bool]", column == any_(literal(list(values), ARRAY(column.type)))
        )
    return cast("ColumnElement[bool]", column.in_(values))
