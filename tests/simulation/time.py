"""Virtual time: one time for the world, and for each office a clock that may be wrong.

Nobody waits: the simulator moves the time. Each look at a clock takes a millisecond, so that what
happens later never has the same time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.factories import NOW

LOOK = timedelta(milliseconds=1)


@dataclass
class Time:
    """What time it really is."""

    now: datetime = NOW

    def move(self, by: timedelta) -> None:
        """Let time pass."""
        self.now += by


@dataclass
class Clock:
    """What time an office believes it is."""

    time: Time
    wrong_by: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        self.time.move(LOOK)
        return self.shown

    @property
    def shown(self) -> datetime:
        """The same, without spending time on the look."""
        return self.time.now + self.wrong_by
