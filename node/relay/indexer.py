"""The indexer: puts new editions into the search index, little by little.

Words and marks of an item cost about as much as taking it in. So they are made after the fact, and
after each batch the indexer rests: while thousands of messages arrive, the time is theirs.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from node.search import index
from node.workflow.desk import Desk

REST = 1.0
"""Times as long as it worked: pages get their turn."""
REST_IN_BURST = 30.0
"""The same while messages are being taken in. What a burst brings is found when it is over."""


class Indexer:
    """Indexes for one office. `is_taking_in` says whether messages are being taken in just now."""

    def __init__(
        self,
        desk: Desk,
        is_taking_in: Callable[[], bool],
        *,
        time: Callable[[], float] = time.monotonic,
    ) -> None:
        self._desk = desk
        self._is_taking_in = is_taking_in
        self._time = time
        self.rest = 0.0
        """So many seconds belong to others before the next step."""

    async def step(self) -> bool:
        """One batch; whether there was any."""
        began = self._time()
        if not await index.step(self._desk.database):
            return False
        self.rest = (self._time() - began) * (REST_IN_BURST if self._is_taking_in() else REST)
        return True
