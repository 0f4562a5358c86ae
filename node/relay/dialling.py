"""Dialling a broker: reaching its machine, then the conversation that opens a connection.

The two have limits of their own. A machine that is down swallows what is sent to it, and the
kernel asks again after pauses that double; a new dial asks at once. Once it is reached, TCP
delivers by itself, and a broker that has much to do after its start is given more time.

Over TLS both ends prove themselves first (`tls`). Then this office logs in with its certificate
where the broker takes that (EXTERNAL), and else with the password in the address, if it has one.
"""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from typing import Any

import aio_pika
from aio_pika.abc import AbstractConnection
from aiormq.connection import DEFAULT_PORTS, TransportFactory
from aiormq.exceptions import (
    AMQPConnectionError,
    AuthenticationError,
    ProbableAuthenticationError,
)
from yarl import URL

from node.relay.tls import Tls

DIAL_SECONDS = 5.0
"""All of it: what falls silent in the middle is not worth waiting for."""

REACH_SECONDS = 3.5
"""The kernel asks at the beginning and after one and three seconds."""


@dataclass(frozen=True)
class Dialled:
    """An open connection, and the account on the broker to which it belongs."""

    connection: AbstractConnection
    account: str | None


async def dial(url: URL, tls: Tls | None) -> Dialled:
    """An open connection to the broker. Raises `amqp.FAILURES`, and `ZhitongError`.

    `tls` is for addresses with `amqps`; without it they cannot be dialled.
    """
    if tls is not None and url.scheme == "amqps":
        try:
            return Dialled(await _connect(url.update_query(auth="external"), tls), tls.node)
        except (AuthenticationError, ProbableAuthenticationError):
            if url.password is None:
                raise
    return Dialled(await _connect(url, tls), url.user)


async def _connect(url: URL, tls: Tls | None) -> AbstractConnection:
    connection = aio_pika.Connection(url)
    connection.kwargs["transport_factory"] = Reaching(tls)
    try:
        await connection.connect(timeout=DIAL_SECONDS)
    except BaseException:
        # Left open, it would say farewell when it is collected, perhaps where no loop runs.
        await connection.close()
        raise
    return connection


class Reaching(TransportFactory):
    """Opens the library's connections, with or without TLS, to machines that are there."""

    def __init__(self, tls: Tls | None) -> None:
        self._tls = tls

    async def create(
        self, url: URL, **kwargs: Any
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Raises `TimeoutError` for one that does not answer, whatever the library's own limit."""
        # The library's own context knows no path, and takes files from the address.
        del kwargs["ssl_context_provider"]
        host = url.host or ""
        try:
            reached = await _reach(host, url.port or DEFAULT_PORTS[url.scheme])
            if url.scheme == "amqp":
                return await asyncio.open_connection(sock=reached, **kwargs)
            return await self._prove(reached, host, **kwargs)
        except OSError as error:
            if isinstance(error, TimeoutError):
                raise
            raise AMQPConnectionError(*error.args) from error

    async def _prove(
        self, reached: socket.socket, host: str, **kwargs: Any
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            assert self._tls is not None, "amqps without TLS"
            context = await self._tls.context()
        except BaseException:
            reached.close()
            raise
        reader, writer = await asyncio.open_connection(
            sock=reached, ssl=context, server_hostname=host, **kwargs
        )
        try:
            self._tls.demand(writer.get_extra_info("ssl_object"), host)
        except BaseException:
            writer.transport.abort()
            raise
        return reader, writer


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
