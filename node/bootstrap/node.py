"""The composition root: builds one office's node from its settings, starts and stops it.

Nothing is opened before `start`. A node has two halves, which one process or two may run: the
relay (loops, keys, broker) and the web (pages and API, no key).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

import structlog

from node.bootstrap import brokers, gate, keyring, moving
from node.bootstrap import desk as desks
from node.bootstrap.desk import system_clock
from node.config import Settings
from node.errors import SupersededError
from node.keys.ring import KeyRing
from node.keys.signer import FileSigner
from node.loop import Loop, finish
from node.relay import window
from node.relay.accountant import Accountant
from node.relay.amqp import virtual_host_of
from node.relay.asker import Asker
from node.relay.auditor import Auditor
from node.relay.blobs import BlobSender
from node.relay.broker_accounts import BrokerAccounts
from node.relay.caretaker import (
    Analyst,
    Archivist,
    Caretaker,
    Registrar,
    Storekeeper,
    Supervisor,
)
from node.relay.certifier import Certifier
from node.relay.collector import Collector
from node.relay.consumer import Consumer
from node.relay.enroller import Enroller
from node.relay.expiry import ExpiryWatch
from node.relay.gatekeeper import Gatekeeper
from node.relay.indexer import Indexer
from node.relay.memory import BLOBS, Switchboard
from node.relay.mover import Mover
from node.relay.publisher import Publisher
from node.relay.recovery import Recoverer
from node.relay.renewer import Renewer
from node.relay.replay import Replayer
from node.relay.revoker import Revoker
from node.relay.routes import AmqpTransport
from node.relay.supplier import Supplier
from node.relay.topology import Hub
from node.relay.transport import Transport
from node.storage.wake import SHOWN, WATCHED
from node.workflow import directory, places, revocation_lists
from node.workflow.desk import Desk
from protocol.identifiers import NodeId

log = structlog.get_logger()

Half = Literal["both", "web", "relay"]
STOP_SECONDS = 20.0
"""A little longer than a step waits for a broker's confirms."""
AUDIT_GATHERS = 1.0
"""Seconds of deeds that are sealed together."""
STATEMENT_POLL = 600.0
STOREKEEPER_POLL = 600.0
EXPIRY_POLL = 3600.0
REGISTRAR_POLL = 3600.0
SUPERVISOR_POLL = 3600.0
ARCHIVIST_POLL = 86_400.0
ANALYST_POLL = 3600.0


class Worker(Protocol):
    """What a loop repeats.

    Where it has a `due`, that is when it has something to do again; where it has a `rest`, that is
    how many seconds it leaves to others after a step.
    """

    async def step(self) -> bool:
        """Do one bounded piece of work; whether there was any."""


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
        watch = desk.database.watch
        if self.half == "web":
            # For open pages: the relay commits in another process.
            watch.elsewhere = WATCHED
            self._spawn(watch.listen(settings.database_url, self._stopping))
            return
        ring = keyring.of(settings)
        async with desk.database.reading() as session:
            drained = await places.former_parents(session, desk.clock())
        formers = {one: moving.former_ring(settings, one) for one in drained}
        transport, lane = self._carriers(ring, formers)
        signer = ring.signer()
        signers = {one: former.signer() for one, former in formers.items()}
        for carries in self._ways(drained):
            publisher = Publisher(
                desk,
                transport,
                signer,
                settings.relay,
                incarnation=incarnation,
                formers=signers,
                carries=carries,
            )
            sending = self._loop("publisher", publisher, "outbox", "links")
            transport.on_way(sending.wake)
        consumer = Consumer(desk, transport, settings.relay, superseded=self._withdraw)
        transport.on_arrival(self._loop("consumer", consumer).wake)
        self._loop("auditor", Auditor(desk), "audit", "epochs", gather=AUDIT_GATHERS)
        self._loop("accountant", Accountant(desk), poll=STATEMENT_POLL)
        self._loop("replayer", Replayer(desk, settings.relay), "quarantine")
        recoverer = Recoverer(desk)
        recovering = self._loop("recoverer", recoverer, "epochs", "recoveries", "returned")
        self._while_waiting(recoverer, recovering, "inbox")
        blobs = BlobSender(desk, lane, signer, incarnation=incarnation, formers=signers)
        asker = Asker(desk, blobs, settings.relay)
        asking = self._loop("asker", asker, "transfers")
        self._while_waiting(asker, asking, "links")
        supplying = self._loop("supplier", Supplier(desk, blobs), "orders")
        for loop in (asking, supplying):
            lane.on_way(loop.wake)
        lane.on_arrival(self._loop("collector", Collector(desk, lane)).wake)
        self._loop("storekeeper", Storekeeper(desk), "purges", poll=STOREKEEPER_POLL)
        registrar = Registrar(desk, settings.people.keep_contact_years)
        self._loop("registrar", registrar, poll=REGISTRAR_POLL)
        self._loop("supervisor", Supervisor(desk), poll=SUPERVISOR_POLL)
        self._loop("archivist", Archivist(desk), poll=ARCHIVIST_POLL)
        self._loop("analyst", Analyst(desk), poll=ANALYST_POLL)
        indexer = Indexer(desk, lambda: consumer.is_taking_in)
        self._loop("indexer", indexer, "search_pending")
        certifier = Certifier(desk, ring, settings.certificates)
        self._loop("certifier", certifier, "certificate_requests")
        self._loop("renewer", Renewer(desk, ring, signer), "renewals")
        mover = Mover(desk, ring, signer, incarnation=incarnation)
        self._loop("mover", mover, "places")
        enroller = Enroller(
            desk, ring, gate.of(settings), declared=self._serves, randomness=os.urandom
        )
        transport.on_way(self._loop("enroller", enroller, "enrolments").wake)
        revoker = Revoker(desk, ring, incarnation=incarnation)
        self._loop("revoker", revoker, "revoked_certificates", "revocation_lists", "offices")
        if settings.hub is not None and settings.hub.management is not None:
            host = virtual_host_of(settings.hub.broker)
            accounts = BrokerAccounts(settings.hub.management, host, Hub(desk.node))
            self._loop("gatekeeper", Gatekeeper(desk, accounts), "revoked_certificates")
        self._loop("expiry", ExpiryWatch(desk, ring), poll=EXPIRY_POLL)
        if self._transport is not None:
            caretaker = Caretaker(
                lambda: directory.children(desk.database), self._transport.children_changed
            )
            self._loop("caretaker", caretaker, "offices")
            self._spawn(self._transport.run())
        watch.elsewhere = SHOWN if self.half == "relay" else frozenset()
        self._spawn(watch.listen(settings.database_url, self._stopping))
        self._running = [self._spawn(loop.run(), loop.name) for loop in self._loops]
        log.info("node.started", node=desk.node, half=self.half)

    def _loop(
        self, name: str, worker: Worker, *tables: str, poll: float | None = None, gather: float = 0
    ) -> Loop:
        """A loop of the worker's steps, woken by what is committed to the tables."""

        def due() -> float | None:
            at: datetime | None = getattr(worker, "due", None)
            return None if at is None else (at - self.desk.clock()).total_seconds()

        def rest() -> float:
            return getattr(worker, "rest", 0.0)

        poll = self.settings.relay.poll if poll is None else poll
        loop = Loop(name, worker.step, poll=poll, due=due, rest=rest, gather=gather)
        for table in tables:
            self.desk.database.watch.on(table, loop.wake)
        self._loops.append(loop)
        return loop

    def _while_waiting(self, worker: Recoverer | Asker, loop: Loop, table: str) -> None:
        """Wake the loop for what is committed to a busy table only while it may be of use."""
        self.desk.database.watch.on(table, lambda: loop.wake() if worker.is_waiting else None)

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
            await places.load(session, desk)
            await revocation_lists.refresh(session, desk)
            return await directory.own_incarnation(session, desk.node)

    async def stop(self) -> None:
        """Finish the steps under way, close connections. What takes too long is cut short."""
        self._stopping.set()
        for loop in self._loops:
            loop.stop()
        # The loops first: a step under way needs the connections for its confirms.
        await finish(self._running, STOP_SECONDS)
        if self._transport is not None:
            self._transport.stop()
        await finish(list(self._tasks), STOP_SECONDS)
        await self.desk.database.close()
        log.info("node.stopped", node=self.desk.node)

    def signer(self) -> FileSigner:
        """The node's key. Raises `ConfigurationError`."""
        return keyring.of(self.settings).signer()

    def _carriers(
        self, ring: KeyRing, formers: Mapping[NodeId, KeyRing]
    ) -> tuple[Transport, Transport]:
        """What carries messages, and what carries pieces beside them."""
        settings, desk = self.settings, self.desk
        if self.switchboard is not None:
            board = self.switchboard
            return board.connect(desk.node), board.connect(desk.node, BLOBS)
        brokers.warn(settings)
        self._transport = AmqpTransport(
            desk.node,
            parent=NodeId(settings.parent.id) if settings.parent else None,
            parent_broker=keyring.parent_broker(settings),
            own_broker=settings.hub.broker if settings.hub else None,
            management=settings.hub.management if settings.hub else None,
            children=lambda: directory.children(desk.database),
            prefetch=settings.relay.batch * 2,
            parent_tls=brokers.above(ring, desk, system_clock),
            own_tls=brokers.own(ring, desk, system_clock),
            formers={
                one: (address, brokers.below(former, desk, system_clock, one))
                for one, former in formers.items()
                if (address := moving.former_broker(settings, one)) is not None
            },
        )
        return self._transport, self._transport.blobs

    def _serves(self, child: NodeId) -> bool:
        return self._transport is None or self._transport.serves(child)

    def _withdraw(self) -> None:
        # Another copy of this node goes on: this one must neither send nor take from its queue.
        for loop in self._loops:
            loop.stop()
        if self._transport is not None:
            self._transport.stop()

    def _ways(self, formers: Sequence[NodeId]) -> list[Callable[[NodeId], bool]]:
        """Which neighbours are reached on the same way, one broker or one process."""
        parent, hub = self.settings.parent, self.settings.hub
        above = [*formers, *([] if parent is None else [NodeId(parent.id)])]
        if self._transport is None or not above or (hub is None and len(above) == 1):
            return [window.everyone]
        # A broker that confirms nothing must not hold up what goes to another.
        return [*(one.__eq__ for one in above), lambda peer: peer not in above]

    def _spawn(
        self, work: Coroutine[None, None, None], name: str | None = None
    ) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
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
    desk = desks.build(settings, clock=clock)
    return Node(settings=settings, desk=desk, half=half, switchboard=switchboard)
