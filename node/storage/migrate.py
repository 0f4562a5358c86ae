"""Migrations, by Alembic: up, down, and comparison with the models.

Imported by `zhitong migrate` alone, in a process of its own: Alembic is of no use to a node.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from node.storage.database import Database
from node.storage.search import TEXT_INDEX, WORDS_INDEX
from node.storage.tables import METADATA

FOLDER = Path(__file__).parent / "migrations"


async def upgrade(database: Database, revision: str = "head") -> None:
    """Bring the database's tables up to the revision."""
    await _migrate(database, lambda c: command.upgrade(_config(c), revision))


async def downgrade(database: Database, revision: str = "base") -> None:
    """Take the database's tables down to the revision."""
    await _migrate(database, lambda c: command.downgrade(_config(c), revision))


async def differences(database: Database) -> list[Any]:
    """How the database's tables differ from the models; empty when they agree."""
    async with database.engine.connect() as connection:
        return await connection.run_sync(_compare)


async def _migrate(database: Database, work: Callable[[Connection], None]) -> None:
    """In one transaction. Where SQLite makes a table anew, others name rows of it meanwhile."""
    async with database.engine.connect() as connection:
        if not database.is_postgresql:
            # Within a transaction the pragma does nothing.
            await _tell(connection, "PRAGMA foreign_keys = OFF")
        try:
            async with connection.begin():
                await connection.run_sync(work)
                if not database.is_postgresql:
                    found = await connection.exec_driver_sql("PRAGMA foreign_key_check")
                    assert found.first() is None, "a migration left rows that name no row"
        finally:
            if not database.is_postgresql:
                await _tell(connection, "PRAGMA foreign_keys = ON")


async def _tell(connection: AsyncConnection, pragma: str) -> None:
    raw = await connection.get_raw_connection()
    assert raw.driver_connection is not None
    await raw.driver_connection.execute(pragma)


def _compare(connection: Connection) -> list[Any]:
    def include(_: object, name: str | None, kind: str, reflected: bool, other: object) -> bool:
        # What only one of the databases has: SQLite's index of words, and PostgreSQL's.
        if kind == "table" and str(name).startswith(TEXT_INDEX):
            return False
        only = connection.dialect.name != "postgresql" and name == WORDS_INDEX
        return not only

    options = {"compare_type": True, "include_object": include}
    context = MigrationContext.configure(connection, opts=options)
    return list(compare_metadata(context, METADATA))


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    return config
