"""Dialling a broker: reaching its machine, then the conversation that opens a connection.

The two have limits of their own. A machine that is down swallows what is sent to it, and the
kernel asks again after pauses that double; a new dial asks at once. Once it is reached, TCP
delivers by itself, and a broker that has much to do after its start is given more time.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import aio_pika
from aio_pika.abc import AbstractConnection
from aiormq.connection import DEFAULT_PORTS, TransportFactory
from aiormq.exceptions import AMQPConnectionError
from yarl import URL

DIAL_SECONDS = 5.0
"""All of it: what falls silent in the middle is not worth waiting for."""

REACH_SECONDS = 3.5
"""The kernel asks at the beginning and after one and three seconds."""


async def dial(url: URL) -> AbstractConnection:
    """An open connection to the broker. Raises `amqp.FAILURES`."""
    connection = aio_pika.Connection(url)
    connection.kwargs["transport_factory"] = Reaching()
    try:
        await connection.connect(timeout=DIAL_SECONDS)
    except BaseException:
        # Left open, it would say farewell when it is collected, perhaps where no loop runs.
        await connection.close()
        raise
    return connection


class Reaching(TransportFactory):
    """Opens the library's connections, with or without TLS, to machines that are there."""

    async def create(
        self, url: URL, **kwargs: Any
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Raises `TimeoutError` for one that does not answer, whatever the library's own limit."""
        provider = kwargs.pop("ssl_context_provider")
        context = await provider.get_context() if url.scheme == "amqps" else None
        try:
            reached = await _reach(url.host or "", url.port or DEFAULT_PORTS[url.scheme])
            name = url.host if context is not None else None
            return await asyncio.open_connection(
                sock=reached, ssl=context, server_hostname=name, **kwargs
            )
        except OSError as error:
            if isinstance(error, TimeoutError):
                raise
            raise AMQPConnectionError(*error.args) from error


async def _reach(host: str, port: int) -> socket.socket:
    """A socket connected to the first address of the host that answers."""
    loop = asyncio.get_running_loop()
    failure: OSError = OSError(f"{host} has no address")
    for family, kind, protocol, _, address in await loop.getaddrinfo(
        host, port, type=socket.SOCK_STREAM
    ):
        attempt = socket.socket(family, kind, protocol)
        attempt.setblocking(False)
        try:
            async with asyncio.timeout(REACH_SECONDS):
                await loop.sock_connect(attempt, address)
        except OSError as error:
            attempt.close()
            failure = error
        except BaseException:
            attempt.close()
            raise
        else:
            return attempt
    raise failure
