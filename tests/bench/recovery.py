"""After a broker was killed: how long until messages go again, when nothing else is broken.

A county hands messages to its city at a steady pace while the broker of both is ended by `kill -9`
and started again, each time after a longer absence. The clock runs from the moment when the
broker takes connections to the first message that the city has taken in since.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any

from tests.bench import pair
from tests.servers.postgres import Postgres
from tests.servers.rabbitmq import RabbitMQ

BETWEEN_MESSAGES = 0.1
CALM_SECONDS = 3.0
CARRIED_SECONDS = 120.0
LOOK_SECONDS = 0.02


@dataclass(frozen=True)
class Recovery:
    """Seconds until the first message, one figure for each restart."""

    seconds: list[float]

    @property
    def median(self) -> float:
        """The usual case."""
        return statistics.median(self.seconds)

    @property
    def longest(self) -> float:
        """The worst case."""
        return max(self.seconds)

    def as_json(self) -> dict[str, Any]:
        """Everything, median and maximum included."""
        return {**asdict(self), "median": self.median, "maximum": self.longest}


def measure(rabbitmq: RabbitMQ, postgres: Postgres, *, times: int) -> Recovery:
    """Kill and start the broker so many times."""
    return asyncio.run(_measure(rabbitmq, postgres, times))


async def _measure(rabbitmq: RabbitMQ, postgres: Postgres, times: int) -> Recovery:
    opened = pair.opened(rabbitmq.url(), rabbitmq.management_url, postgres)
    async with (
        opened as offices,
        offices.running(pair.CITY),
        offices.running(pair.COUNTY),
    ):
        await offices.place(1)
        await offices.until_received(1, "the first message")
        # Queues declared a moment ago would not survive the first kill.
        await asyncio.to_thread(rabbitmq.settle)
        async with _steadily(offices):
            seconds = []
            for number in range(times):
                print(f"restart {number + 1} of the broker", file=sys.stderr, flush=True)
                seconds.append(await _once(rabbitmq, offices, absence=float(number)))
        placed = await offices.placed()
        await offices.until_received(placed, "everything")
        await offices.demand_taken_in(placed)
    return Recovery(seconds)


async def _once(rabbitmq: RabbitMQ, offices: pair.Pair, absence: float) -> float:
    await asyncio.sleep(CALM_SECONDS)
    await asyncio.to_thread(rabbitmq.kill)
    await asyncio.sleep(absence)
    before = await offices.taken_in()
    await asyncio.to_thread(rabbitmq.start)
    accepted = time.monotonic()
    async with asyncio.timeout(CARRIED_SECONDS):
        while await offices.taken_in() == before:
            await asyncio.sleep(LOOK_SECONDS)
    return time.monotonic() - accepted


@asynccontextmanager
async def _steadily(offices: pair.Pair) -> AsyncIterator[None]:
    async def work() -> None:
        while True:
            await offices.place(1)
            await asyncio.sleep(BETWEEN_MESSAGES)

    working = asyncio.create_task(work())
    try:
        yield
        if working.done():
            await working
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
