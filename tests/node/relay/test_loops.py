"""Loops, and the small one that notices new children."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from node import loop as loops
from node.bootstrap import enrolment
from node.config import OfficeSettings
from node.loop import Loop
from node.relay.caretaker import Caretaker
from node.workflow import directory
from protocol.identifiers import NodeId
from tests.node.relay.ends import COUNTY, SIBLING, Ends
from tests.offices import take_in
from tests.waiting import until

NEVER = 3600.0


class Steps:
    """A step that does what the test says, and counts."""

    def __init__(self, *results: bool | BaseException) -> None:
        self.results = list(results)
        self.times: list[float] = []

    async def __call__(self) -> bool:
        self.times.append(asyncio.get_running_loop().time())
        result = self.results.pop(0) if self.results else False
        if isinstance(result, BaseException):
            raise result
        return result

    def taken(self, count: int) -> Callable[[], bool]:
        return lambda: len(self.times) >= count


async def run(loop: Loop, until_: Callable[[], bool]) -> None:
    task = asyncio.create_task(loop.run())
    await until(until_)
    loop.stop()
    async with asyncio.timeout(10):
        await task


async def test_while_there_is_work_the_step_is_repeated_at_once() -> None:
    steps = Steps(True, True, True)
    await run(Loop("test", steps, poll=NEVER), steps.taken(4))
    assert len(steps.times) == 4


async def test_a_loop_without_work_sleeps_until_it_is_woken() -> None:
    steps = Steps()
    loop = Loop("test", steps, poll=NEVER)
    task = asyncio.create_task(loop.run())
    await until(steps.taken(1))
    loop.wake()
    await until(steps.taken(2))
    loop.stop()
    await task


async def test_a_wake_during_the_step_is_not_lost() -> None:
    loop = Loop("test", lambda: step(), poll=NEVER)
    calls = 0

    async def step() -> bool:
        nonlocal calls
        calls += 1
        if calls == 1:
            loop.wake()
        return False

    await run(loop, lambda: calls >= 2)


async def test_a_loop_that_nobody_wakes_polls() -> None:
    steps = Steps()
    await run(Loop("test", steps, poll=0.01), steps.taken(3))


async def test_a_failing_step_is_retried_after_a_pause_that_grows_and_ends_with_success(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses: list[float] = []
    error = RuntimeError("broken")
    steps = Steps(*[error] * 8, True, error, False)
    loop = Loop("test", steps, poll=NEVER)

    async def within(seconds: float, _: asyncio.Event) -> None:
        pauses.append(seconds)
        if seconds == NEVER:
            loop.stop()

    monkeypatch.setattr(loops, "_within", within)
    await loop.run()
    growing = [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    assert pauses == pytest.approx([*growing, loops.FIRST_PAUSE, NEVER])


async def test_a_loop_survives_whatever_its_step_raises() -> None:
    steps = Steps(ValueError(), OSError(), TimeoutError(), AssertionError())
    loop = Loop("test", steps, poll=NEVER)
    task = asyncio.create_task(loop.run())
    for count in range(1, 5):
        await until(steps.taken(count))
        loop.wake()
    await until(steps.taken(5))
    loop.stop()
    await task


async def test_a_step_that_a_library_cancels_is_repeated_and_a_loop_that_is_cancelled_ends() -> (
    None
):
    """aiormq raises `CancelledError` into whoever waits for a connection that it closes."""
    steps = Steps(asyncio.CancelledError())
    loop = Loop("test", steps, poll=NEVER)
    task = asyncio.create_task(loop.run())
    await until(steps.taken(2))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_stopping_waits_for_the_step_that_is_under_way() -> None:
    begun, finish = asyncio.Event(), asyncio.Event()
    finished = False

    async def step() -> bool:
        nonlocal finished
        begun.set()
        await finish.wait()
        finished = True
        return True

    loop = Loop("test", step, poll=NEVER)
    task = asyncio.create_task(loop.run())
    await begun.wait()
    loop.stop()
    await asyncio.sleep(0)
    assert not task.done()
    finish.set()
    await task
    assert finished


async def test_a_loop_that_is_stopped_while_its_step_fails_ends_without_a_pause() -> None:
    loop = Loop("test", lambda: step(), poll=NEVER)

    async def step() -> bool:
        loop.stop()
        raise RuntimeError

    async with asyncio.timeout(10):
        await loop.run()


async def test_the_caretaker_notices_a_child_that_came_or_went_and_nothing_else() -> None:
    children: list[NodeId] = [COUNTY]
    changes: list[bool] = []

    async def now() -> list[NodeId]:
        return list(children)

    caretaker = Caretaker(now, lambda: changes.append(True))
    assert not await caretaker.step()
    assert not await caretaker.step()
    assert changes == [], "those it finds at first are no change"
    children.append(SIBLING)
    assert not await caretaker.step()
    assert len(changes) == 1
    children.reverse()
    await caretaker.step()
    assert len(changes) == 1
    children.remove(COUNTY)
    await caretaker.step()
    assert len(changes) == 2


async def test_the_caretaker_sees_a_child_that_is_certified_while_the_node_runs(
    ends: Ends,
) -> None:
    changes: list[bool] = []
    database = ends.city.room.database
    caretaker = Caretaker(lambda: directory.children(database), lambda: changes.append(True))
    await caretaker.step()
    folder = ends.hierarchy.folder / "beihu"
    office = OfficeSettings(id=NodeId("beihu"), name="北湖县政协", level="county")
    enrolment.prepare(folder, office, {})
    await take_in(ends.hierarchy.settings("yunzhou"), folder)
    await caretaker.step()
    assert changes == [True]
