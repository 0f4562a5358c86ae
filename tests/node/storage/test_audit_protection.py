"""The database itself refuses to change what was done: for the account of the office, too."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from node.relay.auditor import Auditor
from tests.node.rooms import Room, contents

REFUSED = {
    "a sealed deed changed": "UPDATE audit SET actor = 'nobody' WHERE seal = 1",
    "a sealed deed unsealed": "UPDATE audit SET seal = NULL WHERE seal = 1",
    "a sealed deed moved to another seal": "UPDATE audit SET seal = 2 WHERE seal = 1",
    "a sealed deed removed": "DELETE FROM audit WHERE seal = 1",
    "a deed changed before it is sealed": "UPDATE audit SET actor = 'nobody' WHERE seal IS NULL",
    "a deed changed while it is sealed": (
        "UPDATE audit SET came_from = NULL, seal = 2 WHERE seal IS NULL"
    ),
    "a deed removed before it is sealed": "DELETE FROM audit WHERE seal IS NULL",
    "a seal changed": "UPDATE audit_seals SET rows = 1",
    "a seal removed": "DELETE FROM audit_seals",
}


async def prepare(room: Room) -> None:
    """One sealed deed, one that is not."""
    await room.submit()
    assert await Auditor(room.desk).step()
    await room.submit()


async def execute(room: Room, statement: str) -> None:
    async with room.database.writing.begin() as session:
        await session.execute(text(statement))


async def test_nothing_can_be_changed_or_removed(county: Room) -> None:
    await prepare(county)
    before = await contents(county.database)
    for statement in REFUSED.values():
        with pytest.raises(DBAPIError, match="audit rows are never changed or removed"):
            await execute(county, statement)
    assert await contents(county.database) == before


async def test_the_tables_cannot_be_emptied_at_once(county: Room) -> None:
    if not county.database.is_postgresql:
        pytest.skip("SQLite has no TRUNCATE")
    await prepare(county)
    for table in ("audit", "audit_seals"):
        with pytest.raises(DBAPIError, match="audit rows are never changed or removed"):
            await execute(county, f"TRUNCATE {table}")


async def test_a_deed_that_waits_can_be_sealed(county: Room) -> None:
    await prepare(county)
    assert await Auditor(county.desk).step()
    async with county.database.reading() as session:
        assert await session.scalar(text("SELECT count(*) FROM audit WHERE seal IS NULL")) == 0
