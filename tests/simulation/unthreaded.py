"""SQLite without the driver's threads: each call is carried out when it is made.

The driver gives every connection a thread, and hands each call over to it and back. One office
works at a time here, so there is nothing to win by that, and the handing over took more than half
of a schedule's time. A call still gives way once, as before: a step can be killed there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import aiosqlite
from aiosqlite.core import set_exception, set_result
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine


class _AtOnce:
    """Stands where the driver has its queue of calls."""

    def put_nowait(self, call: tuple[asyncio.Future[Any] | None, Callable[[], Any]]) -> None:
        future, function = call
        try:
            result = function()
        except BaseException as error:
            if future is None:
                raise
            future.get_loop().call_soon(set_exception, future, error)
            return
        if future is not None:
            future.get_loop().call_soon(set_result, future, result)


class _NoThread:
    """Stands where the driver has its thread."""

    daemon = True

    def start(self) -> None:
        return

    def join(self) -> None:
        return


def use(engine: AsyncEngine) -> None:
    """From now on the engine's connections have no threads."""
    event.listen(engine.sync_engine, "do_connect", _without_thread)


def _without_thread(
    _dialect: object, _record: object, _arguments: object, parameters: dict[str, Any]
) -> None:
    parameters["async_creator_fn"] = _connect


def _connect(*arguments: Any, **parameters: Any) -> aiosqlite.Connection:
    connection = aiosqlite.connect(*arguments, **parameters)
    connection._tx, connection._thread = _AtOnce(), _NoThread()  # type: ignore[assignment]
    return connection
