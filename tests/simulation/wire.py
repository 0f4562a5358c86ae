"""The memory transport with the faults of networks and brokers, all drawn from the seed.

A parcel may be lost, come twice, overtake others, arrive days later, or be corrupted; a publish
may stay unconfirmed though the parcel arrives, or wait for its confirm while others work. At every
call a process can be killed: each gives way once, as a real connection does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random

from node.relay.memory import WORK, MemoryTransport, Switchboard
from node.relay.transport import Delivery, Parcel
from protocol.identifiers import NodeId
from tests.simulation.faults import Odds
from tests.simulation.time import Time

LONGEST_DELAY = timedelta(days=9)
"""Longer than an envelope may be under way: such a message must be signed anew."""

PROPERTIES = ("message_id", "type", "app_id", "content_type", "user_id")


@dataclass(frozen=True)
class Late:
    """A delivery that is still under way."""

    due: datetime
    to: NodeId
    delivery: Delivery


class Wires(Switchboard):
    """All queues of the world. Remembers in `handle` who really sent a delivery."""

    def __init__(self, random: Random, odds: Odds, time: Time) -> None:
        super().__init__()
        self.random, self.odds, self.time = random, odds, time
        self.late: list[Late] = []
        self.cut: set[NodeId] = set()
        """Offices that reach nobody."""

    def attach(self, node: NodeId) -> Wire:
        """The transport of one office."""
        return Wire(self, node)

    def put(self, sender: NodeId, parcel: Parcel, lane: str = WORK) -> None:
        if self.odds.draws(self.random, self.odds.drop):
            return
        copies = 2 if self.odds.draws(self.random, self.odds.duplicate) else 1
        for _ in range(copies):
            super().put(sender, parcel, lane)
            queue = self.queue(parcel.peer, lane)
            delivery = replace(queue.pop(), handle=sender)
            if self.odds.draws(self.random, self.odds.corrupt):
                delivery = self._corrupted(delivery)
            if self.odds.draws(self.random, self.odds.delay):
                due = self.time.now + LONGEST_DELAY * self.random.random() ** 3
                self.late.append(Late(due, parcel.peer, delivery))
            elif self.odds.draws(self.random, self.odds.reorder):
                queue.insert(self.random.randint(0, len(queue)), delivery)
            else:
                queue.append(delivery)

    def arrive(self) -> list[NodeId]:
        """Deliver what was late and is due now; who got something."""
        due = [late for late in self.late if late.due <= self.time.now]
        self.late = [late for late in self.late if late.due > self.time.now]
        for late in due:
            self.queue(late.to).append(late.delivery)
        return [late.to for late in due]

    def lose_all(self, hub: NodeId, children: Sequence[NodeId]) -> int:
        """The hub's broker loses its contents: what is on the way to and from the children."""
        lost = 0
        for node in (hub, *children):
            senders = set(children) if node == hub else {hub}
            queue = self.queue(node)
            kept = [delivery for delivery in queue if delivery.handle not in senders]
            lost += len(queue) - len(kept)
            queue.clear()
            queue.extend(kept)
        return lost

    def _corrupted(self, delivery: Delivery) -> Delivery:
        if self.random.random() < 0.5:
            at = self.random.randrange(len(delivery.body))
            flipped = delivery.body[at] ^ 1 << self.random.randrange(8)
            body = delivery.body[:at] + bytes((flipped,)) + delivery.body[at + 1 :]
            return replace(delivery, body=body)
        name = self.random.choice(PROPERTIES)
        said = getattr(delivery.properties, name)
        at = self.random.randrange(len(said))
        wrong = chr(ord(said[at]) ^ 1 << self.random.randrange(7))
        properties = replace(delivery.properties, **{name: said[:at] + wrong + said[at + 1 :]})
        return replace(delivery, properties=properties)


@dataclass
class Wire(MemoryTransport):
    """One office's transport."""

    switchboard: Wires
    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while a publish waits for its confirm."""
    confirm: asyncio.Future[None] | None = None
    acknowledged: list[Delivery] = field(default_factory=list)
    """What was acknowledged since the office's step began."""

    @property
    def has_mail(self) -> bool:
        """Whether the consumer has something to take in, or took it and is not done."""
        return bool(self._taken or self.switchboard.queue(self.node))

    def reachable(self, peer: NodeId) -> bool:
        return not {self.node, peer} & self.switchboard.cut

    async def publish(self, parcels: Sequence[Parcel]) -> list[bool]:
        wires = self.switchboard
        confirmed = []
        for parcel in parcels:
            await asyncio.sleep(0)
            await super().publish([parcel])
            confirmed.append(not wires.odds.draws(wires.random, wires.odds.unconfirmed))
        if wires.odds.draws(wires.random, wires.odds.held):
            self.confirm = asyncio.get_running_loop().create_future()
            self.waiting.set()
            await self.confirm
        await asyncio.sleep(0)
        return confirmed

    async def take(self, limit: int) -> list[Delivery]:
        taken = await super().take(limit)
        await asyncio.sleep(0)
        return taken

    async def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        await asyncio.sleep(0)
        await super().acknowledge(deliveries)
        self.acknowledged += deliveries
        await asyncio.sleep(0)

    def close(self) -> None:
        """Put back what was not acknowledged; part of it as what killed its consumer too often."""
        wires = self.switchboard
        back = len(self._taken)
        super().close()
        queue = wires.queue(self.node)
        for place in range(back):
            if wires.odds.draws(wires.random, wires.odds.dead):
                queue[place] = replace(queue[place], dead=True)
