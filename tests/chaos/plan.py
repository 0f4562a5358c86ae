"""The nemesis's plan: which fault strikes what, when, and for how long. Pure, and seeded.

The faults of each kind are spread over the whole run, each at a random moment of its own share of
it; their targets come in a random order that leaves none out. The same seed gives the same plan;
what the offices are doing at those moments is never the same twice.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What can go wrong."""

    NODE_KILL = "node_kill"
    BROKER_KILL = "broker_kill"
    DATABASE_RESTART = "database_restart"
    CUT = "cut"
    BLACK_HOLE = "black_hole"
    MEMORY_ALARM = "memory_alarm"


A_MINUTE: dict[Kind, float] = {
    Kind.NODE_KILL: 7.0,
    Kind.BROKER_KILL: 2.2,
    Kind.DATABASE_RESTART: 1.2,
    Kind.CUT: 2.4,
    Kind.BLACK_HOLE: 1.2,
    Kind.MEMORY_ALARM: 0.8,
}
"""How many faults of each kind strike in a minute; at least one in any run."""

LASTS: dict[Kind, tuple[float, float]] = {
    Kind.NODE_KILL: (0.0, 3.0),
    Kind.BROKER_KILL: (0.0, 4.0),
    Kind.DATABASE_RESTART: (0.0, 3.0),
    Kind.CUT: (0.0, 0.0),
    # Beyond what heartbeats allow, and short of it.
    Kind.BLACK_HOLE: (2.0, 45.0),
    Kind.MEMORY_ALARM: (2.0, 20.0),
}
"""Seconds between the fault and its end, at least and at most."""

LONGEST_SHARE = 0.25
"""No fault lasts longer than this share of the run."""

CALM = 0.05
"""The share of the run at its beginning in which nothing happens yet."""


@dataclass(frozen=True)
class Fault:
    """One fault; times in seconds, `at` from the beginning of the run."""

    at: float
    kind: Kind
    target: str
    lasts: float


def make(seed: int, seconds: float, targets: Mapping[Kind, Sequence[str]]) -> list[Fault]:
    """The faults of a run, in the order in which they strike."""
    chance = random.Random(seed)
    faults: list[Fault] = []
    for kind in Kind:
        count = max(1, math.ceil(A_MINUTE[kind] * seconds / 60))
        struck = itertools.chain.from_iterable(
            chance.sample(targets[kind], len(targets[kind])) for _ in itertools.count()
        )
        for number, target in zip(range(count), struck, strict=False):
            share = (number + chance.random()) / count
            shortest, longest = LASTS[kind]
            lasts = min(chance.uniform(shortest, longest), seconds * LONGEST_SHARE)
            faults.append(Fault(seconds * (CALM + (1 - CALM) * share), kind, target, lasts))
    return sorted(faults, key=lambda fault: fault.at)
