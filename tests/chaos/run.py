"""One run: people work while the nemesis strikes; then calm, rest, and counting.

 1. Faults strike by the plan, for as long as the plan says, under steady load.
 2. The faults are over, everything is up, the people go home.
 3. The offices come to rest: every message has its receipt, every deed its seal.
 4. What people did is compared with what stands in the databases, and everything is proven.

A node that never serves again, a broker that carries nothing, or an office that never comes to
rest ends the run with `settled` false; what can be counted then is counted all the same.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.chaos import counting, looking, people, plan
from tests.chaos.counting import Tally
from tests.chaos.ledger import Ledger
from tests.chaos.nemesis import Nemesis
from tests.chaos.stage import Stage

SAY_SECONDS = 5.0
REST_SECONDS = 240.0
LOOK_SECONDS = 0.5


@dataclass
class Report:
    """What a run came to."""

    seed: int
    seconds: float
    settled: bool
    ledger: Ledger
    nemesis: Nemesis
    failed: Counter[str]
    ended_alone: int
    tallies: dict[str, Tally] = field(default_factory=dict)
    messages: int = 0
    wrong: list[str] = field(default_factory=list)

    def total(self, name: str) -> int:
        """Lost, duplicated or unexpected, over all comparisons."""
        return sum(getattr(tally, name) for tally in self.tallies.values())

    @property
    def ok(self) -> bool:
        """Nothing lost, nothing twice, nothing from nowhere, all at rest and proven."""
        counts = [self.total(name) for name in ("lost", "duplicated", "unexpected")]
        return self.settled and not any(counts) and not self.wrong

    def as_json(self) -> dict[str, Any]:
        """The result in one object."""
        return {
            "ok": self.ok,
            "seed": self.seed,
            "seconds": round(self.seconds, 1),
            "settled": self.settled,
            "lost": self.total("lost"),
            "duplicated": self.total("duplicated"),
            "unexpected": self.total("unexpected"),
            "wrong": self.wrong,
            "faults": dict(self.nemesis.done),
            "attempted": self.ledger.attempted,
            "refused": self.ledger.refused,
            "unknown": self.ledger.unknown.total(),
            **{name: asdict(tally) for name, tally in self.tallies.items()},
            "messages_proven": self.messages,
            "failed_answers": dict(self.failed),
            "nodes_ended_alone": self.ended_alone,
            "first_message_after_broker_restart": self._recoveries(),
        }

    def _recoveries(self) -> dict[str, Any]:
        found = self.nemesis.recoveries
        return {
            "all": _times([one.seconds for one in found]),
            "undisturbed": _times([one.seconds for one in found if not one.disturbed]),
        }


def _times(seconds: list[float]) -> dict[str, Any]:
    if not seconds:
        return {"restarts": 0}
    return {
        "restarts": len(seconds),
        "median_seconds": round(statistics.median(seconds), 2),
        "maximum_seconds": round(max(seconds), 2),
    }


async def run(stage: Stage, *, seed: int, seconds: float) -> Report:
    """Play on the stage for about so many seconds, and count."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    ledger, nemesis = Ledger(), Nemesis(stage)
    faults = plan.make(seed, seconds, stage.targets())
    # Queues declared a moment ago would not survive the first kill of a broker: see `settle`.
    for broker in stage.brokers.values():
        await asyncio.to_thread(broker.settle)
    saying = asyncio.create_task(_say(stage, ledger, nemesis, began + seconds))
    try:
        # 1. and 2.
        async with people.at_work(stage, ledger, seed) as failed:
            await nemesis.strike(faults)
            await asyncio.sleep(began + seconds - loop.time())
        # 3.
        settled = not nemesis.failures and await _rest(stage)
    finally:
        saying.cancel()
        await asyncio.gather(saying, return_exceptions=True)
    # 4.
    nodes = list(stage.desks.values())
    sights = [await looking.see(node) for node in nodes]
    proofs = [await looking.prove(node) for node in nodes]
    return Report(
        seed=seed,
        seconds=loop.time() - began,
        settled=settled,
        ledger=ledger,
        nemesis=nemesis,
        failed=failed,
        ended_alone=sum(node.ended_alone for node in stage.nodes.values()),
        tallies=counting.reckon(ledger, sights, stage.above),
        messages=sum(proof.messages for proof in proofs),
        wrong=nemesis.failures + [words for proof in proofs for words in proof.wrong],
    )


async def _rest(stage: Stage) -> bool:
    """Wait until the relay is at rest; whether it ever was."""
    nodes = list(stage.desks.values())
    try:
        async with asyncio.timeout(REST_SECONDS):
            while not await looking.at_rest(nodes):
                await asyncio.sleep(LOOK_SECONDS)
    except TimeoutError:
        for node in nodes:
            _tell(await looking.unfinished(node))
        return False
    return True


async def _say(stage: Stage, ledger: Ledger, nemesis: Nemesis, end: float) -> None:
    loop = asyncio.get_running_loop()
    while True:
        left = max(0.0, end - loop.time())
        waiting = await looking.backlog(stage.desks.values())
        faults = ", ".join(f"{kind} {n}" for kind, n in nemesis.done.items())
        _tell(
            f"{left:4.0f} s left; {ledger.attempted} acts, {ledger.unknown.total()} unknown; "
            f"{faults}; backlog {'?' if waiting is None else waiting}"
        )
        await asyncio.sleep(SAY_SECONDS)


def _tell(words: str) -> None:
    print(words, file=sys.stderr, flush=True)
