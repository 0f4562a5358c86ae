"""`make bench`: the hop between two offices beside plain aio-pika and a small reference.

Everything runs on a RabbitMQ and a PostgreSQL that it starts itself, with their usual durability,
in one run: each round measures all three, so that a machine that drifts drifts for all. Then a leaf
node alone, and, unless it shall be quick, how a backlog drains, how long finding and each page take
among very many items, and how soon messages go again after the broker was killed. `--only` chooses
among these. Figures are printed and written to build/bench.json. Exit code 1 when a target is
missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from tests.bench import drain, finding, hop, leaf, pages, plain, recovery, reference
from tests.bench.result import OUTPUT, Rates, Result
from tests.servers.postgres import Postgres
from tests.servers.rabbitmq import RabbitMQ

QUICKLY = ("hop", "leaf")
FINDING = ("search", "duplicates")
# The broker is killed last.
ALL = (*QUICKLY, "drain", *FINDING, "pages", "recovery")


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    rounds: int
    plain: int
    reference: int
    hop: int
    backlog: int = 20_000
    restarts: int = 6
    items: int = 100_000


QUICK = Size(rounds=3, plain=5_000, reference=1_000, hop=4_000, items=10_000)
FULL = Size(rounds=5, plain=20_000, reference=4_000, hop=20_000)


def main() -> int:
    """Measure, print, write; 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer messages, rounds and parts")
    parser.add_argument("--only", choices=ALL, nargs="+", help="measure nothing else")
    options = parser.parse_args()
    size = QUICK if options.quick else FULL
    chosen: Sequence[str] = options.only or (QUICKLY if options.quick else ALL)
    result = _measure(size, chosen)
    report = {
        "command": f'make bench ARGS="{" ".join(sys.argv[1:])}"',
        "machine": {
            "cores": os.cpu_count(),
            "processor": platform.machine(),
            "python": platform.python_version(),
        },
        "size": asdict(size),
        **result.as_json(),
    }
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps(report, indent=2) + "\n", "utf-8")
    result.print()
    return 0 if result.met else 1


def _measure(size: Size, chosen: Sequence[str]) -> Result:
    result = Result()
    _tell("starting RabbitMQ and PostgreSQL …")
    with RabbitMQ() as rabbitmq, Postgres(durable=True) as postgres:
        if "hop" in chosen:
            result.rates = _rates(rabbitmq, postgres, size)
        if "leaf" in chosen:
            _tell("a leaf node")
            result.leaf = leaf.measure(rabbitmq.url())
        if "drain" in chosen:
            broker, management = rabbitmq.url(), rabbitmq.management_url
            for sqlite in (False, True):
                _tell(f"a backlog {'in SQLite' if sqlite else 'in PostgreSQL'}")
                count = size.backlog
                found = drain.measure(broker, management, postgres, count=count, sqlite=sqlite)
                result.drains.append(found)
        if parts := [part for part in FINDING if part in chosen]:
            for sqlite in (False, True):
                _tell(f"finding in {'SQLite' if sqlite else 'PostgreSQL'}")
                result.findings.append(
                    finding.measure(postgres, items=size.items, sqlite=sqlite, parts=parts)
                )
        if "pages" in chosen:
            for sqlite in (False, True):
                _tell(f"pages on {'SQLite' if sqlite else 'PostgreSQL'}")
                result.pages.append(pages.measure(postgres, items=size.items, sqlite=sqlite))
        if "recovery" in chosen:
            result.recovery = recovery.measure(rabbitmq, postgres, times=size.restarts)
    return result


def _rates(rabbitmq: RabbitMQ, postgres: Postgres, size: Size) -> Rates:
    broker, management = rabbitmq.url(), rabbitmq.management_url
    rates: Rates = {"plain": [], "reference": [], "hop": []}
    for number in range(1, size.rounds + 1):
        _tell(f"round {number} of {size.rounds}")
        rates["plain"].append(plain.measure(broker, size.plain))
        rates["reference"].append(_reference(broker, postgres, size.reference))
        rates["hop"].append(hop.measure(broker, management, postgres, count=size.hop))
    return rates


def _reference(broker: str, postgres: Postgres, count: int) -> float:
    names = ("reference_a", "reference_b")
    sender, receiver = (asyncio.run(postgres.create_database(name)) for name in names)
    try:
        return reference.measure(broker, sender, receiver, count)
    finally:
        for name in names:
            asyncio.run(postgres.drop_database(name))


def _tell(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
