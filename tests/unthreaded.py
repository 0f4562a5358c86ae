"""SQLite without the driver's threads: each call is carried out when it is made.

The driver gives every connection a thread, and hands each call over to it and back, so that a slow
one holds up nobody. The databases of tests are small and lie in memory: handing over took a quarter
of the time of a test of the workflow, and more than half of a simulated schedule's. A call still
gives way once, as before: a step can be killed there. Who finds the database locked asks again soon
instead of waiting for it, for whoever holds the lock runs in the same thread.

Journeys but for that of forty counties, the demo, whatever is started as a process of its own, and
files that are marked `threads` keep the threads.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import aiosqlite
from aiosqlite.core import set_exception, set_result
from sqlalchemy import Engine, event
from sqlalchemy.ext.asyncio import AsyncEngine

from node.storage.database import BUSY_SECONDS

PAUSE = 0.002
"""Seconds until a locked database is asked again."""

Call = Callable[[], Any]


@contextmanager
def everywhere() -> Iterator[None]:
    """While this lasts, no connection to SQLite gets a thread."""
    event.listen(Engine, "do_connect", _without_thread)
    try:
        yield
    finally:
        event.remove(Engine, "do_connect", _without_thread)


def use(engine: AsyncEngine) -> None:
    """From now on the engine's connections have no threads."""
    event.listen(engine.sync_engine, "do_connect", _without_thread)


class _AtOnce:
    """Stands where the driver has its queue of calls."""

    def put_nowait(self, call: tuple[asyncio.Future[Any] | None, Call]) -> None:
        future, function = call
        if future is None:
            function()
        else:
            loop = future.get_loop()
            self._attempt(loop, future, function, loop.time() + BUSY_SECONDS)

    def _attempt(
        self,
        loop: asyncio.AbstractEventLoop,
        future: asyncio.Future[Any],
        function: Call,
        until: float,
    ) -> None:
        try:
            result = function()
        except BaseException as error:
            if _is_busy(error) and loop.time() < until:
                loop.call_later(PAUSE, self._attempt, loop, future, function, until)
            else:
                loop.call_soon(set_exception, future, error)
            return
        if isinstance(result, sqlite3.Connection):
            result.execute("PRAGMA busy_timeout = 0")
        loop.call_soon(set_result, future, result)


class _NoThread:
    """Stands where the driver has its thread."""

    daemon = True

    def start(self) -> None:
        return

    def join(self) -> None:
        return


def _is_busy(error: BaseException) -> bool:
    # The lower byte is the code, the others say more of it.
    return (
        isinstance(error, sqlite3.OperationalError)
        and error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
    )


def _without_thread(
    dialect: Any, _record: object, _arguments: object, parameters: dict[str, Any]
) -> None:
    if dialect.name == "sqlite":
        parameters["async_creator_fn"] = _connect


def _connect(*arguments: Any, **parameters: Any) -> aiosqlite.Connection:
    connection = aiosqlite.connect(*arguments, **parameters)
    connection._tx, connection._thread = _AtOnce(), _NoThread()  # type: ignore[assignment]
    return connection
