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

WORK, BLOBS = "", ".blob"
"""The two lanes: what most messages take, and pieces beside them."""


class Switchboard:
    """The queues of all offices in this process: one for each addressee and lane."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[Delivery]] = defaultdict(deque)
        self._wakers: dict[str, Callable[[], None]] = {}

    def connect(self, node: NodeId, lane: str = WORK) -> MemoryTransport:
        """The transport of one office."""
        return MemoryTransport(self, node, lane)

    def put(self, sender: NodeId, parcel: Parcel, lane: str = WORK) -> None:
        """Place a parcel into its addressee's queue."""
        properties = replace(parcel.properties, user_id=sender)
        to = parcel.peer + lane
        self._queues[to].append(Delivery(parcel.body, properties, f"memory.{to}"))
        wake = self._wakers.get(to)
        if wake is not None:
            wake()

    def queue(self, node: NodeId, lane: str = WORK) -> deque[Delivery]:
        """What waits for an office."""
        return self._queues[node + lane]

    def on_arrival(self, node: NodeId, wake: Callable[[], None], lane: str = WORK) -> None:
        """Call `wake` whenever something is placed into the office's queue."""
        self._wakers[node + lane] = wake


@dataclass
class MemoryTransport:
    """One office's end of the switchboard."""

    switchboard: Switchboard
    node: NodeId
    lane: str = WORK

    def __post_init__(self) -> None:
        self._taken: deque[Delivery] = deque()

    def on_arrival(self, wake: Callable[[], None]) -> None:
        self.switchboard.on_arrival(self.node, wake, self.lane)

    def on_way(self, wake: Callable[[], None]) -> None:
        """Never: everyone is always reachable."""

    def reachable(self, peer: NodeId) -> bool:
        return True

    async def publish(self, parcels: Sequence[Parcel]) -> list[bool]:
        for parcel in parcels:
            self.switchboard.put(self.node, parcel, self.lane)
        return [True] * len(parcels)

    async def take(self, limit: int) -> list[Delivery]:
        queue = self.switchboard.queue(self.node, self.lane)
        taken = [queue.popleft() for _ in range(min(limit, len(queue)))]
        self._taken.extend(taken)
        return taken

    async def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        for _ in deliveries:
            self._taken.popleft()

    def close(self) -> None:
        """Put back, in order, what was not acknowledged."""
        self.switchboard.queue(self.node, self.lane).extendleft(reversed(self._taken))
        self._taken.clear()
