"""Migrations: up, down and up again, and always what the models say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Column, String, Table, inspect
from sqlalchemy.ext.asyncio import AsyncConnection

from node.storage import migrate
from node.storage.database import Database
from node.storage.search import TEXT_INDEX
from node.storage.tables import METADATA
from node.workflow import decisions, issues
from protocol.lifecycle import Action
from tests.browser import things
from tests.node.rooms import Room, contents
from tests.node.workflow.deeds import do, item_after
from tests.servers.postgres import Postgres

_numbers = count(1)


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest) -> str | Postgres:
    """Where an empty database can be had."""
    if request.param == "sqlite":
        folder: Path = request.getfixturevalue("tmp_path")
        return f"sqlite+aiosqlite:///{folder / 'empty.sqlite'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server


@pytest.fixture
async def empty(address: str | Postgres) -> AsyncIterator[Database]:
    """A database without any table."""
    if isinstance(address, str):
        database = Database(address)
        yield database
        await database.close()
        return
    name = f"empty_{next(_numbers)}"
    database = Database(await address.create_database(name))
    yield database
    await database.close()
    await address.drop_database(name)


async def test_the_tables_after_all_migrations_are_those_of_the_models(empty: Database) -> None:
    await migrate.upgrade(empty)
    assert await migrate.differences(empty) == []


async def test_migrations_go_down_to_nothing_and_up_again(empty: Database) -> None:
    await migrate.upgrade(empty)
    first = await _described(empty)

    await migrate.downgrade(empty)
    assert list(await _described(empty)) == ["alembic_version"]
    await migrate.upgrade(empty)

    assert await _described(empty) == first
    assert await migrate.differences(empty) == []


async def test_migrating_what_is_migrated_changes_nothing(empty: Database) -> None:
    await migrate.upgrade(empty)
    first = await _described(empty)
    await migrate.upgrade(empty)
    assert await _described(empty) == first


async def test_the_newest_step_down_and_up_again_keeps_what_an_office_holds(county: Room) -> None:
    item = await county.registered()
    returned = await county.submit(title="乙")
    await decisions.return_(county.desk, county.editor, returned, "写得太简单")
    # What became of the items is counted out of the events.
    for actions in (
        (Action.DECLINE,),
        (Action.WITHDRAW,),
        (Action.REGISTER, Action.ADOPT, Action.CLOSE, Action.ARCHIVE),
    ):
        await item_after(county, *actions)
        county.clock.move(timedelta(hours=1))
    combined = await things.combined(county)
    for action in (Action.ADOPT, Action.CLOSE, Action.ARCHIVE):
        await do(county, action, combined)
    await things.furnish(county)
    issue = await things.issued(county)
    await issues.withdraw(county.desk, county.signer, issue, "内容有误。")
    held = await contents(county.database)
    await migrate.downgrade(county.database, "-1")
    await migrate.upgrade(county.database)
    assert await contents(county.database) == held
    assert await county.state(item) == "registered"


async def test_a_table_that_the_migrations_forgot_is_noticed(
    empty: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await migrate.upgrade(empty)
    forgotten = Table("forgotten", METADATA, Column("id", String(1), primary_key=True))
    try:
        found = await migrate.differences(empty)
    finally:
        METADATA.remove(forgotten)
    assert [(kind, table.name) for kind, table in found] == [("add_table", "forgotten")]


async def test_every_constraint_has_a_name(empty: Database) -> None:
    await migrate.upgrade(empty)
    described = await _described(empty)
    for table, (_, constraints) in described.items():
        # Alembic's and SQLite's own tables have names of their own making.
        theirs = table == "alembic_version" or table.startswith(TEXT_INDEX)
        assert theirs or None not in constraints


async def _described(database: Database) -> dict[str, tuple[list[str], list[str | None]]]:
    """Columns, and the names of keys, constraints and indexes, by table."""

    def describe(connection: AsyncConnection) -> dict[str, tuple[list[str], list[str | None]]]:
        seen = inspect(connection)
        found = {}
        for table in sorted(seen.get_table_names()):
            columns = [f"{c['name']} {c['type']} {c['nullable']}" for c in seen.get_columns(table)]
            names = [seen.get_pk_constraint(table)["name"]]
            for constraints in (
                seen.get_unique_constraints(table),
                seen.get_foreign_keys(table),
                seen.get_indexes(table),
            ):
                names += sorted((one["name"] for one in constraints), key=str)
            found[table] = (columns, names)
        return found

    async with database.engine.connect() as connection:
        return await connection.run_sync(describe)  # type: ignore[arg-type]
