"""What one database of a process compiled, the others do not compile again."""

from __future__ import annotations

from sqlalchemy import select

from node.storage import dialects
from node.storage.audit import AuditRow
from node.storage.database import Database
from tests.node.rooms import Room


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


async def _ask(database: Database, statement: object) -> None:
    async with database.reading() as session:
        await session.execute(statement)  # type: ignore[call-overload]
