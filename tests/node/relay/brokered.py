"""Offices on a real broker: 东湖 and 西山 below 云州, each with its whole node running.

`traffic` goes both ways; `demand_once` waits until everything has settled and then asks that
everything is there, once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit
from uuid import UUID

import aio_pika
import httpx
from aio_pika.abc import AbstractChannel
from sqlalchemy import func, select

from node.config import FILE_NAME
from node.relay.routes import AmqpTransport
from node.relay.topology import Hub, Queue
from node.storage.events import Event, Notice
from node.storage.items import Item
from node.storage.messages import Incoming, Outgoing, Quarantined
from node.storage.people import Person
from node.workflow import decisions, forwarding
from protocol.identifiers import NodeId
from tests.node import rooms
from tests.node.rooms import Clock, Room
from tests.offices import Hierarchy
from tests.servers.rabbitmq import AUTH, RabbitMQ
from tests.waiting import until

COUNTY, CITY, SIBLING = NodeId("donghu"), NodeId("yunzhou"), NodeId("xishan")
HUB = Hub(CITY)
UP, DOWN = HUB.up, HUB.down(COUNTY)
RELAY = {"receipt_within": 1.5, "first_probe": 0.5, "longest_probe": 2.0}
SECONDS = 60.0


@dataclass
class Brokered:
    """The offices' nodes, and the broker between them."""

    hierarchy: Hierarchy
    url: str
    server: RabbitMQ
    rooms: dict[str, Room]

    @property
    def county(self) -> Room:
        return self.rooms[COUNTY]

    @property
    def city(self) -> Room:
        return self.rooms[CITY]

    @property
    def virtual_host(self) -> str:
        return urlsplit(self.url).path.removeprefix("/")

    def transport(self, office: str) -> AmqpTransport:
        """The transport of a running node."""
        transport = self.rooms[office].node._transport
        assert transport is not None
        return transport

    async def start(self, *offices: str) -> None:
        """Start these offices' nodes anew, and wait until those above can be reached."""
        for office in offices:
            node = self.hierarchy.open(office)
            self.rooms[office] = await rooms.enter(node, Clock())
            await node.start()

    def reroute(self, office: str, port: int) -> None:
        """Have an office dial its parent's broker at another port."""
        file = self.hierarchy.folder / office / FILE_NAME
        dialled = f":{self.server.port}/"
        file.write_text(file.read_text().replace(dialled, f":{port}/"))

    async def ready(self) -> None:
        """Wait until both can publish to one another, and the city's first list is answered."""
        await until(lambda: self.transport(CITY).reachable(COUNTY), what="the city's broker")
        await until(lambda: self.transport(COUNTY).reachable(CITY), what="the county's broker")
        await self._greeted()

    async def stop(self, *offices: str) -> None:
        """Stop these offices' nodes."""
        for office in offices:
            await self.rooms.pop(office).node.stop()

    async def traffic(self, count: int = 1) -> list[UUID]:
        """Items that the county forwards; nobody waits for their arrival."""
        items = []
        for _ in range(count):
            item = await self.county.registered()
            await forwarding.forward_up(self.county.desk, self.county.editor, item)
            items.append(item)
        return items

    async def arrived(self, items: Sequence[UUID]) -> None:
        """Wait until the city has them all."""
        query = select(func.count()).select_from(Item).where(Item.id.in_(items))
        await until(lambda: self._count(self.city, query, len(items)), SECONDS, "all items above")

    async def decide(self, items: Sequence[UUID]) -> None:
        """The city registers the items, and so tells the county."""
        for item in items:
            await decisions.register(self.city.desk, self.city.editor, item)

    async def _greeted(self) -> None:
        """Wait until the county has answered for the revocation list of the city."""
        query = (
            select(func.count())
            .select_from(Outgoing)
            .where(
                Outgoing.name == "revocations",
                Outgoing.peer == COUNTY,
                Outgoing.state == "received",
            )
        )
        await until(lambda: self._count(self.city, query, 1), SECONDS, "an answer for the list")

    async def settled(self) -> None:
        """Wait until no message is under way."""
        for room in self.rooms.values():
            # An office that is off does not answer for the revocation list that it is sent.
            query = (
                select(func.count())
                .select_from(Outgoing)
                .where(Outgoing.state != "received", Outgoing.name != "revocations")
            )
            await until(
                lambda room=room, query=query: self._count(room, query, 0),
                SECONDS,
                f"all receipts for {room.desk.node}",
            )

    async def demand_once(self, items: Sequence[UUID]) -> None:
        """Everything arrives, above and below, and has one effect."""
        await self.arrived(items)
        await self.decide(items)
        await self.settled()
        async with self.city.database.reading() as session:
            above = await session.execute(
                select(Event.item_id, Event.kind).where(Event.item_id.in_(items))
            )
            wanted = [(item, kind) for item in items for kind in ("submitted", "registered")]
            assert Counter(map(tuple, above)) == Counter(wanted)
            brought = await session.scalars(
                select(Incoming.subject).where(Incoming.subject.in_(items))
            )
            assert Counter(brought) == Counter(items)
        async with self.county.database.reading() as session:
            below = await session.execute(
                select(Event.item_id, Event.kind, Event.id).where(
                    Event.item_id.in_(items), Event.office == CITY
                )
            )
            facts = {event: (item, kind) for item, kind, event in below}
            assert sorted(facts.values()) == sorted((item, "registered") for item in items)
            told = await session.execute(
                select(Notice.event_id, Person.username)
                .join(Person, Person.id == Notice.person_id)
                .where(Notice.event_id.in_(facts))
            )
            assert Counter(map(tuple, told)) == Counter((event, "lin") for event in facts)
        for room in self.rooms.values():
            async with room.database.reading() as session:
                assert list(await session.scalars(select(Quarantined.code))) == []

    async def pending(self, office: str) -> list[str]:
        """The states of the business messages in an office's outbox that are not yet answered."""
        async with self.rooms[office].database.reading() as session:
            return list(
                await session.scalars(
                    select(Outgoing.state).where(
                        Outgoing.state != "received", Outgoing.priority > 0
                    )
                )
            )

    @asynccontextmanager
    async def channel(self) -> AsyncIterator[AbstractChannel]:
        """A channel of somebody else on the broker."""
        connection = await aio_pika.connect(self.url, timeout=10)
        try:
            yield await connection.channel()
        finally:
            await connection.close()

    async def depth(self, queue: str) -> int:
        """How many messages wait in a queue, without those that are delivered already."""
        async with self.channel() as channel:
            declared = await channel.declare_queue(queue, passive=True)
            return declared.declaration_result.message_count or 0

    async def exists(self, queue: Queue) -> bool:
        """Whether the broker has the queue."""
        answer = await self.ask(f"queues/{self._quoted}/{quote(queue.name, safe='')}")
        return answer.status_code == httpx.codes.OK

    async def ask(self, path: str) -> httpx.Response:
        """Ask the management API."""
        async with httpx.AsyncClient(auth=AUTH, trust_env=False) as client:
            return await client.get(f"{self.server.management_url}/api/{path}")

    async def policies(self) -> dict[str, dict[str, object]]:
        """The policies of the virtual host, by name."""
        answer = await self.ask(f"policies/{self._quoted}")
        return {policy["name"]: policy for policy in answer.raise_for_status().json()}

    async def limited(self) -> None:
        """Wait until every queue of the city has its policy, which messages do not wait for."""
        wanted = {queue.name for queue in HUB.queues([COUNTY, SIBLING])}

        async def set_for_all() -> bool:
            return set(await self.policies()) >= wanted

        await until(set_for_all, what="the policies of all queues")

    @property
    def _quoted(self) -> str:
        return quote(self.virtual_host, safe="")

    @staticmethod
    async def _count(room: Room, query: object, wanted: int) -> bool:
        async with room.database.reading() as session:
            return await session.scalar(query) == wanted


@asynccontextmanager
async def opened(
    hierarchy: Hierarchy, url: str, server: RabbitMQ, **relay: object
) -> AsyncIterator[Brokered]:
    """The offices on the broker, none of them running yet."""
    wire(hierarchy.folder, url, server.management_url, **relay)
    hierarchy.switchboard = None
    place = Brokered(hierarchy, url, server, {})
    try:
        yield place
    finally:
        await place.stop(*place.rooms)


def wire(folder: Path, url: str, management: str | None, **relay: object) -> None:
    """Have offices that were set up without a broker use this one."""
    for office in folder.iterdir():
        file = office / FILE_NAME
        if not file.is_file():
            continue
        text = file.read_text().replace("[parent]\n", f'[parent]\nbroker = "{url}"\n')
        for name, value in (RELAY | relay).items():
            lines = [ln for ln in text.splitlines() if not ln.startswith(f"{name} =")]
            at = lines.index("[relay]") + 1
            text = "\n".join([*lines[:at], f"{name} = {value}", *lines[at:], ""])
        if (office / "keys" / "issuing.pem").exists():
            text += f'\n[hub]\nbroker = "{url}"\n'
            text += f'management = "{management}"\n' if management else ""
        file.write_text(text)
