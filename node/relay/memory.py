"""The memory transport: queues inside one process, for the demo and the fault simulator.

A delivery that was taken and not acknowledged is delivered again when its transport is closed and
another one opens the same queue, as a broker would do.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from node.relay.transport import Delivery, Parcel
from protocol.identifiers import NodeId


class Switchboard:
    """The queues of all offices in this process: one for each (sender's side, addressee)."""

    def __init__(self) -> None:
        self._queues: dict[NodeId, deque[Delivery]] = defaultdict(deque)
        self._wakers: dict[NodeId, Callable[[], None]] = {}

    def connect(self, node: NodeId) -> MemoryTransport:
        """The transport of one office."""
        return MemoryTransport(self, node)

    def put(self, sender: NodeId, parcel: Parcel) -> None:
        """Place a parcel into its addressee's queue."""
        properties = replace(parcel.properties, user_id=sender)
        self._queues[parcel.peer].append(Delivery(parcel.body, properties, f"memory.{parcel.peer}"))
        wake = self._wakers.get(parcel.peer)
        if wake is not None:
            wake()

    def queue(self, node: NodeId) -> deque[Delivery]:
        """What waits for an office."""
        return self._queues[node]

    def on_arrival(self, node: NodeId, wake: Callable[[], None]) -> None:
        """Call `wake` whenever something is placed into the office's queue."""
        self._wakers[node] = wake


@dataclass
class MemoryTransport:
    """One office's end of the switchboard."""

    switchboard: Switchboard
    node: NodeId

    def __post_init__(self) -> None:
        self._taken: deque[Delivery] = deque()

    def on_arrival(self, wake: Callable[[], None]) -> None:
        self.switchboard.on_arrival(self.node, wake)

    def on_way(self, wake: Callable[[], None]) -> None:
        """Never: everyone is always reachable."""

    def reachable(self, peer: NodeId) -> bool:
        return True

    async def publish(self, parcels: Sequence[Parcel]) -> list[bool]:
        for parcel in parcels:
            self.switchboard.put(self.node, parcel)
        return [True] * len(parcels)

    async def take(self, limit: int) -> list[Delivery]:
        queue = self.switchboard.queue(self.node)
        taken = [queue.popleft() for _ in range(min(limit, len(queue)))]
        self._taken.extend(taken)
        return taken

    async def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        for _ in deliveries:
            self._taken.popleft()

    def close(self) -> None:
        """Put back, in order, what was not acknowledged."""
        self.switchboard.queue(self.node).extendleft(reversed(self._taken))
        self._taken.clear()
