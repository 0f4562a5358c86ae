"""A node as a service manager runs it: `zhitong serve`, started again whenever it ends.

`kill` is `kill -9`. A node whose database is away when it starts gives up with a message and is
started again; one that was serving and ends though nobody killed it is counted.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.servers import places, processes
from tests.servers.processes import Child, ServerError

ROOT = Path(__file__).parents[2]
UP_SECONDS = 90.0
RESTART_SECONDS = 0.5


class NodeProcess:
    """One office's node in a process of its own; use it in an `async with` block."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self._folder = folder
        self._port = places.free_port()
        self._env = {
            **os.environ,
            **settings,
            "ZHITONG_WEB__PORT": str(self._port),
            "PYTHONPATH": str(ROOT),
        }
        self._child: Child | None = None
        self._changing = asyncio.Lock()
        self._closing = threading.Event()
        self._watching: asyncio.Task[None] | None = None
        self.ended_alone = 0

    @property
    def address(self) -> str:
        """Where its pages are."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def log(self) -> Path:
        """What it says, all lives together."""
        return self._folder / "node.log"

    async def __aenter__(self) -> Self:
        processes.close_at_exit(self._close)
        try:
            await self.start()
        except BaseException:
            # Ctrl-C too: nobody else would end what is coming up.
            self._close()
            raise
        self._watching = asyncio.create_task(self._watch())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    async def start(self) -> None:
        """Start it, unless it runs, and wait until it serves."""
        async with self._changing:
            await asyncio.to_thread(self._start)

    async def kill_and_start(self, pause: float) -> None:
        """`kill -9`, and up again after so many seconds."""
        async with self._changing:
            # One that is coming up by itself is struck when it serves.
            await asyncio.to_thread(self._start)
            assert self._child is not None
            await asyncio.to_thread(self._child.kill)
            await asyncio.sleep(pause)
            await asyncio.to_thread(self._start)

    def _start(self) -> None:
        deadline = time.monotonic() + UP_SECONDS
        while not self._closing.is_set() and (self._child is None or not self._child.running):
            command = [sys.executable, "-m", "node", "serve", "--no-migrate", str(self._folder)]
            self._child = processes.spawn(command, log=self.log, env=self._env)
            try:
                self._child.wait_ready(self._answers, UP_SECONDS)
            except ServerError:
                if self._closing.is_set():
                    return
                if time.monotonic() > deadline:
                    raise
                time.sleep(RESTART_SECONDS)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(RESTART_SECONDS)
            async with self._changing:
                if self._child is not None and not self._child.running:
                    self.ended_alone += 1
                    await asyncio.to_thread(self._start)

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
        except OSError:
            return False
        return True

    def _close(self) -> None:
        processes.closed(self._close)
        self._closing.set()
        if self._child is not None:
            self._child.kill()
