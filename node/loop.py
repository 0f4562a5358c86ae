"""Loops: a step that does one bounded piece of work, repeated, woken instead of polled.

A step says whether there was any work. While there is, it is called again, at once or after the
rest that the work asks for; otherwise the loop sleeps until it is woken, until the step has
something `due`, or until `poll` seconds have passed: the safety net, should anything be
overlooked. A step that fails is logged and tried again after a growing pause, for ever: what it
works on stays where it is. Stopping waits for the step that is under way; being killed in the
middle is as safe as being stopped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress

import structlog

log = structlog.get_logger()

Step = Callable[[], Awaitable[bool]]
Due = Callable[[], float | None]
"""In how many seconds the step has something to do, though nothing happens until then."""
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0
SHORTEST_SLEEP = 0.05
"""What is due already and was not done waits for something else: no loop may spin on it."""


Rest = Callable[[], float]
"""How many seconds belong to others after a step that worked."""


def nothing_due() -> float | None:
    """A step that has work when it is woken, and only then."""
    return None


def no_rest() -> float:
    """A step that goes on at once."""
    return 0.0


class Loop:
    """Repeats one step until stopped."""

    def __init__(
        self,
        name: str,
        step: Step,
        *,
        poll: float = 1.0,
        due: Due = nothing_due,
        rest: Rest = no_rest,
        gather: float = 0.0,
    ) -> None:
        self.name = name
        self._step = step
        self._poll = poll
        self._due = due
        self._rest = rest
        self._gather = gather
        self._gathering: asyncio.TimerHandle | None = None
        self._woken = asyncio.Event()
        self._stopping = asyncio.Event()

    def wake(self) -> None:
        """There may be work; where the loop gathers, it waits that long for more of it."""
        if not self._gather:
            self._woken.set()
        elif self._gathering is None:
            later = asyncio.get_running_loop().call_later
            self._gathering = later(self._gather, self._gathered)

    def _gathered(self) -> None:
        self._gathering = None
        self._woken.set()

    def stop(self) -> None:
        """Finish the step that is under way, then return from `run`."""
        self._stopping.set()
        self._woken.set()

    async def run(self) -> None:
        """Repeat the step until `stop` is called."""
        pause = FIRST_PAUSE
        failures = 0
        while not self._stopping.is_set():
            self._woken.clear()
            try:
                worked = await self._step()
            except (Exception, asyncio.CancelledError) as error:
                # aiormq raises CancelledError when it closes, though nobody ended this task.
                if being_cancelled():
                    raise
                failures += 1
                self._report(error, failures)
                # Not cut short: a step that fails may wake itself with what it undoes.
                await _within(pause, self._stopping)
                pause = min(pause * 2, LONGEST_PAUSE)
                continue
            pause, failures = FIRST_PAUSE, 0
            if not worked:
                await _within(self._until_next(), self._woken)
            elif rest := self._rest():
                # Whoever stops the loop need not wait for it, and whoever wakes it must.
                await _within(rest, self._stopping)

    def _until_next(self) -> float:
        due = self._due()
        return self._poll if due is None else min(self._poll, max(due, SHORTEST_SLEEP))

    def _report(self, error: BaseException, failures: int) -> None:
        # One traceback tells all; one with every attempt of a long night would fill a disk.
        name = type(error).__name__
        if failures == 1:
            log.error("loop.failed", loop=self.name, error=name, exc_info=error)
        else:
            log.warning("loop.failed_again", loop=self.name, error=name, failures=failures)


async def finish(tasks: Collection[asyncio.Task[None]], within: float) -> None:
    """Wait until the tasks end; after so many seconds cancel what is left, and say where it stood.

    What does not even end then is left behind: it must not keep a process from ending.
    """
    for act in ("cancelled", "left"):
        if not tasks:
            return
        _, tasks = await asyncio.wait(tasks, timeout=within)
        for task in tasks:
            log.warning(f"loop.{act}", task=task.get_name(), stands=_stands(task))
            task.cancel()


def _stands(task: asyncio.Task[None]) -> str:
    """The innermost line that the task waits at."""
    waiting: object = task.get_coro()
    frame = None
    while waiting is not None:
        frame = getattr(waiting, "cr_frame", None) or frame
        waiting = getattr(waiting, "cr_await", None)
    return "" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"


async def _within(seconds: float, happening: asyncio.Event) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(happening.wait(), seconds)


def being_cancelled() -> bool:
    """Whether the task that asks was told to end. If not, a library made up the error."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
