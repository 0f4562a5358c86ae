"""The two ends of one link, driven by hand: a county, the city above it, and a wire that a test can
cut in the ways in which networks and brokers fail.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from node.bootstrap import keyring
from node.config import RelaySettings
from node.relay.consumer import Consumer
from node.relay.memory import MemoryTransport, Switchboard
from node.relay.publisher import Publisher
from node.relay.transport import CONTENT_TYPE, Delivery, Parcel, Properties
from node.storage.messages import Incoming, Outgoing, Quarantined
from node.storage.offices import Link
from node.workflow import outbox
from protocol import envelope
from protocol.identifiers import NodeId
from protocol.keys import Signer
from protocol.messages import event
from protocol.messages.links import Receipt
from protocol.offices import Record
from tests.factories import make_submission
from tests.node import rooms
from tests.node.rooms import Clock, Room
from tests.offices import Hierarchy
from tests.protocol import forgery

COUNTY, CITY, SIBLING = NodeId("donghu"), NodeId("yunzhou"), NodeId("xishan")
SETTINGS = RelaySettings(
    window=5, batch=50, receipt_within=30.0, first_probe=30.0, longest_probe=3600.0
)
ROUNDS = 50


class KilledError(BaseException):
    """The process was killed here: nothing catches it."""


@dataclass
class Wire(MemoryTransport):
    """A memory transport with faults. `sent` is everything that was ever handed to it."""

    connected: bool = True
    """Whether the broker can be reached."""
    confirms: bool = True
    """Without: the broker never confirms, though it may have the message."""
    unconfirmed: frozenset[UUID] = frozenset()
    """Messages that are not confirmed, and do not arrive."""
    loses: bool = False
    """What was confirmed never arrives: the queue was deleted."""
    then: Callable[[], Awaitable[None]] | None = None
    """What happens between the publishing and the end of `publish`."""
    sent: list[Parcel] = field(default_factory=list)

    def reachable(self, peer: NodeId) -> bool:
        return self.connected

    async def publish(self, parcels: Sequence[Parcel]) -> list[bool]:
        self.sent += parcels
        arriving = [p for p in parcels if id_of(p) not in self.unconfirmed]
        if not self.loses:
            await super().publish(arriving)
        if self.then is not None:
            await self.then()
        return [self.confirms and p in arriving for p in parcels]

    def drain(self) -> list[Parcel]:
        """What was handed over since the last call."""
        drained, self.sent = self.sent, []
        return drained


@dataclass
class End:
    """One office at its end of the link."""

    room: Room
    wire: Wire
    signer: Signer
    publisher: Publisher
    consumer: Consumer

    @property
    def node(self) -> NodeId:
        return self.room.desk.node

    @property
    def clock(self) -> Clock:
        return self.room.clock

    async def post(
        self, data: Record, *, to: NodeId, subject: UUID | None = None, urgency: str = "normal"
    ) -> UUID:
        """Place one message into the outbox; its id."""
        known = {row.id for row in await self.outbox()}
        async with self.room.database.writing.begin() as session:
            outbox.post(
                session,
                self.room.desk,
                data,
                to=to,
                now=self.clock(),
                subject=subject,
                urgency=urgency,
            )
        [new] = [row.id for row in await self.outbox() if row.id not in known]
        return new

    async def send_all(self) -> list[Parcel]:
        """Publish until nothing more is due now; what was handed to the wire."""
        self.wire.drain()
        for _ in range(ROUNDS):
            if not await self.publisher.step():
                return self.wire.drain()
        raise AssertionError("the publisher never comes to rest")

    async def take_all(self) -> None:
        """Take in until nothing more has arrived."""
        while await self.consumer.step():
            pass

    async def forward(
        self, count: int = 1, *, to: NodeId = CITY, urgency: str = "normal"
    ) -> list[UUID]:
        """Place submissions of this office into the outbox; the ids of the messages."""
        return [
            await self.post(self.item(), to=to, subject=self.new_id(), urgency=urgency)
            for _ in range(count)
        ]

    def item(self, **overrides: Any) -> Record:
        """The content of a submission that was written at this office."""
        return make_submission(**{"origin": self.room.desk.office} | overrides)

    def new_id(self) -> UUID:
        return self.room.desk.new_id()

    def seal(
        self,
        data: Record | bytes,
        to: NodeId,
        *,
        subject: UUID | None = None,
        id: UUID | None = None,
        at: datetime | None = None,
        signer: Signer | None = None,
        incarnation: int = 1,
    ) -> bytes:
        """A token of this office, past its outbox. `data` may be the payload itself."""
        payload = data
        if not isinstance(payload, bytes):
            payload = self.payload(payload, to, subject=subject, id=id)
        return envelope.seal(
            payload,
            signer or self.signer,
            signed_at=at or self.clock.now,
            incarnation=incarnation,
        )

    def payload(
        self, data: Record, to: NodeId, *, subject: UUID | None = None, id: UUID | None = None
    ) -> bytes:
        """The bytes to sign."""
        return event.compose(
            data,
            id=id or self.new_id(),
            sender=self.node,
            recipient=to,
            subject=subject,
            time=self.clock.now,
        )

    async def outbox(self) -> list[Outgoing]:
        """The outbox, in the order in which it was filled."""
        return await self._rows(select(Outgoing).order_by(Outgoing.created_at, Outgoing.id))

    async def states(self) -> list[str]:
        """Where the messages of the outbox stand."""
        return [row.state for row in await self.outbox()]

    async def row(self, id: UUID) -> Outgoing:
        """One message of the outbox."""
        [row] = [row for row in await self.outbox() if row.id == id]
        return row

    async def receipts(self) -> list[Receipt]:
        """The receipts that wait to be sent."""
        return [
            Receipt.model_validate(event.decode(row.payload).data)
            for row in await self.outbox()
            if row.name == "receipt"
        ]

    async def inbox(self) -> list[Incoming]:
        """The inbox, in the order of arrival."""
        return await self._rows(select(Incoming).order_by(Incoming.received_at, Incoming.id))

    async def quarantine(self) -> list[Quarantined]:
        """What was refused here."""
        return await self._rows(select(Quarantined).order_by(Quarantined.first_at, Quarantined.id))

    async def link(self, peer: NodeId) -> Link:
        """What is remembered of a neighbour."""
        async with self.room.database.reading() as session:
            return await session.get_one(Link, peer)

    async def items(self) -> int:
        """How many items are at this office."""
        return len((await rooms.contents(self.room.database))["items"])

    async def _rows(self, query: Any) -> list[Any]:
        async with self.room.database.reading() as session:
            return list(await session.scalars(query))


@dataclass(frozen=True)
class Ends:
    """Both ends of the link, on one clock."""

    county: End
    city: End
    clock: Clock
    switchboard: Switchboard
    hierarchy: Hierarchy

    def wait(self, seconds: float) -> None:
        """Let time pass, for both."""
        self.clock.move(timedelta(seconds=seconds))

    async def exchange(self) -> None:
        """Carry everything, both ways, until there is nothing left to do."""
        for _ in range(ROUNDS):
            worked = [
                await step()
                for end in (self.county, self.city)
                for step in (end.publisher.step, end.consumer.step)
            ]
            if not any(worked):
                return
        raise AssertionError("the two offices never come to rest")

    def arrive(
        self, body: bytes, at: End, *, queue: str = "memory", dead: bool = False, **properties: Any
    ) -> None:
        """Put a delivery before the office's consumer, with whatever properties."""
        said = Properties(**{"content_type": CONTENT_TYPE} | properties)
        self.switchboard.queue(at.node).append(Delivery(body, said, queue, dead))

    def signer(self, office: str) -> Signer:
        """The signer of any office of the hierarchy."""
        return _signer(self.hierarchy, office)


def id_of(parcel: Parcel) -> UUID:
    """The id of the message in a parcel."""
    return UUID(parcel.properties.message_id)


def ids(parcels: Sequence[Parcel]) -> list[UUID]:
    """The ids of the messages in parcels."""
    return [id_of(parcel) for parcel in parcels]


def properties_of(token: bytes, **changed: Any) -> dict[str, Any]:
    """What an honest sender says about its token, with changes."""
    content = event.decode(forgery.decode(token.split(b".")[1]))
    honest = {
        "message_id": str(content.id),
        "type": content.type,
        "app_id": content.sender,
        "user_id": content.sender,
        "content_type": CONTENT_TYPE,
    }
    return honest | changed


def opened(parcel: Parcel, at: End) -> envelope.Opened:
    """A parcel as the office that it is for reads it."""
    desk = at.room.desk
    return envelope.open_message(parcel.body, chains=desk.chains, place=desk.place, now=None)


@asynccontextmanager
async def joined(hierarchy: Hierarchy, settings: RelaySettings = SETTINGS) -> AsyncIterator[Ends]:
    """The county 东湖 and the city 云州, open, with a wire between them."""
    assert hierarchy.switchboard is not None
    clock, ends = Clock(), []
    try:
        for office in (COUNTY, CITY):
            node = hierarchy.open(office, clock=clock)
            room = await rooms.enter(node, clock)
            wire = Wire(hierarchy.switchboard, office)
            signer = _signer(hierarchy, office)
            publisher = Publisher(node.desk, wire, signer, settings, incarnation=1)
            ends.append(End(room, wire, signer, publisher, Consumer(node.desk, wire, settings)))
        yield Ends(*ends, clock=clock, switchboard=hierarchy.switchboard, hierarchy=hierarchy)
    finally:
        for node in hierarchy.nodes.values():
            await node.desk.database.close()


def _signer(hierarchy: Hierarchy, office: str) -> Signer:
    settings = hierarchy.settings(office)
    return keyring.of(settings).signer()
