"""The product's hop: office A's outbox in PostgreSQL → quorum queue → office B's inbox, item,
edition, events and audit in PostgreSQL → signed receipt → A's outbox row `received`.

The messages are placed into A's outbox in one transaction while both run; the clock runs from that
commit to the last receipt.
"""

from __future__ import annotations

import asyncio
import time

from tests.bench import pair
from tests.servers.postgres import Postgres


def measure(broker: str, management: str, postgres: Postgres, *, count: int) -> float:
    """Messages per second over one hop, receipts included."""
    return asyncio.run(_measure(broker, management, postgres, count))


async def _measure(broker: str, management: str, postgres: Postgres, count: int) -> float:
    async with pair.opened(broker, management, postgres) as offices:
        async with offices.running(pair.CITY), offices.running(pair.COUNTY):
            # One message first, so that the connections stand.
            await offices.place(1)
            await offices.until_received(1, "the first message")
            began = await offices.place(count)
            await offices.until_received(count + 1, "the hop")
            elapsed = time.monotonic() - began
        await offices.demand_taken_in(count + 1)
    return count / elapsed
