"""What one office's brokers delivered on one lane and nobody has taken yet.

A delivery counts as long as the connection on which it came is open; after that the broker
delivers it again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from aiormq import spec
from aiormq.abc import AbstractChannel as UnderlayChannel
from aiormq.abc import DeliveredMessage

from node.loop import being_cancelled
from node.relay.amqp import CONFIRM_SECONDS, FAILURES, Broker, Consumption
from node.relay.transport import Delivery, Properties

log = structlog.get_logger()


@dataclass(frozen=True)
class _Handle:
    broker: Broker
    generation: int
    channel: UnderlayChannel
    tag: int


class Arrivals:
    """A lane's deliveries, in order."""

    def __init__(self) -> None:
        self._waiting: deque[Delivery] = deque()
        self._wake: Callable[[], None] = _nobody

    def on_arrival(self, wake: Callable[[], None]) -> None:
        """Call `wake` whenever something arrives."""
        self._wake = wake

    def add(self, broker: Broker, consumption: Consumption, message: DeliveredMessage) -> None:
        """The broker delivered this."""
        said, delivery = message.header.properties, message.delivery
        assert isinstance(delivery, spec.Basic.Deliver)
        assert delivery.delivery_tag is not None
        self._waiting.append(
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
        self._wake()

    def take(self, limit: int) -> list[Delivery]:
        """What has arrived and can still be acknowledged, in order, at most `limit`."""
        taken: list[Delivery] = []
        while self._waiting and len(taken) < limit:
            delivery = self._waiting.popleft()
            if _current(delivery):
                taken.append(delivery)
        return taken

    async def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """Tell the broker that these were taken in."""
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


def _nobody() -> None:
    return


def _handle(delivery: Delivery) -> _Handle:
    assert isinstance(delivery.handle, _Handle)
    return delivery.handle


def _current(delivery: Delivery) -> bool:
    handle = _handle(delivery)
    return handle.generation == handle.broker.generation
