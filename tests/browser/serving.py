"""Pages of offices that run in this process already, each on a free port."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

import uvicorn

from node.bootstrap import application
from tests.node.rooms import Room
from tests.waiting import until


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # They are the test runner's.
        yield


@asynccontextmanager
async def pages(rooms: Mapping[str, Room]) -> AsyncIterator[dict[str, str]]:
    """The address of each office's pages, which take part in its work."""
    addresses: dict[str, str] = {}
    servers: list[_Server] = []
    async with AsyncExitStack() as stack:
        running: list[asyncio.Task[None]] = []
        for office, room in rooms.items():
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            addresses[office] = f"http://127.0.0.1:{listener.getsockname()[1]}"
            served = application.build(room.desk, room.node.settings.web)
            servers.append(
                _Server(uvicorn.Config(served, log_config=None, access_log=False, lifespan="off"))
            )
            running.append(asyncio.create_task(servers[-1].serve(sockets=[listener])))
        try:
            await until(lambda: all(server.started for server in servers), what="all pages served")
            yield addresses
        finally:
            for server in servers:
                server.should_exit = True
            await asyncio.gather(*running)
