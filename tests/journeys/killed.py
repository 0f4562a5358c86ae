"""The relay of a real node that kills itself (SIGKILL) at the worst moment, once.

    python -m tests.journeys.killed FOLDER acknowledge   committed, not yet acknowledged
    python -m tests.journeys.killed FOLDER publish       confirmed by the broker, not yet marked

Nothing else differs from `zhitong serve FOLDER --only relay`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from node import config
from node.bootstrap import node as bootstrap
from node.relay.routes import AmqpTransport
from node.relay.transport import Delivery, Parcel


class Doomed(AmqpTransport):
    """A transport that dies with its process."""

    async def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        if MOMENT == "acknowledge":
            _die()
        await super().acknowledge(deliveries)

    async def publish(self, parcels: Sequence[Parcel]) -> list[bool]:
        confirmed = await super().publish(parcels)
        if MOMENT == "publish":
            assert all(confirmed), "nothing was confirmed yet"
            _die()
        return confirmed


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def _run(folder: Path) -> None:
    node = bootstrap.build(config.load(folder), half="relay")
    await node.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    MOMENT = sys.argv[2]
    bootstrap.AmqpTransport = Doomed
    asyncio.run(_run(Path(sys.argv[1])))
