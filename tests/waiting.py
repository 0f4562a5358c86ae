"""Waiting for what another task, process or office does: polling, with a deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

PAUSE = 0.02
SHARE = 0.1
"""Of the time that it has waited already: many who wait long together must not fill a machine."""


async def until(
    condition: Callable[[], bool | Awaitable[bool]],
    seconds: float = 20.0,
    what: str = "the condition",
) -> None:
    """Poll until it holds. Fails with `AssertionError` after so many seconds."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while True:
        holds = condition()
        if await holds if isinstance(holds, Awaitable) else holds:
            return
        waited = loop.time() - began
        assert waited < seconds, f"{what} did not hold within {seconds:g} s"
        await asyncio.sleep(max(PAUSE, SHARE * waited))
