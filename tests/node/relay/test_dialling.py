"""Reaching a broker's machine: one that swallows what is sent to it, one with several addresses."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from aio_pika.exceptions import AMQPConnectionError
from yarl import URL

from node.relay import dialling
from tests.servers import places
from tests.servers.rabbitmq import RabbitMQ


@pytest.fixture
def full() -> Iterator[int]:
    """A port where the kernel drops whoever comes, since nobody takes those who wait."""
    with socket.socket() as listener, socket.socket() as first:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        first.connect(listener.getsockname())
        yield listener.getsockname()[1]


async def test_a_machine_that_does_not_answer_is_given_up_long_before_the_kernel_does(
    full: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialling, "REACH_SECONDS", 0.3)
    monkeypatch.setattr(dialling, "DIAL_SECONDS", 600.0)
    async with asyncio.timeout(60):
        with pytest.raises(TimeoutError):
            await dialling.dial(URL(f"amqp://guest:guest@127.0.0.1:{full}/"), None)


async def test_a_broker_that_takes_the_connection_and_says_nothing_is_given_up_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dialling, "DIAL_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        async with asyncio.timeout(60):
            with pytest.raises(TimeoutError):
                await dialling.dial(URL(f"amqp://guest:guest@127.0.0.1:{port}/"), None)


async def test_a_refusal_and_a_name_that_nobody_has_are_told_apart_from_silence() -> None:
    for host in ("127.0.0.1", "no-such-broker.invalid"):
        with pytest.raises(AMQPConnectionError):
            await dialling.dial(URL(f"amqp://guest:guest@{host}:{places.free_port()}/"), None)


async def test_of_several_addresses_the_first_that_answers_is_taken(
    rabbitmq: RabbitMQ, full: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialling, "REACH_SECONDS", 0.3)
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))
        for port in (places.free_port(), full, rabbitmq.port)
    ]

    loop = asyncio.get_running_loop()
    resolve = loop.getaddrinfo

    async def several(host: str, *rest: Any, **how: Any) -> list[Any]:
        return found if host == "several.invalid" else await resolve(host, *rest, **how)

    monkeypatch.setattr(loop, "getaddrinfo", several)
    url = URL(rabbitmq.url()).with_host("several.invalid")
    connection = (await dialling.dial(url, None)).connection
    assert not connection.is_closed
    await connection.close()
