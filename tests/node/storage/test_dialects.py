"""What one database of a process compiled, the others do not compile again. A connection is asked
whether it works when nobody can know, and not before each use. SQLite's thread is spoken to once
for each statement.
"""

from __future__ import annotations

import asyncio
from typing import Any

import aiosqlite
import asyncpg
import pytest
from sqlalchemy import insert, select, text, update

from node.storage import dialects
from node.storage.audit import AuditRow
from node.storage.database import Database
from node.storage.items import Counter
from tests.node.rooms import Room
from tests.offices import MakeDatabase


async def test_a_statement_is_compiled_once_for_all_databases_of_a_process(county: Room) -> None:
    statement = select(AuditRow.id).where(AuditRow.actor == "nobody else asks this")
    await _ask(county.database, statement)
    compiled = set(dialects.COMPILED)
    another = Database(county.node.settings.database_url)
    await _ask(another, statement)
    await another.close()
    assert set(dialects.COMPILED) == compiled


def test_databases_of_two_kinds_share_nothing() -> None:
    assert dialects.Sqlite() == dialects.Sqlite()
    assert dialects.Sqlite() != dialects.Postgresql()
    older, newer = dialects.Postgresql(), dialects.Postgresql()
    older.server_version_info, newer.server_version_info = (13, 0), (15, 0)
    assert older != newer


async def test_a_statement_and_its_rows_are_one_exchange_with_the_thread_of_sqlite(
    leaf: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchanges = 0
    exchange = aiosqlite.Connection._execute

    async def counted(self: aiosqlite.Connection, *asked: Any) -> Any:
        nonlocal exchanges
        exchanges += 1
        return await exchange(self, *asked)

    monkeypatch.setattr(aiosqlite.Connection, "_execute", counted)
    async with leaf.database.writing.begin() as session:
        rows = [{"name": name, "value": 1} for name in "abc"]
        await session.execute(insert(Counter), rows)
        changed = update(Counter).where(Counter.name != "b").values(value=2)
        result: Any = await session.execute(
            changed, execution_options={"synchronize_session": False}
        )
        assert result.rowcount == 2
        found = await session.execute(select(Counter.name, Counter.value).order_by(Counter.name))
        assert [tuple(row) for row in found] == [("a", 2), ("b", 1), ("c", 2)]
    # To begin and to commit are two more.
    assert exchanges == 5
    async with leaf.database.reading() as session:
        assert await session.scalar(select(Counter.value).where(Counter.name == "a")) == 2
    # To begin and to roll back.
    assert exchanges == 5 + 3


async def test_a_connection_is_asked_whether_it_works_only_after_a_rest(
    postgresql: MakeDatabase,
) -> None:
    database = Database(await postgresql("office"), pool_size=1)
    said: list[str] = []
    driver = await _driver(database)
    assert await _driver(database) is driver
    driver.add_query_logger(lambda record: said.append(record.query))
    dialect: Any = database.engine.dialect
    began = dialect.now()
    assert await _driver(database) is driver
    assert ";" not in said
    dialect.now = lambda: began + dialects.KNOWN_SECONDS * 2
    assert await _driver(database) is driver
    assert ";" in said
    await database.close()


async def test_a_connection_that_the_server_ended_is_replaced_before_it_is_used(
    postgresql: MakeDatabase,
) -> None:
    url = await postgresql("office")
    database = Database(url, pool_size=1)
    driver = await _driver(database)
    ended = asyncio.Event()
    driver.add_termination_listener(lambda _: ended.set())
    other = await asyncpg.connect(url.replace("+asyncpg", ""))
    await other.execute("SELECT pg_terminate_backend($1)", driver.get_server_pid())
    await other.close()
    await ended.wait()
    assert await _driver(database) is not driver
    await database.close()


async def _driver(database: Database) -> Any:
    """The driver's connection, as a session has it that asks something."""
    async with database.reading() as session:
        await session.execute(text("SELECT 1"))
        connection = await session.connection()
        return (await connection.get_raw_connection()).driver_connection


async def _ask(database: Database, statement: object) -> None:
    async with database.reading() as session:
        await session.execute(statement)  # type: ignore[call-overload]
