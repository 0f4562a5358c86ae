"""The caretaker: small things that a node looks after now and then.

A child that was certified while the node runs gets its queues; files that no item names, and
spreadsheets that nobody took in, are cleared away; contact data of people who left, and of citizens
who handed something in, are erased when they are due; whoever is to answer is reminded; an embedded
database is told what its tables hold.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import structlog

from node.storage.database import gather_statistics
from node.workflow import (
    checked_sheets,
    departures,
    files,
    public_receipts,
    retention,
    supervision,
)
from node.workflow.desk import Desk
from protocol.identifiers import NodeId

log = structlog.get_logger()


class Caretaker:
    """Notices that the children changed."""

    def __init__(
        self, children: Callable[[], Awaitable[Sequence[NodeId]]], changed: Callable[[], None]
    ) -> None:
        self._children = children
        self._changed = changed
        self._seen: frozenset[NodeId] | None = None

    async def step(self) -> bool:
        """Look once. Never says that there is more to do."""
        children = frozenset(await self._children())
        if self._seen is not None and children != self._seen:
            self._changed()
        self._seen = children
        return False


class Registrar:
    """Erases the contact data of people who left, and of citizens who wrote, long ago."""

    def __init__(self, desk: Desk, keep_years: int) -> None:
        self._desk = desk
        self._keep_years = keep_years

    async def step(self) -> bool:
        """Erase what is due; whether there may be more."""
        more = await departures.erase_due(self._desk, self._keep_years)
        return await public_receipts.erase_due(self._desk, self._keep_years) or more


class Supervisor:
    """Reminds whoever is to answer soon, or should have answered."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def step(self) -> bool:
        """Remind of what is due; whether there may be more."""
        return await supervision.remind(self._desk)


class Archivist:
    """Says in the log how many closed items were kept as long as the office decided.

    What becomes of them a person decides.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def step(self) -> bool:
        """Count once. Never says that there is more to do."""
        found = await retention.count(self._desk)
        if found:
            log.info("retention.due", items=found)
        return False


class Storekeeper:
    """Clears away files that nobody names, and spreadsheets that nobody took in."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def step(self) -> bool:
        """Clear away what is old enough; whether there may be more."""
        await checked_sheets.clear(self._desk)
        return await files.clear(self._desk)


class Analyst:
    """Has SQLite look at what its tables hold, or it reads whole tables where an index would do."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def step(self) -> bool:
        """Look once. Never says that there is more to do."""
        await gather_statistics(self._desk.database)
        return False
