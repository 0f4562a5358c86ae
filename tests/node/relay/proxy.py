"""A network between an office and a broker that can fall silent without closing anything, or break.

What passes can be watched. A broker that does not answer is passed on as a connection that breaks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

QUEUE_DECLARE = b"\x00\x32\x00\x0a"
BASIC_PUBLISH = b"\x00\x3c\x00\x28"
BASIC_DELIVER = b"\x00\x3c\x00\x3c"
"""Class and method as they stand in an AMQP frame."""


class Proxy:
    """Passes bytes on between its own port and the broker's, until it is told not to."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._open: list[_Line] = []
        self.swallowed = 0
        """How many connections fell silent."""
        self.silent_after: bytes | None = None
        """The next connection on which the office says this falls silent with it."""
        self.dark = False
        """Whether connections that are opened now are silent from the start."""
        self.overhear: Callable[[bytes], None] | None = None
        """Is given whatever the broker says."""

    @property
    def port(self) -> int:
        """Where to connect to."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def mute(self) -> None:
        """From now on, what is sent on the connections that are open now goes nowhere."""
        for line in self._open:
            if not line.silent:
                line.silent = True
                self.swallowed += 1

    def cut(self) -> None:
        """Break all connections that are open now, on both sides, whatever is under way on them."""
        for line in self._open:
            line.abort()

    async def _connect(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        line = _Line([back], silent=self.dark)
        self._open.append(line)
        try:
            with suppress(OSError):
                far, forth = await asyncio.open_connection("127.0.0.1", self._target)
                line.writers.append(forth)
                ways = [self._pass(near, forth, line, office=True), self._pass(far, back, line)]
                await asyncio.gather(*ways)
        except asyncio.CancelledError:
            return
        finally:
            self._open.remove(line)
            line.abort()

    async def _pass(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        line: _Line,
        *,
        office: bool = False,
    ) -> None:
        while data := await reader.read(65536):
            if not office and not line.silent and self.overhear is not None:
                self.overhear(data)
            if office and self.silent_after is not None and self.silent_after in data:
                self.silent_after = None
                line.silent = True
                self.swallowed += 1
            if not line.silent:
                writer.write(data)
                await writer.drain()
        if not line.silent:
            writer.close()


@dataclass
class _Line:
    """One connection, with its two ends."""

    writers: list[asyncio.StreamWriter]
    silent: bool = False

    def abort(self) -> None:
        """Break it without a farewell."""
        for writer in self.writers:
            writer.transport.abort()
