"""The AMQP transport of one office: its parent's broker above, its own broker below.

Which broker carries a parcel follows from the neighbour. On its own broker a hub declares
exchanges and queues for the children that it knows, again whenever the connection is built anew;
on the parent's broker it declares nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

import httpx
import structlog
from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel, AbstractExchange
from aiormq.abc import DeliveredMessage

from node.relay import policies
from node.relay.amqp import CONNECT_SECONDS, Broker, Consumption, Prepare
from node.relay.arrivals import Arrivals
from node.relay.tls import Tls
from node.relay.topology import QUORUM, Hub, Queue
from node.relay.transport import Delivery, Parcel
from protocol.identifiers import NodeId

log = structlog.get_logger()

Children = Callable[[], Awaitable[Sequence[NodeId]]]

BLOB_PREFETCH = 2
"""Pieces that a broker delivers ahead: a mebibyte each, and no more of them in memory."""


NO_FORMERS: Mapping[NodeId, tuple[str, Tls | None]] = {}


class AmqpTransport:
    """Implements `Transport` on one or two brokers, and on those of former parents."""

    def __init__(
        self,
        node: NodeId,
        *,
        parent: NodeId | None,
        parent_broker: str | None,
        own_broker: str | None,
        management: str | None,
        children: Children,
        prefetch: int,
        parent_tls: Tls | None = None,
        own_tls: Tls | None = None,
        formers: Mapping[NodeId, tuple[str, Tls | None]] = NO_FORMERS,
    ) -> None:
        self._node = node
        self._parent = parent
        self._management = management
        self._children = children
        self._prefetch = prefetch
        self._arrivals = Arrivals()
        self._pieces = Arrivals()
        self._ways: list[Callable[[], None]] = []
        self._served: frozenset[NodeId] = frozenset()
        self._up: dict[NodeId, Broker] = {}
        self._own: Broker | None = None
        above = dict(formers)
        if parent is not None and parent_broker is not None:
            above[parent] = (parent_broker, parent_tls)
        for hub, (url, tls) in above.items():
            self._up[hub] = self._broker(
                url, tls, _declare_nothing, _nothing, partial(self._from_above, Hub(hub))
            )
        if own_broker is not None:
            self._own = self._broker(
                own_broker, own_tls, self._declare, self._limit, self._from_children
            )

    def _broker(
        self,
        url: str,
        tls: Tls | None,
        prepare: Prepare,
        tend: Callable[[], Awaitable[None]],
        consume: Callable[[], Awaitable[Sequence[Consumption]]],
    ) -> Broker:
        return Broker(
            url,
            tls=tls,
            prepare=prepare,
            tend=tend,
            consume=consume,
            on_message=self._deliver,
            on_ready=self._tell_ready,
        )

    @property
    def brokers(self) -> list[Broker]:
        """The brokers to run."""
        own = [] if self._own is None else [self._own]
        return [*self._up.values(), *own]

    async def run(self) -> None:
        """Keep all connections alive until `stop`."""
        await asyncio.gather(*(broker.run() for broker in self.brokers))

    def stop(self) -> None:
        """End `run`."""
        for broker in self.brokers:
            broker.stop()

    def children_changed(self) -> None:
        """A child was added: declare its queue."""
        if self._own is not None:
            self._own.rebuild()

    def serves(self, child: NodeId) -> bool:
        """Whether the child's queues were declared; without a broker of its own there are none."""
        return self._own is None or child in self._served

    def on_arrival(self, wake: Callable[[], None]) -> None:
        self._arrivals.on_arrival(wake)

    def on_way(self, wake: Callable[[], None]) -> None:
        self._ways.append(wake)

    def reachable(self, peer: NodeId) -> bool:
        broker = self._up.get(peer) if self._is_above(peer) else self._own
        return broker is not None and broker.ready

    async def publish(self, parcels: Sequence[Parcel]) -> list[bool]:
        return await self.publish_to(
            parcels, up=lambda hub: hub.up, down=lambda hub, child: hub.down(child)
        )

    async def publish_to(
        self,
        parcels: Sequence[Parcel],
        *,
        up: Callable[[Hub], Queue],
        down: Callable[[Hub, NodeId], Queue],
    ) -> list[bool]:
        """Hand the parcels over to the queues that are named."""

        async def one(parcel: Parcel) -> bool:
            if self._is_above(parcel.peer):
                broker, queue = self._up.get(parcel.peer), up(Hub(parcel.peer))
            else:
                broker, queue = self._own, down(Hub(self._node), parcel.peer)
            return broker is not None and await broker.publish(queue.exchange, queue.key, parcel)

        return list(await asyncio.gather(*(one(parcel) for parcel in parcels)))

    async def take(self, limit: int) -> list[Delivery]:
        return self._arrivals.take(limit)

    async def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        await self._arrivals.acknowledge(deliveries)

    @property
    def blobs(self) -> BlobLane:
        """The queues of pieces beside the others, on the same connections."""
        return BlobLane(self, self._pieces)

    def _deliver(self, broker: Broker, consumption: Consumption, message: DeliveredMessage) -> None:
        arrivals = self._pieces if consumption.blobs else self._arrivals
        arrivals.add(broker, consumption, message)

    def _tell_ready(self) -> None:
        for wake in self._ways:
            wake()

    def _is_above(self, peer: NodeId) -> bool:
        return peer == self._parent or peer in self._up

    async def _from_above(self, hub: Hub) -> Sequence[Consumption]:
        return self._all(hub.down(self._node), hub.down_blobs(self._node))

    async def _from_children(self) -> Sequence[Consumption]:
        hub = Hub(self._node)
        return self._all(hub.up, hub.up_blobs)

    def _all(self, queue: Queue, blobs: Queue) -> Sequence[Consumption]:
        return [
            Consumption(queue.name, self._prefetch),
            Consumption(queue.dead, 1, dead=True),
            Consumption(blobs.name, BLOB_PREFETCH, blobs=True),
        ]

    async def _declare(self, channel: AbstractChannel, passive: bool) -> None:
        children = await self._children()
        hub, queues = Hub(self._node), Hub(self._node).queues(children)
        # The hub's own for children too: without any, the first one can be sent to at once.
        names = {queue.exchange for queue in queues} | {hub.down(self._node).exchange}
        exchanges = {name: await _exchange(channel, name, passive) for name in sorted(names)}
        dead = await _exchange(channel, hub.dead_exchange, passive)
        # Each once, however many queues share it: a hub of hundreds waits for every answer.
        for name in dict.fromkeys(queue.dead for queue in queues):
            await _queue(channel, name, dead, name, passive)
        for queue in queues:
            await _queue(channel, queue.name, exchanges[queue.exchange], queue.key, passive)
        self._served = frozenset(children)

    async def _limit(self) -> None:
        hub = Hub(self._node)
        if self._management is None:
            log.warning("broker.no_policies", hub=self._node, hint="set hub.management")
            return
        assert self._own is not None
        children = await self._children()
        try:
            await policies.apply(self._management, self._own.virtual_host, hub, children)
        except httpx.HTTPError as error:
            log.warning("broker.no_policies", hub=self._node, error=str(error))


class BlobLane:
    """Implements `Transport` for pieces: the same brokers, queues of their own."""

    def __init__(self, transport: AmqpTransport, arrivals: Arrivals) -> None:
        self._transport = transport
        self._arrivals = arrivals

    def on_arrival(self, wake: Callable[[], None]) -> None:
        self._arrivals.on_arrival(wake)

    def on_way(self, wake: Callable[[], None]) -> None:
        self._transport.on_way(wake)

    def reachable(self, peer: NodeId) -> bool:
        return self._transport.reachable(peer)

    async def publish(self, parcels: Sequence[Parcel]) -> list[bool]:
        return await self._transport.publish_to(
            parcels, up=lambda hub: hub.up_blobs, down=lambda hub, child: hub.down_blobs(child)
        )

    async def take(self, limit: int) -> list[Delivery]:
        return self._arrivals.take(limit)

    async def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        await self._arrivals.acknowledge(deliveries)


async def _exchange(channel: AbstractChannel, name: str, passive: bool) -> AbstractExchange:
    return await channel.declare_exchange(
        name, ExchangeType.DIRECT, durable=True, passive=passive, timeout=CONNECT_SECONDS
    )


async def _queue(
    channel: AbstractChannel, name: str, exchange: AbstractExchange, key: str, passive: bool
) -> None:
    queue = await channel.declare_queue(
        name, durable=True, passive=passive, arguments=QUORUM, timeout=CONNECT_SECONDS
    )
    # Each time: a binding, too, may have been deleted.
    await queue.bind(exchange, key, timeout=CONNECT_SECONDS)


async def _declare_nothing(_: AbstractChannel, passive: bool) -> None:
    return


async def _nothing() -> None:
    return
