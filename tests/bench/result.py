"""What a run came to: the figures of the parts that were measured, and their targets."""

from __future__ import annotations

import operator
import statistics
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.drain import Drain
from tests.bench.finding import Finding
from tests.bench.leaf import Leaf
from tests.bench.pages import Served
from tests.bench.recovery import Recovery

OUTPUT = Path("build/bench.json")
OF_PLAIN, OF_REFERENCE = 0.25, 2.5
READY_SECONDS, RESIDENT_MB = 5.0, 150.0
GROWTH_MB, RECOVERY_SECONDS = 150.0, 5.0
FOUND_MS = 100.0
PAGE_MS = 100.0
WORDS = {
    "plain": "plain aio-pika (no database, no signature)",
    "reference": "FastStream + SQLAlchemy, one transaction a message",
    "hop": "Zhitong: outbox → inbox, item, events → receipt",
}

COMPARED: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "<": operator.lt,
}

Rates = dict[str, list[float]]
"""Messages a second in each round, by what was measured."""


@dataclass(frozen=True)
class Target:
    """A figure, and the bound that it must keep."""

    what: str
    value: float
    sign: str
    bound: float

    @property
    def met(self) -> bool:
        """Whether it keeps it."""
        return COMPARED[self.sign](self.value, self.bound)


@dataclass
class Result:
    """All figures of a run."""

    rates: Rates | None = None
    leaf: Leaf | None = None
    drains: list[Drain] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    pages: list[Served] = field(default_factory=list)
    recovery: Recovery | None = None

    @property
    def met(self) -> bool:
        """Whether no target is missed."""
        return all(target.met for target in self.targets())

    def targets(self) -> Iterator[Target]:
        """The targets of what was measured."""
        if self.rates is not None:
            # Ratios pair by pair: what was measured next to each other.
            of_plain = _ratio(self.rates["hop"], self.rates["plain"])
            of_reference = _ratio(self.rates["hop"], self.rates["reference"])
            yield Target("hop ÷ plain aio-pika", of_plain, ">=", OF_PLAIN)
            yield Target("hop ÷ reference", of_reference, ">=", OF_REFERENCE)
        if self.leaf is not None:
            first, resident = self.leaf.first_start, self.leaf.resident
            yield Target("leaf ready, first start (s)", first, "<", READY_SECONDS)
            yield Target("leaf resident (MB)", resident, "<=", RESIDENT_MB)
        for drain in self.drains:
            for office, growth in drain.growth.items():
                what = f"growth while draining, {office} (MB)"
                yield Target(what, growth, "<=", GROWTH_MB)
        for found in self.findings:
            for part, spent in found.spreads.items():
                what = f"{part} in {found.database}, median (ms)"
                yield Target(what, spent["median"], "<", FOUND_MS)
        for served in self.pages:
            what = f"slowest page in {served.database}, median (ms)"
            yield Target(what, served.slowest, "<", PAGE_MS)
        if self.recovery is not None:
            what = "first message after a broker's restart, longest (s)"
            yield Target(what, self.recovery.longest, "<=", RECOVERY_SECONDS)

    def as_json(self) -> dict[str, Any]:
        """Everything, for those who compare runs."""
        found: dict[str, Any] = {}
        if self.rates is not None:
            found["messages_per_second"] = {
                name: {"median": statistics.median(rounds), "rounds": rounds}
                for name, rounds in self.rates.items()
            }
        if self.leaf is not None:
            found["leaf"] = asdict(self.leaf)
        if self.drains:
            found["drain"] = [drain.as_json() for drain in self.drains]
        if self.findings:
            found["finding"] = [one.as_json() for one in self.findings]
        if self.pages:
            found["pages"] = [one.as_json() for one in self.pages]
        if self.recovery is not None:
            found["recovery"] = self.recovery.as_json()
        found["targets"] = [
            {"what": t.what, "value": t.value, "bound": f"{t.sign} {t.bound}", "met": t.met}
            for t in self.targets()
        ]
        return found

    def print(self) -> None:
        """A table for each part, and the targets."""
        if self.rates is not None:
            _row("messages a second", "median", "lowest", "highest")
            for name, rounds in self.rates.items():
                _row(WORDS[name], statistics.median(rounds), min(rounds), max(rounds))
            print()
        if self.drains:
            _row("a backlog drains", "idle MB", "peak MB", "growth", "msgs/s")
            for drain in self.drains:
                for office, memory in drain.memories.items():
                    rate = drain.messages_per_second
                    what = f"{drain.messages:,} messages, {office}"
                    _row(what, memory.idle, memory.peak, memory.growth, rate)
            print()
        if self.findings:
            _row("finding", "median", "95 %", "longest", "items/s", "B/item")
            for found in self.findings:
                for part, spent in found.spreads.items():
                    what = f"{part}, {found.items:,} items, {found.database}"
                    times = [f"{spent[name]:.0f} ms" for name in ("median", "p95", "longest")]
                    _row(what, *times, found.indexed_per_second, found.bytes_per_item)
            print()
        for served in self.pages:
            where = f"{served.items:,} items, {served.database}"
            _row(f"pages, {where}", "median", "95 %", "longest")
            for look, spent in served.spreads.items():
                _row(f"  {look}", *(f"{spent[n]:.0f} ms" for n in ("median", "p95", "longest")))
            print()
        if self.recovery is not None:
            _row("the first message after a broker's restart", "median", "longest", "restarts")
            seconds = (f"{self.recovery.median:.2f} s", f"{self.recovery.longest:.2f} s")
            _row("  nothing else being broken", *seconds, str(len(self.recovery.seconds)))
            print()
        for target in self.targets():
            met, bound = "met" if target.met else "MISSED", f"{target.sign} {target.bound}"
            print(f"{target.what:52} {target.value:8.2f}   {bound:>8}  {met}")
        print(f"\nwritten to {OUTPUT}")


def _row(what: str, *figures: float | str) -> None:
    words = [figure if isinstance(figure, str) else f"{figure:.0f}" for figure in figures]
    print(f"{what:52}", *(f"{word:>8}" for word in words))


def _ratio(first: list[float], second: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(first, second, strict=True))
