"""The board at which open pages wait for something to happen in the office's database."""

from __future__ import annotations

import asyncio

from node.storage.wake import Watch

TABLES = ("events", "notices")


class Board:
    """Counts what happened. One for each application; told by the database's watch."""

    def __init__(self, watch: Watch) -> None:
        self.count = 0
        self.closing = False
        self._changed = asyncio.Event()
        for table in TABLES:
            watch.on(table, self._happened)

    def close(self) -> None:
        """The server stops: whoever waits goes."""
        self.closing = True
        self._happened()

    async def after(self, seen: int) -> int:
        """Wait until something happened after `seen`; the count then."""
        while self.count == seen:
            await self._changed.wait()
        return self.count

    def _happened(self) -> None:
        self.count += 1
        waiting, self._changed = self._changed, asyncio.Event()
        waiting.set()
