"""Offices whose hubs each have a broker of their own, reached over TLS by certificates alone.

As the runbook has it: keys and certificates first, then the brokers with theirs, then accounts
without passwords.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from re import escape

from node.bootstrap import brokers
from node.bootstrap.node import system_clock
from tests.journeys import travel
from tests.offices import Hierarchy, MakeDatabase, Plan
from tests.servers.rabbitmq import RabbitMQ

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Secured:
    """The offices, not started, and the running broker of each hub."""

    hierarchy: Hierarchy
    servers: dict[str, RabbitMQ]

    async def logins(self, hub: str) -> set[tuple[str, str, bool]]:
        """Who is connected to a hub's broker, how they logged in, and whether over TLS."""
        listed = await asyncio.to_thread(
            self.servers[hub].ctl,
            *("--formatter", "json", "list_connections", "user", "auth_mechanism", "ssl"),
        )
        return {(row["user"], row["auth_mechanism"], row["ssl"]) for row in json.loads(listed)}


@asynccontextmanager
async def opened(folder: Path, plan: Plan, make_database: MakeDatabase) -> AsyncIterator[Secured]:
    """The plan's offices and brokers."""
    hubs = dict(_hubs(plan))
    servers = {hub: RabbitMQ(tls=folder / "brokers" / hub) for hub in hubs}
    hierarchy = await travel.set_up(
        folder / "offices",
        plan,
        broker={hub: server.tls_url for hub, server in servers.items()},
        make_database=make_database,
    )
    for hub in hubs:
        files = folder / "brokers" / hub
        brokers.certify(hierarchy.settings(hub), [HOST], files, system_clock())
    try:
        await asyncio.gather(*(asyncio.to_thread(s.start) for s in servers.values()))
        for hub, children in hubs.items():
            await _accounts(servers[hub], hub, children)
        yield Secured(hierarchy, servers)
    finally:
        for server in servers.values():
            await asyncio.to_thread(server.close)


def _hubs(plan: Plan) -> Iterator[tuple[str, list[str]]]:
    if plan.below:
        yield plan.id, [child.id for child in plan.below]
        for child in plan.below:
            yield from _hubs(child)


async def _accounts(server: RabbitMQ, hub: str, children: list[str]) -> None:
    own = f"^{escape(f'zt.{hub}.')}"
    await server.create_account(hub, configure=own, write=own, read=own)
    for child in children:
        await account(server, hub, child)


async def account(server: RabbitMQ, hub: str, child: str) -> None:
    """What an office below may do at the hub's broker."""
    down = f"^{escape(f'zt.{hub}.to.{child}')}([.](blob|dead))?$"
    up = f"^{escape(f'zt.{hub}.up')}$"
    await server.create_account(child, configure="^$", write=up, read=down)
