"""Serving one or many offices in one process, until SIGTERM or SIGINT.

Each office listens on its own port. The order: databases and loops start, then pages; at the end
pages stop first, then the loops finish the steps that are under way.
"""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import structlog
import uvicorn

from node.bootstrap import application
from node.bootstrap.node import Node
from node.errors import ConfigurationError
from node.web.live import Board

log = structlog.get_logger()

BACKLOG = 512
KEEP_ALIVE_SECONDS = 75
"""Longer than clients and proxies keep a connection that rests (60 seconds are usual). Whoever ends
it first must be the one that asks: a question that meets the end coming the other way is lost."""


class QuietServer(uvicorn.Server):
    """Leaves signals alone: many servers share one process, whose signals are handled once."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Serving:
    """Nodes with their pages."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._nodes = nodes
        self._servers: list[QuietServer] = []
        self._boards: list[Board] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> dict[str, str]:
        """Start everything; the address of each office that has pages."""
        addresses: dict[str, str] = {}
        for node in self._nodes:
            await node.start()
            if node.half == "relay":
                continue
            listener = listen(node.settings.web.host, node.settings.web.port)
            web = node.settings.web
            tls = web.certificate is not None and web.key is not None
            served = application.build(node.desk, node.settings.web)
            self._boards.append(served.state.board)
            configuration = uvicorn.Config(
                served,
                log_config=None,
                access_log=False,
                lifespan="off",
                server_header=False,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                forwarded_allow_ips=web.trusted_proxies,
                ssl_certfile=node.settings.path(web.certificate) if web.certificate else None,
                ssl_keyfile=node.settings.path(web.key) if web.key else None,
            )
            server = QuietServer(configuration)
            self._servers.append(server)
            self._tasks.append(asyncio.create_task(server.serve(sockets=[listener])))
            host, port = listener.getsockname()[:2]
            addresses[node.desk.node] = f"{'https' if tls else 'http'}://{host}:{port}"
        while not all(server.started for server in self._servers):
            await asyncio.sleep(0.01)
            if any(task.done() for task in self._tasks):
                raise ConfigurationError("a page server ended while starting")
        log.info("server.ready", addresses=addresses)
        return addresses

    async def stop(self) -> None:
        """Stop pages, then loops."""
        for server in self._servers:
            server.should_exit = True
        for board in self._boards:
            board.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(node.stop() for node in self._nodes))


def on_signal() -> asyncio.Event:
    """An event that SIGTERM or SIGINT sets. Ask for it before anything is started."""
    wanted = asyncio.Event()
    loop = asyncio.get_running_loop()
    stop: Callable[[], None] = wanted.set
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    return wanted


async def until_signal() -> None:
    """Wait for SIGTERM or SIGINT."""
    await on_signal().wait()


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises `ConfigurationError`."""
    try:
        return socket.create_server((host, port), backlog=BACKLOG)
    except OSError as error:
        raise ConfigurationError(f"cannot listen on {host}:{port}: {error.strerror}") from error
