"""The AMQP transport of one office: its parent's broker above, its own broker below.

Which broker carries a parcel follows from the neighbour. On its own broker a hub declares
exchanges and queues for the children that it knows, again whenever the connection is built anew;
on the parent's broker it declares nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import httpx
import structlog
from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel, AbstractExchange
from aiormq import spec
from aiormq.abc import AbstractChannel as UnderlayChannel
from aiormq.abc import DeliveredMessage

from node.loop import being_cancelled
from node.relay import policies
from node.relay.amqp import CONFIRM_SECONDS, CONNECT_SECONDS, FAILURES, Broker, Consumption
from node.relay.topology import QUORUM, Hub
from node.relay.transport import Delivery, Parcel, Properties
from protocol.identifiers import NodeId

log = structlog.get_logger()

Children = Callable[[], Awaitable[Sequence[NodeId]]]


@dataclass(frozen=True)
class _Handle:
    broker: Broker
    generation: int
    channel: UnderlayChannel
    tag: int


class AmqpTransport:
    """Implements `Transport` on one or two brokers."""

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
    ) -> None:
        self._node = node
        self._parent = parent
        self._management = management
        self._children = children
        self._prefetch = prefetch
        self._arrived: deque[Delivery] = deque()
        self._arrival: Callable[[], None] = _nobody
        self._way: Callable[[], None] = _nobody
        self._up: Broker | None = None
        self._own: Broker | None = None
        if parent is not None and parent_broker is not None:
            self._up = self._broker(parent_broker, _declare_nothing, self._from_parent)
        if own_broker is not None:
            self._own = self._broker(own_broker, self._declare, self._from_children)

    def _broker(
        self,
        url: str,
        prepare: Callable[[AbstractChannel], Awaitable[None]],
        consume: Callable[[], Awaitable[Sequence[Consumption]]],
    ) -> Broker:
        return Broker(
            url,
            prepare=prepare,
            consume=consume,
            on_message=self._deliver,
            on_ready=lambda: self._way(),
        )

    @property
    def brokers(self) -> list[Broker]:
        """The brokers to run."""
        return [broker for broker in (self._up, self._own) if broker is not None]

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

    def on_arrival(self, wake: Callable[[], None]) -> None:
        self._arrival = wake

    def on_way(self, wake: Callable[[], None]) -> None:
        self._way = wake

    def reachable(self, peer: NodeId) -> bool:
        broker = self._up if peer == self._parent else self._own
        return broker is not None and broker.ready

    async def publish(self, parcels: Sequence[Parcel]) -> list[bool]:
        return list(await asyncio.gather(*(self._publish(parcel) for parcel in parcels)))

    async def _publish(self, parcel: Parcel) -> bool:
        if parcel.peer == self._parent:
            broker, queue = self._up, Hub(parcel.peer).up
        else:
            broker, queue = self._own, Hub(self._node).down(parcel.peer)
        return broker is not None and await broker.publish(queue.exchange, queue.key, parcel)

    async def take(self, limit: int) -> list[Delivery]:
        taken: list[Delivery] = []
        while self._arrived and len(taken) < limit:
            delivery = self._arrived.popleft()
            if _current(delivery):
                taken.append(delivery)
        return taken

    async def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        # One acknowledgement a channel covers everything delivered on it so far.
        last: dict[UnderlayChannel, _Handle] = {}
        for delivery in deliveries:
            if _current(delivery):
                handle = _handle(delivery)
                last[handle.channel] = handle
        for handle in last.values():
            try:
                ack = handle.channel.basic_ack(handle.tag, multiple=True)
                await asyncio.wait_for(ack, CONFIRM_SECONDS)
            except FAILURES as error:
                if being_cancelled():
                    raise
                # Delivered again then, and recognised.
                log.info("broker.ack_lost", error=type(error).__name__)

    def _deliver(self, broker: Broker, consumption: Consumption, message: DeliveredMessage) -> None:
        said, delivery = message.header.properties, message.delivery
        assert isinstance(delivery, spec.Basic.Deliver)
        assert delivery.delivery_tag is not None
        self._arrived.append(
            Delivery(
                body=message.body,
                properties=Properties(
                    message_id=said.message_id,
                    type=said.message_type,
                    app_id=said.app_id,
                    content_type=said.content_type,
                    user_id=said.user_id,
                ),
                queue=consumption.queue,
                dead=consumption.dead,
                handle=_Handle(broker, broker.generation, message.channel, delivery.delivery_tag),
            )
        )
        self._arrival()

    async def _from_parent(self) -> Sequence[Consumption]:
        assert self._parent is not None
        queue = Hub(self._parent).down(self._node)
        return self._both(queue.name, queue.dead)

    async def _from_children(self) -> Sequence[Consumption]:
        queue = Hub(self._node).up
        return self._both(queue.name, queue.dead)

    def _both(self, queue: str, dead: str) -> Sequence[Consumption]:
        return [Consumption(queue, self._prefetch), Consumption(dead, 1, dead=True)]

    async def _declare(self, channel: AbstractChannel) -> None:
        hub, children = Hub(self._node), await self._children()
        dead = await _exchange(channel, hub.dead_exchange)
        for queue in hub.queues(children):
            exchange = await _exchange(channel, queue.exchange)
            await _queue(channel, queue.name, exchange, queue.key)
            await _queue(channel, queue.dead, dead, queue.dead)
        # Exists even without children, so that the first one can be sent to at once.
        await _exchange(channel, hub.down(self._node).exchange)
        if self._management is None:
            log.warning("broker.no_policies", hub=self._node, hint="set hub.management")
            return
        assert self._own is not None
        try:
            await policies.apply(self._management, self._own.virtual_host, hub, children)
        except httpx.HTTPError as error:
            log.warning("broker.no_policies", hub=self._node, error=str(error))


async def _exchange(channel: AbstractChannel, name: str) -> AbstractExchange:
    return await channel.declare_exchange(
        name, ExchangeType.DIRECT, durable=True, timeout=CONNECT_SECONDS
    )


async def _queue(channel: AbstractChannel, name: str, exchange: AbstractExchange, key: str) -> None:
    queue = await channel.declare_queue(
        name, durable=True, arguments=QUORUM, timeout=CONNECT_SECONDS
    )
    await queue.bind(exchange, key, timeout=CONNECT_SECONDS)


async def _declare_nothing(_: AbstractChannel) -> None:
    return


def _nobody() -> None:
    return


def _handle(delivery: Delivery) -> _Handle:
    assert isinstance(delivery.handle, _Handle)
    return delivery.handle


def _current(delivery: Delivery) -> bool:
    handle = _handle(delivery)
    return handle.generation == handle.broker.generation
