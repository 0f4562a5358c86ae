"""A backlog drains: what it costs the two offices in memory, beyond what they need when idle.

The city is off while the county's outbox is filled; then it comes back, and everything goes over
one hop, receipts included. The clock runs from the start of its process. Memory is the kernel's own
count of resident bytes: VmRSS when idle, VmHWM, the highest that ever was, when all is done. The
highest is counted anew once an office is idle, but for the city, whose start is in its figure.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.bench import pair
from tests.servers.postgres import Postgres

MEGABYTE = 1_000_000
IDLE_SECONDS = 3.0


@dataclass(frozen=True)
class Memory:
    """Resident MB (10⁶ bytes) of one office: idle, at most while draining, and afterwards."""

    idle: float
    peak: float
    after: float

    @property
    def growth(self) -> float:
        """What the backlog cost."""
        return self.peak - self.idle


@dataclass(frozen=True)
class Drain:
    """How a backlog drained."""

    messages: int
    sender_database: str
    messages_per_second: float
    sender: Memory
    receiver: Memory

    @property
    def memories(self) -> dict[str, Memory]:
        """The memory of both offices, by what they are."""
        return {
            f"sender on {self.sender_database}": self.sender,
            f"receiver from {self.sender_database}": self.receiver,
        }

    @property
    def growth(self) -> dict[str, float]:
        """What the backlog cost either."""
        return {office: memory.growth for office, memory in self.memories.items()}

    def as_json(self) -> dict[str, Any]:
        """Everything, growth included."""
        return {**asdict(self), "growth": self.growth}


def measure(
    broker: str, management: str, postgres: Postgres, *, count: int, sqlite: bool = False
) -> Drain:
    """Let so many messages pile up, and drain. `sqlite` is the sender's database."""
    return asyncio.run(_measure(broker, management, postgres, count, sqlite))


async def _measure(
    broker: str, management: str, postgres: Postgres, count: int, sqlite: bool
) -> Drain:
    databases = {pair.COUNTY: pair.SQLITE} if sqlite else {}
    opened = pair.opened(broker, management, postgres, databases=databases)
    async with opened as offices, offices.running(pair.COUNTY) as county:
        async with offices.running(pair.CITY) as city:
            await offices.place(1)
            await offices.until_received(1, "the first message")
            idle = [await _idle(process.pid) for process in (county, city)]
        _count_anew(county.pid)
        await offices.place(count)
        began = time.monotonic()
        async with offices.running(pair.CITY) as city:
            await offices.until_received(count + 1, "the backlog")
            elapsed = time.monotonic() - began
            done = [_status(process.pid) for process in (county, city)]
        await offices.demand_taken_in(count + 1)
    sender, receiver = (
        Memory(before, after["VmHWM"], after["VmRSS"])
        for before, after in zip(idle, done, strict=True)
    )
    return Drain(count, "SQLite" if sqlite else "PostgreSQL", count / elapsed, sender, receiver)


async def _idle(pid: int) -> float:
    """What is resident when nothing has happened for a while."""
    await asyncio.sleep(IDLE_SECONDS)
    return _status(pid)["VmRSS"]


def _count_anew(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def _status(pid: int) -> dict[str, float]:
    """The process's memory in MB, as the kernel names and counts it."""
    lines = (line.split() for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return {
        words[0].rstrip(":"): int(words[1]) * 1024 / MEGABYTE
        for words in lines
        if words[0] in ("VmRSS:", "VmHWM:")
    }
