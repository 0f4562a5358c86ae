"""Names on a hub's broker. All carry the hub's id, so that hubs may share a broker.

    exchange zt.H.up    (direct)  →  queue zt.H.in          what children send to the hub H
                                  →  queue zt.H.blob        pieces of files, likewise
    exchange zt.H.down  (direct)  →  queue zt.H.to.C        what the hub sends to its child C
                                  →  queue zt.H.to.C.blob   pieces of files, likewise
    exchange zt.H.dead  (direct)  →  queues zt.H.dead and zt.H.to.C.dead

Queues are durable quorum queues. Limits and dead-lettering are set by policy, since redeclaring
a queue with other arguments fails: see `node/relay/policies`. The hub declares everything; a
child declares nothing. A piece that kills its consumer ends in the dead-letter queue of ordinary
messages, whose reader puts it into quarantine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pamqp.common import FieldTable

from protocol.identifiers import NodeId

QUORUM: FieldTable = {"x-queue-type": "quorum"}


@dataclass(frozen=True)
class Queue:
    """A queue, and the dead-letter queue where messages go that killed their consumer."""

    name: str
    exchange: str
    key: str
    dead: str


@dataclass(frozen=True)
class Hub:
    """The names on one hub's broker."""

    node: NodeId

    @property
    def up(self) -> Queue:
        """What children send to the hub."""
        zt = f"zt.{self.node}"
        return Queue(f"{zt}.in", f"{zt}.up", "in", f"{zt}.dead")

    @property
    def up_blobs(self) -> Queue:
        """Pieces, and wishes for pieces, that children send to the hub."""
        zt = f"zt.{self.node}"
        return Queue(f"{zt}.blob", f"{zt}.up", "blob", f"{zt}.dead")

    def down(self, child: NodeId) -> Queue:
        """What the hub sends to a child."""
        zt, name = f"zt.{self.node}", f"zt.{self.node}.to.{child}"
        return Queue(name, f"{zt}.down", child, f"{name}.dead")

    def down_blobs(self, child: NodeId) -> Queue:
        """Pieces, and wishes for pieces, that the hub sends to a child."""
        zt, name = f"zt.{self.node}", f"zt.{self.node}.to.{child}"
        return Queue(f"{name}.blob", f"{zt}.down", f"{child}.blob", f"{name}.dead")

    @property
    def dead_exchange(self) -> str:
        """Where dead letters are routed, by the name of their dead-letter queue."""
        return f"zt.{self.node}.dead"

    def queues(self, children: Sequence[NodeId]) -> list[Queue]:
        """All the queues of the hub."""
        below = [
            queue for child in children for queue in (self.down(child), self.down_blobs(child))
        ]
        return [self.up, self.up_blobs, *below]
