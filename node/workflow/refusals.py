"""Entering into the audit log what somebody was not allowed to do.

Once for each person, action and day: whoever tries a thousand times must not fill the log, nor keep
the database busy. What he tried it on is not noted.
"""

from __future__ import annotations

from sqlalchemy import delete

from node.errors import Refused
from node.storage import bulk
from node.storage.refusals import Refusal
from node.workflow import audit
from node.workflow.desk import Desk


async def note(desk: Desk, refused: Refused) -> None:
    """Note the refusal, unless it was noted today."""
    now = desk.clock()
    key = {"day": now.date(), "username": refused.username, "action": refused.action}
    async with desk.database.reading() as session:
        if await session.get(Refusal, tuple(key.values())) is not None:
            return
    async with desk.database.writing.begin() as session:
        await session.execute(delete(Refusal).where(Refusal.day < now.date()))
        if not await bulk.add_new(session, Refusal, **key):
            return
        audit.note(
            session,
            now,
            actor=refused.username,
            action="refused",
            subject=refused.action,
            came_from=refused.came_from,
        )
