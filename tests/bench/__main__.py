"""`make bench`: the hop between two offices beside plain aio-pika and a small reference.

Everything runs on a RabbitMQ and a PostgreSQL that it starts itself, with their usual durability,
in one run: each round measures all three, so that a machine that drifts drifts for all. Medians
are printed and written to build/bench.json. Exit code 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.bench import hop, leaf, plain, reference
from tests.servers.postgres import Postgres
from tests.servers.rabbitmq import RabbitMQ

OUTPUT = Path("build/bench.json")
OF_PLAIN, OF_REFERENCE = 0.25, 2.5
READY_SECONDS, RESIDENT_MB = 5.0, 150.0


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    rounds: int
    plain: int
    reference: int
    hop: int


QUICK = Size(rounds=3, plain=5_000, reference=1_000, hop=4_000)
FULL = Size(rounds=5, plain=20_000, reference=4_000, hop=20_000)


def main() -> int:
    """Measure, print, write; 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer messages and rounds")
    size = QUICK if parser.parse_args().quick else FULL
    print("starting RabbitMQ and PostgreSQL …", file=sys.stderr)
    rates: dict[str, list[float]] = {"plain": [], "reference": [], "hop": []}
    with RabbitMQ() as rabbitmq, Postgres(durable=True) as postgres:
        broker = rabbitmq.url()
        for number in range(1, size.rounds + 1):
            print(f"round {number} of {size.rounds}", file=sys.stderr)
            rates["plain"].append(plain.measure(broker, size.plain))
            rates["reference"].append(_reference(broker, postgres, size.reference))
            management = rabbitmq.management_url
            rates["hop"].append(hop.measure(broker, management, postgres, count=size.hop))
        print("a leaf node", file=sys.stderr)
        alone = leaf.measure(broker)
    result = _result(size, rates, alone)
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    _print(result)
    return 0 if all(target["met"] for target in result["targets"]) else 1


def _reference(broker: str, postgres: Postgres, count: int) -> float:
    names = ("reference_a", "reference_b")
    sender, receiver = (asyncio.run(postgres.create_database(name)) for name in names)
    try:
        return reference.measure(broker, sender, receiver, count)
    finally:
        for name in names:
            asyncio.run(postgres.drop_database(name))


def _result(size: Size, rates: dict[str, list[float]], alone: leaf.Leaf) -> dict[str, Any]:
    median = {name: statistics.median(found) for name, found in rates.items()}
    # Ratios pair by pair: what was measured next to each other.
    of_plain = _ratio(rates["hop"], rates["plain"])
    of_reference = _ratio(rates["hop"], rates["reference"])
    targets = [
        ("hop ÷ plain aio-pika", of_plain, ">=", OF_PLAIN),
        ("hop ÷ reference", of_reference, ">=", OF_REFERENCE),
        ("leaf ready, first start (s)", alone.first_start, "<", READY_SECONDS),
        ("leaf resident (MB)", alone.resident, "<=", RESIDENT_MB),
    ]
    return {
        "command": "make bench ARGS=" + ("--quick" if size is QUICK else ""),
        "machine": {
            "cores": os.cpu_count(),
            "processor": platform.machine(),
            "python": platform.python_version(),
        },
        "size": asdict(size),
        "messages_per_second": {
            name: {"median": median[name], "rounds": found} for name, found in rates.items()
        },
        "leaf": asdict(alone),
        "targets": [
            {
                "what": what,
                "value": value,
                "bound": f"{sign} {bound}",
                "met": value >= bound if sign == ">=" else value <= bound,
            }
            for what, value, sign, bound in targets
        ],
    }


def _ratio(first: list[float], second: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(first, second, strict=True))


def _print(result: dict[str, Any]) -> None:
    words = {
        "plain": "plain aio-pika (no database, no signature)",
        "reference": "FastStream + SQLAlchemy, one transaction a message",
        "hop": "Zhitong: outbox → inbox, item, events → receipt",
    }
    print(f"{'messages a second':52} {'median':>8} {'lowest':>8} {'highest':>8}")
    for name, found in result["messages_per_second"].items():
        rounds = found["rounds"]
        print(f"{words[name]:52} {found['median']:8.0f} {min(rounds):8.0f} {max(rounds):8.0f}")
    print()
    for target in result["targets"]:
        met = "met" if target["met"] else "MISSED"
        print(f"{target['what']:52} {target['value']:8.2f}   {target['bound']:>8}  {met}")
    print(f"\nwritten to {OUTPUT}")


if __name__ == "__main__":
    sys.exit(main())
