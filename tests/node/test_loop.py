"""Loops: a step repeated while there is work, woken instead of polled, never ended by a failure."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from node import loop
from node.loop import Loop

NEVER = 3600.0


async def test_while_there_is_work_the_step_is_repeated_at_once() -> None:
    work = iter([True, True, True, False])
    steps = 0

    async def step() -> bool:
        nonlocal steps
        steps += 1
        worked = next(work)
        if not worked:
            repeated.stop()
        return worked

    repeated = Loop("test", step, poll=NEVER)
    await repeated.run()
    assert steps == 4


async def test_a_loop_without_work_sleeps_until_it_is_woken_and_then_again() -> None:
    idle, woken = asyncio.Event(), asyncio.Event()
    steps = 0

    async def step() -> bool:
        nonlocal steps
        steps += 1
        (woken if idle.is_set() else idle).set()
        return False

    async with _running(step, poll=NEVER) as running:
        await idle.wait()
        running.wake()
        await woken.wait()
        for _ in range(20):
            await asyncio.sleep(0)
        assert steps == 2


async def test_a_wake_during_a_step_is_not_lost() -> None:
    steps = 0

    async def step() -> bool:
        nonlocal steps
        steps += 1
        if steps == 1:
            running.wake()
        else:
            again.set()
        return False

    again = asyncio.Event()
    async with _running(step, poll=NEVER) as running:
        await again.wait()


async def test_a_loop_that_nobody_wakes_looks_again_after_its_poll() -> None:
    looks = asyncio.Semaphore(0)

    async def step() -> bool:
        looks.release()
        return False

    async with _running(step, poll=0.001):
        for _ in range(3):
            await looks.acquire()


async def test_a_step_that_fails_is_tried_again_and_only_the_first_time_told_at_length(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loop, "FIRST_PAUSE", 0.0001)
    lines = await _logged(_fail, _fail, _work, _fail)
    assert [(line["event"], line["loop"], line["error"]) for line in lines] == [
        ("loop.failed", "test", "RuntimeError"),
        ("loop.failed_again", "test", "RuntimeError"),
        ("loop.failed", "test", "RuntimeError"),
    ]
    assert ["exc_info" in line for line in lines] == [True, False, True]


async def test_a_cancellation_that_a_library_made_up_is_a_failure_like_any_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loop, "FIRST_PAUSE", 0.0001)
    lines = await _logged(_make_up, _work)
    assert [(line["event"], line["error"]) for line in lines] == [("loop.failed", "CancelledError")]


async def test_a_loop_whose_task_is_cancelled_ends() -> None:
    begun = asyncio.Event()

    async def step() -> bool:
        begun.set()
        await asyncio.Event().wait()
        return True

    task = asyncio.create_task(Loop("test", step).run())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_stopping_waits_for_the_step_that_is_under_way() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()
    finished = False

    async def step() -> bool:
        nonlocal finished
        begun.set()
        await go_on.wait()
        finished = True
        return True

    running = Loop("test", step, poll=NEVER)
    task = asyncio.create_task(running.run())
    await begun.wait()
    running.stop()
    assert not task.done()
    go_on.set()
    await task
    assert finished


async def test_a_loop_that_was_stopped_before_it_ran_takes_no_step() -> None:
    async def step() -> bool:
        raise AssertionError("a step was taken")

    stopped = Loop("test", step)
    stopped.stop()
    await stopped.run()


async def test_what_is_due_is_done_though_nobody_wakes_the_loop() -> None:
    due = iter([0.001, 0.001])
    looked = asyncio.Event()
    steps = 0

    async def step() -> bool:
        nonlocal steps
        steps += 1
        if steps == 3:
            looked.set()
        return False

    running = Loop("test", step, poll=NEVER, due=lambda: next(due, None))
    task = asyncio.create_task(running.run())
    await looked.wait()
    running.stop()
    await task
    assert steps == 3


async def test_a_loop_does_not_spin_on_what_is_overdue(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(loop, "_within", _noting(slept, until=3))
    running = Loop("test", _idle, poll=NEVER, due=lambda: -60.0)
    with pytest.raises(_EnoughError):
        await running.run()
    assert slept == [loop.SHORTEST_SLEEP] * 3


async def test_a_step_that_fails_and_wakes_itself_pauses_all_the_same() -> None:
    steps = 0

    async def step() -> bool:
        nonlocal steps
        steps += 1
        running.wake()
        raise RuntimeError("what it wrote is undone")

    running = Loop("test", step, poll=NEVER)
    task = asyncio.create_task(running.run())
    for _ in range(50):
        await asyncio.sleep(0)
    running.stop()
    await task
    assert steps == 1


async def test_a_loop_rests_after_a_step_that_worked_as_long_as_that_one_asks_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(loop, "_within", _noting(slept, until=4))
    rests, work = iter([3.0, 0.0, 5.0]), iter([True, True, True, False, False])

    async def step() -> bool:
        return next(work)

    running = Loop("test", step, poll=NEVER, rest=lambda: next(rests))
    with pytest.raises(_EnoughError):
        await running.run()
    assert slept == [3.0, 5.0, NEVER, NEVER]


async def test_a_loop_that_rests_stops_at_once_and_is_not_disturbed_by_what_wakes_it() -> None:
    rests = asyncio.Event()
    steps = 0

    async def step() -> bool:
        nonlocal steps
        steps += 1
        return True

    def rest() -> float:
        rests.set()
        return NEVER

    running = Loop("test", step, rest=rest)
    task = asyncio.create_task(running.run())
    await rests.wait()
    for _ in range(20):
        running.wake()
        await asyncio.sleep(0)
    assert steps == 1
    running.stop()
    await task
    assert steps == 1


async def test_a_loop_that_gathers_is_woken_once_for_all_that_comes_meanwhile() -> None:
    idle, woken = asyncio.Event(), asyncio.Event()
    steps = 0

    async def step() -> bool:
        nonlocal steps
        steps += 1
        (woken if idle.is_set() else idle).set()
        return False

    running = Loop("test", step, poll=NEVER, gather=0.01)
    task = asyncio.create_task(running.run())
    await idle.wait()
    for _ in range(20):
        running.wake()
        await asyncio.sleep(0)
    assert steps == 1
    await woken.wait()
    running.stop()
    await task
    assert steps == 2


async def test_what_takes_too_long_is_cancelled_and_it_is_said_where_it_stood() -> None:
    async def hang() -> None:
        await asyncio.Event().wait()

    async def end() -> None:
        await asyncio.sleep(0)

    tasks = [asyncio.create_task(hang(), name="hanging"), asyncio.create_task(end(), name="ending")]
    with capture_logs() as lines:
        await loop.finish(tasks, 0.1)
    assert [task.cancelled() for task in tasks] == [True, False]
    said = [(line["event"], line["task"]) for line in lines]
    assert said == [("loop.cancelled", "hanging")]
    assert "locks.py" in lines[0]["stands"]


async def test_what_does_not_even_end_then_is_left_behind() -> None:
    free = asyncio.Event()

    async def hang() -> None:
        while not free.is_set():
            with suppress(asyncio.CancelledError):
                await free.wait()

    task = asyncio.create_task(hang(), name="deaf")
    with capture_logs() as lines:
        await loop.finish([task], 0.1)
    assert [line["event"] for line in lines] == ["loop.cancelled", "loop.left"]
    free.set()
    await task


class _running:  # noqa: N801 - reads as a sentence where it is used
    def __init__(self, step: loop.Step, *, poll: float) -> None:
        self._loop = Loop("test", step, poll=poll)

    async def __aenter__(self) -> Loop:
        self._task = asyncio.create_task(self._loop.run())
        return self._loop

    async def __aexit__(self, *_: object) -> None:
        self._loop.stop()
        await self._task


async def _logged(*outcomes: Callable[[], bool]) -> list[EventDict]:
    """What a loop says while its steps come out like this."""
    waiting = iter(outcomes)
    done = asyncio.Event()

    async def step() -> bool:
        outcome = next(waiting, None)
        if outcome is None:
            done.set()
            return False
        return outcome()

    with capture_logs() as lines:
        async with _running(step, poll=NEVER):
            await done.wait()
    return list(lines)


def _work() -> bool:
    return True


def _fail() -> bool:
    raise RuntimeError("once")


def _make_up() -> bool:
    raise asyncio.CancelledError


async def _idle() -> bool:
    return False


class _EnoughError(Exception):
    pass


def _noting(slept: list[float], until: int) -> Callable[[float, asyncio.Event], Awaitable[None]]:
    async def within(seconds: float, _: asyncio.Event) -> None:
        slept.append(seconds)
        if len(slept) == until:
            raise _EnoughError

    return within
