"""Wrong guesses, counted by the address they come from: after a few in a row it has to wait.

For what has no account that could be locked. It is kept in memory: what is guessed at has more
than a hundred random bits, so this spares the database and the log, and a restart may forget it.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta

LONGEST_RUN = 5
LOCKED_FOR = timedelta(minutes=15)
MOST_ADDRESSES = 10_000


class Attempts:
    """The addresses that guessed wrongly of late; the oldest is forgotten when there are many."""

    def __init__(self) -> None:
        self._wrong: OrderedDict[str, tuple[int, datetime]] = OrderedDict()

    def locked(self, address: str, now: datetime) -> bool:
        """Whether the address has to wait."""
        count, last = self._wrong.get(address, (0, now))
        return count >= LONGEST_RUN and now - last < LOCKED_FOR

    def failed(self, address: str, now: datetime) -> None:
        """A wrong guess came from there."""
        count, last = self._wrong.pop(address, (0, now))
        self._wrong[address] = (count + 1 if now - last < LOCKED_FOR else 1, now)
        if len(self._wrong) > MOST_ADDRESSES:
            self._wrong.popitem(last=False)

    def succeeded(self, address: str) -> None:
        """A right one came from there."""
        self._wrong.pop(address, None)
