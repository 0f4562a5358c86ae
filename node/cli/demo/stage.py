"""The demo's stage: seven offices set up as an operator would, with their databases and accounts.

On the embedded default that is SQLite in a folder and the memory transport. On real servers each
office gets a database of its own, and the hubs' queues are cleared before and after.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aio_pika
from aio_pika import ExchangeType
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from node.bootstrap import enrolment
from node.bootstrap.desk import system_clock
from node.bootstrap.node import Node, build
from node.bootstrap.server import Serving
from node.cli.demo.cast import OFFICES, PASSWORD, Account, Cast, OfficePlan
from node.config import OfficeSettings, Settings, load
from node.relay.memory import Switchboard
from node.relay.topology import Hub
from node.storage import migrate
from node.storage.database import Database, Session
from node.storage.people import Membership, Person, Unit
from node.workflow import enrolment as requests
from node.workflow import passwords, people
from node.workflow.access import SYSTEM_ADMINISTRATOR
from node.workflow.calendar import day_of
from node.workflow.desk import Actor, Desk
from protocol.enrolment import root_of
from protocol.identifiers import NodeId

FIRST_PORT = 8801
PREFIX = "zhitong_demo_"
UNIT = "住房和城乡建设局"


class Stage:
    """Where the demo plays."""

    def __init__(
        self, folder: Path, *, broker: str | None, database: str | None, ports: bool
    ) -> None:
        self._folder = folder
        self._broker = broker
        self._database = database
        self._ports = ports
        self.nodes: dict[str, Node] = {}
        self.addresses: dict[str, str] = {}

    @asynccontextmanager
    async def open(self, cast: Cast) -> AsyncIterator[None]:
        """Set everything up, serve, and take down at the end what is not kept."""
        await self._clear()
        switchboard = Switchboard() if self._broker is None else None
        try:
            for index, office in enumerate(OFFICES):
                await self._set_up(office, FIRST_PORT + index if self._ports else 0)
            await self._add_people(cast)
            for office in OFFICES:
                self.nodes[office.id] = build(
                    load(self._folder / office.id), switchboard=switchboard
                )
            serving = Serving(list(self.nodes.values()))
            self.addresses = await serving.start()
            try:
                yield
            finally:
                await serving.stop()
        finally:
            await self._clear()

    async def actor(self, account: Account) -> Actor:
        """One of the demo's authors."""
        async with self.nodes[account.office].desk.database.reading() as session:
            return people.actor_of(await people.by_username(session, account.username))

    async def _set_up(self, office: OfficePlan, port: int) -> None:
        folder = self._folder / office.id
        own = OfficeSettings(
            id=office.id, name=office.name, level=office.level, region_code=office.region_code
        )
        content: dict[str, dict[str, object]] = {
            "web": {"port": port, "secure_cookies": False, "design": True},
        }
        has_children = any(other.parent == office.id for other in OFFICES)
        if self._database is not None:
            content["database"] = {"url": self._database_url(office.id), "pool_size": 3}
        if self._broker is not None and has_children:
            # With its account: everybody shares the one that the demo was given.
            content["hub"] = {"broker": self._broker, "address": self._broker}
        below = office.parent is not None
        enrolment.prepare(folder, own, content, hub=below and has_children)
        if office.parent is None:
            enrolment.make_root(folder, own, system_clock())
        else:
            await self._enrol(folder, load(self._folder / office.parent))
        database = Database(load(folder).database_url)
        await migrate.upgrade(database)
        await database.close()

    async def _enrol(self, folder: Path, above: Settings) -> None:
        desk = build(above, half="web").desk
        actor = Actor(
            id=desk.new_id(),
            username="demo",
            name="demo",
            roles=frozenset({SYSTEM_ADMINISTRATOR}),
        )
        request = enrolment.request_of(folder)
        await requests.enter(desk, actor, request.model_dump_json())
        welcome = await enrolment.welcome(above, desk, actor, request.office.id)
        await desk.database.close()
        enrolment.accept(folder, welcome, root=root_of(desk.chains.roots[0]))

    async def _add_people(self, cast: Cast) -> None:
        # Everyone has the demo's password, so one slow hash is enough.
        hashed = await asyncio.to_thread(passwords.hash_password, PASSWORD)
        for office in OFFICES:
            node = build(load(self._folder / office.id), half="web")
            staff = [
                Person(username="editor", name=office.editor, roles=["editor"]),
                Person(username="signer", name="签发人", roles=["signer"]),
                Person(username="leader", name="分管领导", roles=["leader"]),
                Person(username="handler", name="承办单位联络员", roles=["handler"]),
                Person(username="admin", name="系统管理员", roles=["system_administrator"]),
                Person(username="security", name="安全管理员", roles=["security_administrator"]),
                Person(username="auditor", name="审计管理员", roles=["auditor"]),
            ]
            authors = [
                Person(
                    username=account.username,
                    name=account.name,
                    roles=["author"],
                    kind=account.kind,
                    unit=account.unit,
                )
                for account in cast.accounts
                if account.office == office.id
            ]
            async with node.desk.database.writing.begin() as session:
                for person in staff + authors:
                    person.id = node.desk.new_id()
                    person.password_hash = hashed
                    person.created_at = node.desk.clock()
                    session.add(person)
                _add_unit(session, node.desk, staff)
            await node.desk.database.close()

    def _database_url(self, office: str) -> str:
        url = make_url(self._database or "").set(database=PREFIX + office)
        return url.render_as_string(hide_password=False)

    async def _clear(self) -> None:
        """Remove what an earlier demo left on the servers, and make empty databases."""
        if self._broker is not None:
            await _clear_broker(self._broker)
        if self._database is not None:
            await _clear_databases(self._database, [office.id for office in OFFICES])


def _add_unit(session: Session, desk: Desk, staff: list[Person]) -> None:
    """A handling unit, with its person."""
    [handler] = [person for person in staff if person.username == "handler"]
    unit = Unit(id=desk.new_id(), code="B1", name=UNIT, kind="handling_unit", version=1)
    member = Membership(
        id=desk.new_id(),
        person_id=handler.id,
        unit_id=unit.id,
        main=False,
        since=day_of(desk.clock()),
    )
    session.add_all([unit, member])


async def _clear_broker(url: str) -> None:
    connection = await aio_pika.connect(url, timeout=10)
    async with connection:
        channel = await connection.channel()
        for office in OFFICES:
            children = [NodeId(o.id) for o in OFFICES if o.parent == office.id]
            hub = Hub(NodeId(office.id))
            for queue in hub.queues(children) if children else []:
                await channel.queue_delete(queue.name)
                await channel.queue_delete(queue.dead)
                for name in (queue.exchange, hub.dead_exchange):
                    await channel.declare_exchange(name, ExchangeType.DIRECT, durable=True)
                    await channel.exchange_delete(name)


async def _clear_databases(url: str, offices: list[str]) -> None:
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        for office in offices:
            name = PREFIX + office
            await connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
            await connection.execute(text(f'CREATE DATABASE "{name}"'))
    await engine.dispose()
