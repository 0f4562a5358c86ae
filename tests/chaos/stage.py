"""Where it plays: offices in processes of their own, on real brokers and databases, joined by
proxies.

Every office reaches every broker that it uses through a proxy of its own, a *line*. The province
uses the first broker and database server, the offices below it the last ones; one county, where
the plan has it, lives on SQLite. The servers belong to whoever opens the stage.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
from yarl import URL

from node.bootstrap.node import Node
from node.storage import migrate
from node.storage.database import Database
from tests.chaos.nodes import NodeProcess
from tests.chaos.plan import Kind
from tests.journeys import travel
from tests.node.relay.proxy import Proxy
from tests.offices import DEPTH_2, DONGHU, Plan
from tests.servers.postgres import Postgres
from tests.servers.rabbitmq import RabbitMQ

LINHAI = Plan("linhai", "临海市政协", "city", (Plan("qingshan", "青山县政协", "county"),))
PROVINCE = Plan("jiangyuan", "江原省政协", "province", (DEPTH_2, LINHAI))
ON_SQLITE = DONGHU.id

RELAY: dict[str, Any] = {
    "receipt_within": 5.0,
    "first_probe": 1.0,
    "longest_probe": 5.0,
}
"""In a minute of chaos nobody can wait an hour for the next probe."""


@dataclass(frozen=True)
class Line:
    """An office's way to a broker."""

    office: str
    broker: str
    proxy: Proxy


@dataclass
class Stage:
    """Everything that a fault may strike, by name, and the offices as they are set up."""

    above: dict[str, str | None] = field(default_factory=dict)
    desks: dict[str, Node] = field(default_factory=dict)
    """Opened in this process to look at the databases; never started."""
    nodes: dict[str, NodeProcess] = field(default_factory=dict)
    brokers: dict[str, RabbitMQ] = field(default_factory=dict)
    databases: dict[str, Postgres] = field(default_factory=dict)
    lines: dict[str, Line] = field(default_factory=dict)

    @property
    def counties(self) -> list[str]:
        """The offices with nobody below them."""
        return [office for office in self.above if office not in self.above.values()]

    def targets(self) -> Mapping[Kind, Sequence[str]]:
        """What each kind of fault may strike."""
        nodes, brokers, lines = list(self.nodes), list(self.brokers), list(self.lines)
        return {
            Kind.NODE_KILL: nodes,
            Kind.BROKER_KILL: brokers,
            Kind.DATABASE_RESTART: list(self.databases),
            Kind.CUT: lines,
            Kind.BLACK_HOLE: lines,
            Kind.MEMORY_ALARM: brokers,
        }


@asynccontextmanager
async def opened(
    folder: Path,
    plan: Plan,
    brokers: Sequence[tuple[RabbitMQ, str]],
    databases: Sequence[Postgres],
) -> AsyncIterator[Stage]:
    """The plan's offices, running. Each broker comes with the virtual host to use on it."""
    stage = Stage(
        brokers={f"broker {number}": server for number, (server, _) in enumerate(brokers, 1)},
        databases={f"database {number}": server for number, server in enumerate(databases, 1)},
    )
    made: list[tuple[Postgres, str]] = []
    async with AsyncExitStack() as stack:
        stack.push_async_callback(_drop, made)
        await _set_up(stage, folder, plan, databases, made)
        stack.push_async_callback(_close, stage)
        vhosts = dict(zip(stage.brokers, (vhost for _, vhost in brokers), strict=True))
        hubs = dict(_hubs(plan, list(stage.brokers)))
        for office, parent in stage.above.items():
            own, upper = hubs.get(office), hubs.get(parent or "")
            urls = {}
            for name in {own, upper} - {None}:
                assert name is not None
                proxy = await stack.enter_async_context(Proxy(stage.brokers[name].port))
                stage.lines[f"{office} to {name}"] = Line(office, name, proxy)
                urls[name] = str(URL(stage.brokers[name].url(vhosts[name])).with_port(proxy.port))
            settings = {}
            if own is not None:
                settings["ZHITONG_HUB__BROKER"] = urls[own]
                settings["ZHITONG_HUB__MANAGEMENT"] = stage.brokers[own].management_url
            if upper is not None:
                settings["ZHITONG_PARENT__BROKER"] = urls[upper]
            stage.nodes[office] = NodeProcess(folder / office, settings)
        # One after the other: each hub declares the queues that those below it read.
        for node in stage.nodes.values():
            await stack.enter_async_context(node)
        yield stage


def _hubs(plan: Plan, brokers: Sequence[str], depth: int = 0) -> Iterator[tuple[str, str]]:
    """The broker of each office that has offices below it."""
    if plan.below:
        yield plan.id, brokers[min(depth, len(brokers) - 1)]
        for below in plan.below:
            yield from _hubs(below, brokers, depth + 1)


async def _set_up(
    stage: Stage,
    folder: Path,
    plan: Plan,
    databases: Sequence[Postgres],
    made: list[tuple[Postgres, str]],
) -> None:
    async def make_database(office: str) -> str:
        if office == ON_SQLITE:
            return "sqlite+aiosqlite:///zhitong.sqlite"
        server = databases[0 if office == plan.id else -1]
        template = await _template(server, made)
        made.append((server, f"chaos_{office}"))
        return await server.create_database(f"chaos_{office}", template)

    # Brokers' addresses come from the environment, where each office's line is known.
    nobody = "amqp://nobody@127.0.0.1"
    hierarchy = await travel.set_up(
        folder, plan, broker=nobody, make_database=make_database, **RELAY
    )
    stage.desks = hierarchy.nodes
    _note_parents(stage, plan, None)


async def _template(server: Postgres, made: list[tuple[Postgres, str]]) -> str:
    name = "chaos_template"
    if (server, name) not in made:
        made.append((server, name))
        database = Database(await server.create_database(name))
        await migrate.upgrade(database)
        await database.close()
    return name


def _note_parents(stage: Stage, plan: Plan, parent: str | None) -> None:
    stage.above[plan.id] = parent
    for below in plan.below:
        _note_parents(stage, below, plan.id)


async def _close(stage: Stage) -> None:
    for node in stage.desks.values():
        await node.desk.database.close()


async def _drop(made: list[tuple[Postgres, str]]) -> None:
    for server, name in made:
        # After an error it may be down, or not up yet: its owner removes it with all it holds.
        with suppress(OSError, asyncpg.PostgresError):
            await server.drop_database(name)
