"""The nemesis: carries out the plan, and measures how soon a broker carries messages again.

Faults strike at their time, one at a time on the same target, each ended before the next begins
there; elsewhere they overlap. When `strike` returns, every fault is over and everything is up, but
for what `failures` names.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from tests.chaos.plan import Fault, Kind
from tests.chaos.stage import Line, Stage
from tests.node.relay.proxy import BASIC_DELIVER
from tests.servers.processes import ServerError

CARRIED_SECONDS = 120.0


@dataclass(frozen=True)
class Recovery:
    """A broker that was killed: seconds from its answer to the first message that it delivered.

    Disturbed, when some other fault was at work in that time.
    """

    seconds: float
    disturbed: bool


class Nemesis:
    """Breaks things on one stage."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._one_at_a_time: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.done: Counter[str] = Counter({kind.value: 0 for kind in Kind})
        self.failures: list[str] = []
        """What did not come back, in words."""
        self.recoveries: list[Recovery] = []
        self._working = 0
        self._begun = 0

    async def strike(self, faults: Sequence[Fault]) -> None:
        """Carry out all of them."""
        began = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as group:
            for fault in faults:
                group.create_task(self._strike(fault, began))

    async def _strike(self, fault: Fault, began: float) -> None:
        await asyncio.sleep(began + fault.at - asyncio.get_running_loop().time())
        async with self._one_at_a_time[fault.target]:
            self._working += 1
            self._begun += 1
            try:
                await self._carry_out(fault)
                self.done[fault.kind.value] += 1
            except (ServerError, TimeoutError) as error:
                # The others go on: a fault that is broken off would leave its target broken.
                self.failures.append(f"{fault.kind} of {fault.target}: no end: {error}")
            finally:
                self._working -= 1

    async def _carry_out(self, fault: Fault) -> None:
        match fault.kind:
            case Kind.NODE_KILL:
                await self._stage.nodes[fault.target].kill_and_start(fault.lasts)
            case Kind.BROKER_KILL:
                await self._kill_broker(fault.target, fault.lasts)
            case Kind.DATABASE_RESTART:
                await self._restart_database(fault.target, fault.lasts)
            case Kind.CUT:
                self._stage.lines[fault.target].proxy.cut()
            case Kind.BLACK_HOLE:
                await self._swallow(self._stage.lines[fault.target], fault.lasts)
            case Kind.MEMORY_ALARM:
                await self._alarm(fault.target, fault.lasts)
            case _:
                assert_never(fault.kind)

    async def _kill_broker(self, name: str, lasts: float) -> None:
        broker = self._stage.brokers[name]
        await asyncio.to_thread(broker.kill)
        await asyncio.sleep(lasts)
        carried = asyncio.Event()
        lines = [line for line in self._stage.lines.values() if line.broker == name]

        def overhear(said: bytes) -> None:
            if BASIC_DELIVER in said:
                carried.set()

        for line in lines:
            line.proxy.overhear = overhear
        try:
            await asyncio.to_thread(broker.start)
            answered = asyncio.get_running_loop().time()
            others, begun = self._working - 1, self._begun
            async with asyncio.timeout(CARRIED_SECONDS):
                await carried.wait()
            seconds = asyncio.get_running_loop().time() - answered
            self.recoveries.append(Recovery(seconds, others > 0 or self._begun > begun))
        finally:
            for line in lines:
                line.proxy.overhear = None

    async def _restart_database(self, name: str, lasts: float) -> None:
        database = self._stage.databases[name]
        await asyncio.to_thread(database.stop, immediate=True)
        await asyncio.sleep(lasts)
        await asyncio.to_thread(database.start)

    async def _swallow(self, line: Line, lasts: float) -> None:
        """The network forgets the office's connections, and answers to none of them afterwards."""
        line.proxy.dark = True
        line.proxy.mute()
        try:
            await asyncio.sleep(lasts)
        finally:
            line.proxy.dark = False
            line.proxy.cut()

    async def _alarm(self, name: str, lasts: float) -> None:
        broker = self._stage.brokers[name]
        await asyncio.to_thread(broker.set_memory_alarm, on=True)
        await asyncio.sleep(lasts)
        await asyncio.to_thread(broker.set_memory_alarm, on=False)
