"""AMQP: one broker with its two connections, and the loop that keeps them alive.

A publishing and a consuming connection, since a broker under a memory or disk alarm stops reading
from a connection that publishes, acknowledgements included. When anything closes (connection,
channel, consumer cancelled, broker gone), both are torn down and everything is built anew after a
short pause that grows while it fails. Nothing is repaired in place: the library's robust
connections come back without consumers (see README). A blocked connection is not closed:
publishing times out and is tried again until the alarm has passed.

A queue that is gone is never declared again at once, but in a new session, a pause later. Declared
at once it gets the old queue's readers, and RabbitMQ drops what it delivers to them: it counts the
deliveries of the old queue on, and takes those of the new one for repetitions.

Queues are declared before anything is consumed, policies set afterwards: messages do not wait for
them. Every call to a broker has a timeout: a quorum queue without a leader answers nothing at all.
When a connection is closed from this side, the library ends what waits on it with
`CancelledError`, as if the waiting task itself were to end: `being_cancelled` tells the difference.

Messages go through aio-pika's underlying channel, which costs two thirds of its message objects.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import AMQPError, DeliveryError
from aiormq import Channel, spec
from aiormq.abc import DeliveredMessage
from aiormq.connection import DEFAULT_PORTS
from aiormq.exceptions import PublishError
from yarl import URL

from node.loop import being_cancelled
from node.relay.dialling import dial
from node.relay.tls import Tls
from node.relay.transport import CONTENT_TYPE, Parcel

log = structlog.get_logger()

CONNECT_SECONDS = 10.0
CONFIRM_SECONDS = 15.0
CLOSE_SECONDS = 3.0
HEARTBEAT_SECONDS = 5
"""The library gives a connection up after three of them, and three seconds."""

PERSISTENT = 2
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 1.0
"""A broker that came back carries messages again within five seconds, dialling and all."""

REFRESH_SECONDS = 60.0
"""How often a hub looks whether its queues are there: an operator may have deleted one."""

FAILURES = (
    AMQPError,
    OSError,
    TimeoutError,
    asyncio.CancelledError,
    asyncio.InvalidStateError,
    RuntimeError,
)

Tend = Callable[[], Awaitable[None]]
Prepare = Callable[[AbstractChannel, bool], Awaitable[None]]
"""Declares what must be there, or only (`passive`) fails where it is not."""
OnMessage = Callable[["Broker", "Consumption", DeliveredMessage], None]


def virtual_host_of(address: URL | str) -> str:
    """The virtual host that a broker's address names, `/` where it names none."""
    return URL(address).path.removeprefix("/") or "/"


@dataclass(frozen=True)
class Consumption:
    """A queue to consume from, with how many messages may be under way."""

    queue: str
    prefetch: int
    dead: bool = False
    blobs: bool = False


class Broker:
    """One RabbitMQ broker, as seen by one office."""

    def __init__(
        self,
        url: str,
        *,
        tls: Tls | None,
        prepare: Prepare,
        tend: Tend,
        consume: Callable[[], Awaitable[Sequence[Consumption]]],
        on_message: OnMessage,
        on_ready: Callable[[], None],
    ) -> None:
        self._url = URL(url).update_query(heartbeat=HEARTBEAT_SECONDS)
        self._tls = tls
        self._account: str | None = None
        self._prepare = prepare
        self._tend = tend
        self._consume = consume
        self._on_message = on_message
        self._on_ready = on_ready
        self._publishing: Channel | None = None
        self._stopping = asyncio.Event()
        self._lost = asyncio.Event()
        self.generation = 0

    @property
    def address(self) -> str:
        """Host and port, for logs."""
        return f"{self._url.host}:{self._url.port or DEFAULT_PORTS[self._url.scheme]}"

    @property
    def virtual_host(self) -> str:
        """The virtual host, `/` unless the address names another."""
        return virtual_host_of(self._url)

    @property
    def ready(self) -> bool:
        """Whether publishing makes sense now."""
        return self._publishing is not None and not self._lost.is_set()

    async def run(self) -> None:
        """Keep both connections alive until `stop`."""
        pause, told = FIRST_PAUSE, ""
        clock = asyncio.get_running_loop().time
        while not self._stopping.is_set():
            began = clock()
            self._lost = asyncio.Event()
            try:
                if await self._session():
                    pause, told = FIRST_PAUSE, ""
            except (Exception, asyncio.CancelledError) as error:
                # The database's errors too: it says who the children are.
                if being_cancelled():
                    raise
                # The same once a second would fill a log over night.
                if (found := _describe(error)) != told:
                    log.warning("broker.lost", broker=self.address, error=found)
                told = found
            with suppress(TimeoutError):
                # An attempt that took its time was a pause by itself.
                rest = max(FIRST_PAUSE, pause - (clock() - began))
                await asyncio.wait_for(self._stopping.wait(), rest)
            pause = min(pause * 2, LONGEST_PAUSE)

    def stop(self) -> None:
        """End `run` after closing the connections."""
        self._stopping.set()
        self._lost.set()

    def rebuild(self) -> None:
        """Tear everything down and build it anew: a queue was added."""
        self._lost.set()

    async def publish(self, exchange: str, key: str, parcel: Parcel) -> bool:
        """Publish one token; whether the broker confirmed that a queue has it."""
        channel = self._publishing
        if channel is None:
            return False
        try:
            await channel.basic_publish(
                parcel.body,
                exchange=exchange,
                routing_key=key,
                properties=self._properties(parcel),
                mandatory=True,
                timeout=CONFIRM_SECONDS,
                # For its confirm, that is; to wait for the socket too would send them one by one.
                wait=False,
            )
        except (DeliveryError, PublishError) as error:
            log.warning("broker.refused", broker=self.address, key=key, error=_describe(error))
            return False
        except FAILURES as error:
            if being_cancelled():
                raise
            log.warning("broker.no_confirm", broker=self.address, key=key, error=_describe(error))
            return False
        return True

    def _properties(self, parcel: Parcel) -> spec.Basic.Properties:
        properties = parcel.properties
        # The broker vouches for the account; where it is named after the office, say so.
        account = self._account if self._account == properties.app_id else None
        return spec.Basic.Properties(
            content_type=CONTENT_TYPE,
            delivery_mode=PERSISTENT,
            message_id=properties.message_id,
            message_type=properties.type,
            app_id=properties.app_id,
            user_id=account,
        )

    async def _session(self) -> bool:
        connections: list[AbstractConnection] = []
        tending: asyncio.Task[None] | None = None
        try:
            for _ in range(2):
                dialled = await dial(self._url, self._tls)
                dialled.connection.close_callbacks.add(self._on_close)
                connections.append(dialled.connection)
                self._account = dialled.account
            publishing, consuming = connections
            # Not on the connection that an alarm holds up.
            declaring = await self._channel(consuming)
            await self._prepare(declaring, False)
            channel = await self._channel(publishing)
            self.generation += 1
            await self._start_consumers(consuming)
            underlay = await channel.get_underlay_channel()
            assert isinstance(underlay, Channel)
            self._publishing = underlay
            log.info("broker.ready", broker=self.address)
            self._on_ready()
            # Beside the wait: a management API that hangs must not hide a connection that is lost.
            tending = asyncio.create_task(self._keep(declaring))
            tending.add_done_callback(self._on_close)
            await self._lost.wait()
            if tending.done():
                await tending
        finally:
            self._publishing = None
            if tending is not None:
                tending.cancel()
                await asyncio.gather(tending, return_exceptions=True)
            await asyncio.gather(*map(_close, connections))
        return True

    async def _keep(self, declaring: AbstractChannel) -> None:
        while True:
            await self._tend()
            await asyncio.sleep(REFRESH_SECONDS)
            await self._prepare(declaring, True)

    async def _channel(self, connection: AbstractConnection) -> AbstractChannel:
        channel = connection.channel(on_return_raises=True)
        await channel.initialize(timeout=CONNECT_SECONDS)
        channel.close_callbacks.add(self._on_close)
        return channel

    async def _start_consumers(self, connection: AbstractConnection) -> None:
        for consumption in await self._consume():
            channel = await self._channel(connection)
            await channel.set_qos(prefetch_count=consumption.prefetch, timeout=CONNECT_SECONDS)
            underlay = await channel.get_underlay_channel()
            underlay.on_consumer_cancel_callbacks.add(self._on_cancel)

            async def receive(
                message: DeliveredMessage, consumption: Consumption = consumption
            ) -> None:
                self._on_message(self, consumption, message)

            await underlay.basic_consume(consumption.queue, receive, timeout=CONNECT_SECONDS)

    def _on_close(self, *_: object) -> None:
        self._lost.set()

    def _on_cancel(self, *_: object) -> None:
        log.warning("broker.consumer_cancelled", broker=self.address)
        self._lost.set()


async def _close(connection: AbstractConnection) -> None:
    # A silent network answers no farewell, and the next connection waits for the end of this one.
    with suppress(*FAILURES):
        await asyncio.wait_for(connection.close(), CLOSE_SECONDS)


def _describe(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:200]
