"""The composition root: builds one office's node from its settings, starts and stops it.

Nothing is opened before `start`. A node has two halves, which one process or two may run: the
relay (loops, keys, broker) and the web (pages and API, no key).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

import structlog
from cryptography.hazmat.primitives.serialization import Encoding

from node.bootstrap import brokers, keyring
from node.config import Settings
from node.errors import SupersededError
from node.keys import file as keys
from node.keys.ring import KeyRing
from node.keys.signer import FileSigner
from node.loop import Loop, Wakers
from node.relay import window
from node.relay.accountant import Accountant
from node.relay.asker import Asker
from node.relay.auditor import Auditor
from node.relay.blobs import BlobSender
from node.relay.caretaker import Caretaker, Storekeeper
from node.relay.certifier import Certifier
from node.relay.collector import Collector
from node.relay.consumer import Consumer
from node.relay.expiry import ExpiryWatch
from node.relay.memory import BLOBS, Switchboard
from node.relay.publisher import Publisher
from node.relay.recovery import Recoverer
from node.relay.renewer import Renewer
from node.relay.replay import Replayer
from node.relay.routes import AmqpTransport
from node.relay.supplier import Supplier
from node.relay.transport import Transport
from node.storage import wake
from node.storage.database import Database
from node.storage.shelf import Shelf
from node.workflow import directory
from node.workflow.desk import Desk
from protocol.identifiers import NodeId, uuid7
from protocol.trust import Chains, IssuingOffice, Place, issuing_office

log = structlog.get_logger()

Half = Literal["both", "web", "relay"]
AUDIT_POLL = 1.0
STATEMENT_POLL = 600.0
STOREKEEPER_POLL = 600.0
EXPIRY_POLL = 3600.0
CERTIFICATE_POLL = 10.0
"""What a command wrote is found by then; what was done in this process, at once."""


def system_clock() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def ids_of(clock: Callable[[], datetime]) -> Callable[[], UUID]:
    """Makes UUIDs of version 7 with the clock's time, and randomness of the operating system."""
    return lambda: uuid7(clock(), os.urandom(10))


@dataclass
class Node:
    """One office's node, built and not yet started."""

    settings: Settings
    desk: Desk
    half: Half
    switchboard: Switchboard | None = None
    _loops: list[Loop] = field(default_factory=list)
    _running: list[asyncio.Task[None]] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _telling: asyncio.Task[None] | None = None
    _untold: bool = False
    _transport: AmqpTransport | None = None
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> None:
        """Enter the neighbours and start the loops."""
        settings, desk = self.settings, self.desk
        try:
            incarnation = await self.enter()
        except SupersededError:
            log.exception("node.superseded", node=desk.node)
            return
        if self.half == "web":
            if desk.database.is_postgresql:
                desk.wakers.on("outbox", self._notify)
                desk.wakers.on("purged", self._notify_purged)
            return
        ring = keyring.of(settings)
        transport, lane = self._carriers(ring)
        signer = ring.signer()
        poll = settings.relay.poll
        publishers = [
            Publisher(
                desk, transport, signer, settings.relay, incarnation=incarnation, carries=carries
            )
            for carries in self._ways()
        ]
        consumer = Consumer(desk, transport, settings.relay)
        sending = [Loop("publisher", publisher.step, poll=poll) for publisher in publishers]
        taking = Loop("consumer", consumer.step, poll=poll)
        sealing = Loop("auditor", Auditor(desk).step, poll=AUDIT_POLL)
        stating = Loop("accountant", Accountant(desk).step, poll=STATEMENT_POLL)
        recovering = Loop("recoverer", Recoverer(desk).step, poll=poll)
        replaying = Loop("replayer", Replayer(desk, settings.relay).step, poll=poll)
        blobs = BlobSender(desk, lane, signer, incarnation=incarnation)
        asking = Loop("asker", Asker(desk, blobs, settings.relay).step, poll=poll)
        supplying = Loop("supplier", Supplier(desk, blobs).step, poll=poll)
        collecting = Loop("collector", Collector(desk, lane).step, poll=poll)
        storing = Loop("storekeeper", Storekeeper(desk).step, poll=STOREKEEPER_POLL)
        self._loops = [*sending, taking, sealing, stating, recovering, replaying]
        self._loops += [asking, supplying, collecting, storing]
        certifier = Certifier(desk, ring, settings.certificates)
        trusting = [
            Loop("certifier", certifier.step, poll=CERTIFICATE_POLL),
            Loop("renewer", Renewer(desk, ring, signer).step, poll=CERTIFICATE_POLL),
        ]
        self._loops += [*trusting, Loop("expiry", ExpiryWatch(desk, ring).step, poll=EXPIRY_POLL)]
        for loop in trusting:
            desk.wakers.on("certificates", loop.wake)
        lane.on_arrival(collecting.wake)
        for loop in (asking, supplying):
            lane.on_way(loop.wake)
            desk.wakers.on("files", loop.wake)
        transport.on_arrival(taking.wake)
        transport.on_way(lambda: desk.wakers.wake("outbox"))
        for loop in sending:
            desk.wakers.on("outbox", loop.wake)
        desk.wakers.on("quarantine", replaying.wake)
        desk.wakers.on("purged", storing.wake)
        desk.wakers.on("superseded", self._withdraw)
        if self._transport is not None:
            caretaker = Caretaker(
                lambda: directory.children(desk.database), self._transport.children_changed
            )
            self._loops.append(Loop("caretaker", caretaker.step, poll=poll))
            self._spawn(self._transport.run())
        if self.half == "relay" and desk.database.is_postgresql:
            self._spawn(wake.listen(settings.database_url, desk.wakers.wake, self._stopping))
        self._running = [self._spawn(loop.run()) for loop in self._loops]
        log.info("node.started", node=desk.node, half=self.half)

    async def enter(self) -> int:
        """Enter this office and the one above into the database; this office's incarnation.

        Raises `SupersededError` where a later one goes on in its place.
        """
        desk = self.desk
        async with desk.database.writing.begin() as session:
            await directory.know(session, desk.office, "self", self.settings.office.region_code)
            if desk.parent is not None:
                await directory.know(session, desk.parent, "parent")
            await session.flush()
            if await directory.superseded_by(session, desk.node) is not None:
                raise SupersededError
            return await directory.own_incarnation(session, desk.node)

    async def stop(self) -> None:
        """Finish the steps under way, close connections."""
        self._stopping.set()
        for loop in self._loops:
            loop.stop()
        # The loops first: a step under way needs the connections for its confirms.
        await asyncio.gather(*self._running, return_exceptions=True)
        if self._transport is not None:
            self._transport.stop()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.desk.database.close()
        log.info("node.stopped", node=self.desk.node)

    def signer(self) -> FileSigner:
        """The node's key. Raises `ConfigurationError`."""
        return keyring.of(self.settings).signer()

    def _carriers(self, ring: KeyRing) -> tuple[Transport, Transport]:
        """What carries messages, and what carries pieces beside them."""
        settings, desk = self.settings, self.desk
        if self.switchboard is not None:
            board = self.switchboard
            return board.connect(desk.node), board.connect(desk.node, BLOBS)
        brokers.warn(settings)
        self._transport = AmqpTransport(
            desk.node,
            parent=NodeId(settings.parent.id) if settings.parent else None,
            parent_broker=settings.parent.broker if settings.parent else None,
            own_broker=settings.hub.broker if settings.hub else None,
            management=settings.hub.management if settings.hub else None,
            children=lambda: directory.children(desk.database),
            prefetch=settings.relay.batch * 2,
            parent_tls=brokers.above(ring, desk, system_clock),
            own_tls=brokers.own(ring, desk, system_clock),
        )
        return self._transport, self._transport.blobs

    def _withdraw(self) -> None:
        # Another copy of this node goes on: this one must neither send nor take from its queue.
        for loop in self._loops:
            loop.stop()
        if self._transport is not None:
            self._transport.stop()

    def _ways(self) -> list[Callable[[NodeId], bool]]:
        """Which neighbours are reached on the same way, one broker or one process."""
        parent, hub = self.settings.parent, self.settings.hub
        if self._transport is None or parent is None or hub is None:
            return [window.everyone]
        # A broker that confirms nothing must not hold up what goes to the other.
        return [lambda peer: peer == parent.id, lambda peer: peer != parent.id]

    def _notify(self) -> None:
        # One at a time: a burst of deeds must not take every connection to say the same.
        self._untold = True
        if self._telling is None or self._telling.done():
            self._telling = self._spawn(self._tell())

    def _notify_purged(self) -> None:
        self._spawn(wake.notify(self.desk.database, "purged"))

    async def _tell(self) -> None:
        while self._untold:
            self._untold = False
            await wake.notify(self.desk.database, "outbox")

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("node.task_failed", node=self.desk.node, error=type(error).__name__)


def build(
    settings: Settings,
    *,
    half: Half = "both",
    switchboard: Switchboard | None = None,
    clock: Callable[[], datetime] = system_clock,
) -> Node:
    """A node from its settings. Raises `ConfigurationError`; opens no connection."""
    if half != "web":
        brokers.demand(settings)
    chain = keys.read_certificates(settings.path(settings.keys.node_chain))
    roots = keys.read_certificates(settings.path(settings.keys.root))
    chains = Chains(roots)
    own = chains.verify(tuple(c.public_bytes(Encoding.DER) for c in chain), clock())
    desk = Desk(
        office=settings.office.reference,
        parent=settings.parent.reference if settings.parent else None,
        database=Database(settings.database_url, pool_size=settings.database.pool_size),
        chains=chains,
        place=Place(own.path, _issuing(settings)),
        clock=clock,
        new_id=ids_of(clock),
        wakers=Wakers(),
        limits=settings.limits,
        shelf=Shelf(settings.path(settings.files.folder)),
    )
    return Node(settings=settings, desk=desk, half=half, switchboard=switchboard)


def _issuing(settings: Settings) -> IssuingOffice | None:
    path = settings.path(settings.keys.issuing_chain)
    return issuing_office(keys.read_certificates(path)[0]) if path.exists() else None
