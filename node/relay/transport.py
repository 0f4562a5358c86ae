"""The seam between the relay and the network. `amqp` and `memory` implement it.

A transport carries bytes between neighbours and remembers nothing that matters: whatever it loses
is sent again, whatever it delivers twice is recognised. Unsigned properties repeat what routing
needs; the consumer compares them with the signed content.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from protocol.identifiers import NodeId

CONTENT_TYPE = "application/jose"


@dataclass(frozen=True)
class Properties:
    """What the transport says about a message, unsigned. `user_id` is vouched for by a broker."""

    message_id: str | None = None
    type: str | None = None
    app_id: str | None = None
    content_type: str | None = None
    user_id: str | None = None


@dataclass(frozen=True)
class Parcel:
    """A token on its way to a neighbour."""

    peer: NodeId
    body: bytes
    properties: Properties


@dataclass(frozen=True)
class Delivery:
    """A body that arrived. `dead` when it comes from a dead-letter queue, to be taken singly.

    `properties` is None where there are none to compare: a file has only the token. `arrived_at`
    is set for what came before and is replayed from quarantine. `handle` belongs to the transport.
    """

    body: bytes
    properties: Properties | None
    queue: str
    dead: bool = False
    arrived_at: datetime | None = None
    handle: object = field(default=None, compare=False, repr=False)


class Transport(Protocol):
    """Carries parcels to neighbours and hands over what arrives."""

    def on_arrival(self, wake: Callable[[], None]) -> None:
        """Call `wake` whenever there may be something to take."""

    def on_way(self, wake: Callable[[], None]) -> None:
        """Call `wake` whenever a neighbour became reachable."""

    def reachable(self, peer: NodeId) -> bool:
        """Whether publishing to this neighbour makes sense now."""

    async def publish(self, parcels: Sequence[Parcel]) -> list[bool]:
        """Hand the parcels over; for each, whether the other side confirmed that it keeps it."""

    async def take(self, limit: int) -> list[Delivery]:
        """What has arrived, in order, at most `limit`; empty when there is nothing."""

    async def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """These were taken in; they need not be delivered again.

        Called in the order of delivery, with nothing that came before left out.
        """
