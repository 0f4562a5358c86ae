"""Waiting for what another task, process or office does: polling, with a deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

PAUSE = 0.02


async def until(
    condition: Callable[[], bool | Awaitable[bool]],
    seconds: float = 20.0,
    what: str = "the condition",
) -> None:
    """Poll until it holds. Fails with `AssertionError` after so many seconds."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while True:
        holds = condition()
        if await holds if isinstance(holds, Awaitable) else holds:
            return
        assert loop.time() < deadline, f"{what} did not hold within {seconds:g} s"
        await asyncio.sleep(PAUSE)
