"""The indexer: puts new editions into the search index, little by little.

Words and marks of an item cost about as much as taking it in. So they are made after the fact, and
after each batch the indexer rests: while thousands of messages arrive, most of the time is theirs.
"""

from __future__ import annotations

import asyncio

from node.search import index
from node.workflow.desk import Desk

REST = 3.0
"""Times as long as it worked; at the end of a burst the index is a few minutes behind."""


class Indexer:
    """Indexes for one office."""

    def __init__(self, desk: Desk, *, rest: float = REST) -> None:
        self._desk = desk
        self._rest = rest

    async def step(self) -> bool:
        """One batch; whether there was any."""
        time = asyncio.get_running_loop().time
        began = time()
        if not await index.step(self._desk.database):
            return False
        await asyncio.sleep(self._rest * (time() - began))
        return True
