"""Names on a hub's broker. All carry the hub's id, so that hubs may share a broker.

    exchange zt.H.up    (direct)  →  queue zt.H.in        what children send to the hub H
    exchange zt.H.down  (direct)  →  queue zt.H.to.C      what the hub sends to its child C
    exchange zt.H.dead  (direct)  →  queues zt.H.dead and zt.H.to.C.dead

Queues are durable quorum queues. Limits and dead-lettering are set by policy, since redeclaring
a queue with other arguments fails: see `node/relay/policies`. The hub declares everything; a
child declares nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pamqp.common import FieldTable

from protocol.identifiers import NodeId

QUORUM: FieldTable = {"x-queue-type": "quorum"}


@dataclass(frozen=True)
class Queue:
    """A queue, and the dead-letter queue beside it."""

    name: str
    exchange: str
    key: str

    @property
    def dead(self) -> str:
        """Where messages go that killed their consumer several times."""
        return self.name.removesuffix(".in") + ".dead"


@dataclass(frozen=True)
class Hub:
    """The names on one hub's broker."""

    node: NodeId

    @property
    def up(self) -> Queue:
        """What children send to the hub."""
        return Queue(f"zt.{self.node}.in", f"zt.{self.node}.up", "in")

    def down(self, child: NodeId) -> Queue:
        """What the hub sends to a child."""
        return Queue(f"zt.{self.node}.to.{child}", f"zt.{self.node}.down", child)

    @property
    def dead_exchange(self) -> str:
        """Where dead letters are routed, by the name of their dead-letter queue."""
        return f"zt.{self.node}.dead"

    def queues(self, children: Sequence[NodeId]) -> list[Queue]:
        """All the queues of the hub."""
        return [self.up, *(self.down(child) for child in children)]
