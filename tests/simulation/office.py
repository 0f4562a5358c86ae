"""One simulated office: the product's publisher, consumer, recoverer and workflow on one database.

It works one step at a time, when it is told to, and can be killed at any await of a step: then its
memory is gone, what it had not acknowledged returns to its queue, and it is built anew on the
same database. A publish that waits for its confirm is the one step beside which others work.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import select

from node.bootstrap import restoration
from node.config import LimitSettings, RelaySettings
from node.relay.accountant import Accountant
from node.relay.auditor import Auditor
from node.relay.consumer import Consumer
from node.relay.publisher import Publisher
from node.relay.recovery import Recoverer
from node.storage.database import Database
from node.storage.people import Person
from node.storage.shelf import Shelf
from node.workflow import directory, people, recovery
from node.workflow.desk import Actor, Desk
from protocol.identifiers import NodeId, uuid7
from tests.simulation.databases import Databases
from tests.simulation.faults import Failure, KilledError, Tripwire, mortal
from tests.simulation.shapes import Post
from tests.simulation.time import Clock
from tests.simulation.wire import Wire, Wires

Outcome = Literal["worked", "idle", "waits", "failed", "killed"]


@dataclass(frozen=True)
class Fate:
    """What is to happen to a step: killed at an await, a statement that fails, or nothing."""

    killed_at: int = 0
    failure: Failure | None = None
    failing_at: int = 0

    def __str__(self) -> str:
        if self.killed_at:
            return f" kill at {self.killed_at}"
        return f" {self.failure} at {self.failing_at}" if self.failure else ""


UNHARMED = Fate()


class Office:
    """A node as the simulator drives it."""

    def __init__(
        self,
        post: Post,
        database: Database,
        tripwire: Tripwire,
        wires: Wires,
        clock: Clock,
        random: Random,
        settings: RelaySettings,
    ) -> None:
        self.post, self.database, self.clock = post, database, clock
        self.woken = True
        """Something was committed since the publisher last came to rest."""
        self.has_items = False
        """Something was written here, or arrived."""
        self.harmed = False
        """A statement was refused here, so that poison in the quarantine is no surprise."""
        self.recovering = False
        """Restored from a snapshot, and not told everything yet."""
        self.incarnation = 1
        self.made: set[UUID] = set()
        """The ids that were given out since somebody emptied this."""
        self.actors: dict[str, Actor] = {}
        self._tripwire, self._wires, self._random = tripwire, wires, random
        self._settings = settings
        self._publishing: asyncio.Task[Any] | None = None

    @property
    def node(self) -> NodeId:
        """The office's id."""
        return self.post.reference.id

    @property
    def waits(self) -> bool:
        """Whether a publish waits for its confirm."""
        return self._publishing is not None

    def _build(self) -> None:
        self.desk = Desk(
            office=self.post.reference,
            parent=self.post.parent,
            database=self.database,
            chains=self.post.authority.chains,
            place=self.post.authority.place,
            clock=self.clock,
            new_id=self._new_id,
            limits=LimitSettings(),
            shelf=Shelf(Path("no-file-is-handed-in-here")),
        )
        watch = self.database.watch
        # The loops of the process before are gone.
        watch._waiting.clear()
        watch.elsewhere = frozenset()
        for table in ("outbox", "links"):
            watch.on(table, self._wake)
        self.wire: Wire = self._wires.attach(self.node)
        signer = self.post.authority.signer
        self._publisher = Publisher(
            self.desk, self.wire, signer, self._settings, incarnation=self.incarnation
        )
        self._consumer = Consumer(self.desk, self.wire, self._settings)
        self._auditor = Auditor(self.desk)
        self._accountant = Accountant(self.desk)
        self._recoverer = Recoverer(self.desk)
        self.woken = True

    @property
    def due(self) -> datetime | None:
        """When, on the office's clock, its loops have something to do though nothing happens."""
        times = [self._publisher.due]
        if self.recovering:
            times.append(self._recoverer.due)
        return min((time for time in times if time is not None), default=None)

    def _new_id(self) -> UUID:
        id = uuid7(self.clock(), self._random.randbytes(10))
        self.made.add(id)
        return id

    def _wake(self) -> None:
        self.woken = True

    async def enter(self) -> None:
        """The process starts, as the incarnation that its database says; and meets the people.

        It connects, so that no step is killed while it does.
        """
        async with self.database.reading() as session:
            for person in await session.scalars(select(Person)):
                self.actors[person.username] = people.actor_of(person)
            self.incarnation = await directory.own_incarnation(session, self.node)
            self.recovering = await recovery.is_open(session)
        self._build()

    async def publish(self, fate: Fate = UNHARMED) -> Outcome:
        """One step of the publisher; `waits` when its confirm has not come."""
        if self._publishing is not None:
            return "waits"
        self.woken = False
        self.wire.waiting.clear()
        step = asyncio.create_task(self._mortal(self._publisher.step(), fate))
        held = asyncio.create_task(self.wire.waiting.wait())
        await asyncio.wait({step, held}, return_when=asyncio.FIRST_COMPLETED)
        held.cancel()
        if not step.done():
            self._publishing = step
            # A failure that was meant for this step must not strike another.
            self._tripwire.disarm()
            return "waits"
        return await self._outcome(step, self._wake)

    async def confirm(self) -> Outcome:
        """The confirm comes for which a publish waits."""
        if self._publishing is None or self.wire.confirm is None:
            return "idle"
        step, self._publishing = self._publishing, None
        self.wire.confirm.set_result(None)
        return await self._outcome(step, self._wake)

    async def take(self, fate: Fate = UNHARMED) -> Outcome:
        """One step of the consumer."""
        self.wire.acknowledged.clear()
        return await self.do(self._consumer.step(), fate)

    async def seal(self, fate: Fate = UNHARMED) -> Outcome:
        """One step of the auditor."""
        return await self.do(self._auditor.step(), fate)

    async def state_accounts(self) -> Outcome:
        """One step of the accountant."""
        return await self.do(self._accountant.step())

    async def recover(self, fate: Fate = UNHARMED) -> Outcome:
        """One step of the recoverer."""
        outcome = await self.do(self._recoverer.step(), fate)
        async with self.database.reading() as session:
            self.recovering = await recovery.is_open(session)
        return outcome

    async def do(
        self,
        work: Coroutine[Any, Any, Any],
        fate: Fate = UNHARMED,
        done: Callable[[Any], None] | None = None,
    ) -> Outcome:
        """Do any work of the office's process; `done` is told what it came to."""
        return await self._outcome(self._mortal(work, fate), done=done)

    async def kill(self) -> None:
        """The process is gone, and a new one starts."""
        await self._stop()
        await self.enter()

    async def restore(self, databases: Databases, backup_at: datetime) -> None:
        """The disk is lost; a new process goes on from the snapshot that was kept."""
        await self._stop()
        await databases.go_back(self.node)
        signer = self.post.authority.signer
        async with self.database.writing.begin() as session:
            await restoration.begin_epoch(
                session, self.node, signer, backup_at=backup_at, now=self.clock()
            )
        await self.enter()

    async def _stop(self) -> None:
        await self._tripwire.die()
        if self._publishing is not None and self.wire.confirm is not None:
            step, self._publishing = self._publishing, None
            self.wire.confirm.set_exception(KilledError())
            await asyncio.wait({step})
            step.exception()
        await self.database.close()
        self._tripwire.sever()
        self.wire.close()
        self._tripwire.disarm()

    async def _mortal(self, work: Coroutine[Any, Any, Any], fate: Fate) -> Any:
        if fate.failure is not None:
            self._tripwire.arm(fate.failure, fate.failing_at)
            self.harmed |= fate.failure == "bad"
        return await mortal(work, fate.killed_at, self._tripwire.die)

    async def _outcome(
        self,
        work: Coroutine[Any, Any, Any] | asyncio.Task[Any],
        worked: Callable[[], None] | None = None,
        done: Callable[[Any], None] | None = None,
    ) -> Outcome:
        try:
            result = await work
        except BaseException:
            # On its way out, dead work may replace the error that killed it by any other.
            if not self._tripwire.dead:
                if not self._tripwire.tripped:
                    raise
                self.woken = True
                return "failed"
        finally:
            dead = self._tripwire.dead
            self._tripwire.disarm()
        if dead:
            await self.kill()
            return "killed"
        if done is not None:
            done(result)
            return "worked"
        if result and worked is not None:
            worked()
        return "worked" if result else "idle"
