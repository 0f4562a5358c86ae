"""What the database refuses to everybody is done here as its owner can: without the triggers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

SEALED = ("audit", "audit_seals")
TRIGGERS = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"


@asynccontextmanager
async def unprotected(within: AsyncConnection | AsyncSession) -> AsyncIterator[None]:
    """In this transaction, for a while, audit rows can be changed and removed."""
    connection = within if isinstance(within, AsyncConnection) else await within.connection()
    run = connection.exec_driver_sql
    if connection.dialect.name == "postgresql":
        before = [f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in SEALED]
        after = [f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in SEALED]
    else:
        triggers = (await run(TRIGGERS)).all()
        before = [f"DROP TRIGGER {trigger.name}" for trigger in triggers]
        after = [trigger.sql for trigger in triggers]
    for statement in before:
        await run(statement)
    yield
    for statement in after:
        await run(statement)
