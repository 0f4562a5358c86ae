"""The accountant: once a day, states what went over each link (`workflow/accounts`)."""

from __future__ import annotations

from datetime import UTC, datetime, time

from sqlalchemy import select

from node.storage.offices import Link
from node.workflow import accounts
from node.workflow.desk import Desk


class Accountant:
    """States the accounts of one office's links."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def step(self) -> bool:
        """State what is due on one link; whether anything was."""
        now = self._desk.clock()
        today = datetime.combine(now.date(), time(), UTC)
        async with self._desk.database.writing.begin() as session:
            link = await session.scalar(
                select(Link)
                .where((Link.stated_at.is_(None)) | (Link.stated_at < today))
                .order_by(Link.peer)
                .limit(1)
                .with_for_update()
            )
            if link is None:
                return False
            await accounts.state(session, self._desk, link, now)
        return True
