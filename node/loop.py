"""Loops: a step that does one bounded piece of work, repeated, woken instead of polled.

A step says whether there was any work. While there is, it is called again at once; otherwise the
loop sleeps until it is woken or `poll` seconds have passed. A step that fails is logged and tried
again after a growing pause, for ever: what it works on stays where it is. Stopping waits for the
step that is under way; being killed in the middle is as safe as being stopped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger()

Step = Callable[[], Awaitable[bool]]

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0


class Loop:
    """Repeats one step until stopped."""

    def __init__(self, name: str, step: Step, *, poll: float = 1.0) -> None:
        self.name = name
        self._step = step
        self._poll = poll
        self._woken = asyncio.Event()
        self._stopping = False

    def wake(self) -> None:
        """There may be work."""
        self._woken.set()

    def stop(self) -> None:
        """Finish the step that is under way, then return from `run`."""
        self._stopping = True
        self._woken.set()

    async def run(self) -> None:
        """Repeat the step until `stop` is called."""
        pause = FIRST_PAUSE
        failures = 0
        while not self._stopping:
            self._woken.clear()
            try:
                worked = await self._step()
            except (Exception, asyncio.CancelledError) as error:
                # aiormq raises CancelledError when it closes, though nobody ended this task.
                if being_cancelled():
                    raise
                failures += 1
                self._report(error, failures)
                await self._sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
                continue
            pause, failures = FIRST_PAUSE, 0
            if not worked:
                await self._sleep(self._poll)

    def _report(self, error: BaseException, failures: int) -> None:
        # One traceback tells all; one with every attempt of a long night would fill a disk.
        name = type(error).__name__
        if failures == 1:
            log.error("loop.failed", loop=self.name, error=name, exc_info=error)
        else:
            log.warning("loop.failed_again", loop=self.name, error=name, failures=failures)

    async def _sleep(self, seconds: float) -> None:
        if self._stopping:
            return
        try:
            await asyncio.wait_for(self._woken.wait(), seconds)
        except TimeoutError:
            return


def being_cancelled() -> bool:
    """Whether the task that asks was told to end. If not, a library made up the error."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


class Wakers:
    """Who wants to know when something was committed: `outbox`, `files`, `purged` …"""

    def __init__(self) -> None:
        self._waiting: dict[str, list[Callable[[], None]]] = {}

    def on(self, topic: str, wake: Callable[[], None]) -> None:
        """Call `wake` whenever something about the topic was committed."""
        self._waiting.setdefault(topic, []).append(wake)

    def wake(self, topic: str) -> None:
        """Something about the topic was committed."""
        for call in self._waiting.get(topic, ()):
            call()
