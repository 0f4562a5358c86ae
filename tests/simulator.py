"""The fault simulator: whole hierarchies under every fault, repeatable from one number.

    python -m tests.simulator --seed 17 [--trace]     one schedule, step by step
    python -m tests.simulator --schedules 5000        the long form, with progress

Runs the product's own publisher, consumer, auditor and workflow on real databases, a faulty memory
transport and virtual time (`tests/simulation/schedule.py`). Exit code 1 when anything does not
hold. On SQLite a seed repeats exactly; with `--postgres` the databases are PostgreSQL's.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import structlog

from tests.servers.places import use_memory
from tests.servers.postgres import Postgres
from tests.simulation import databases, schedule
from tests.simulation.databases import Databases, PostgresDatabases
from tests.simulation.schedule import Report

EVERY = 50
"""Schedules between two lines of progress."""


@contextmanager
def silence() -> Iterator[None]:
    """What the nodes log is of no use here: the trace tells it in order."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    try:
        yield
    finally:
        structlog.configure(**before)


def complaint(report: Report, option: str = "") -> str:
    """What did not hold, and the command that shows it again."""
    found = "\n".join(f"  {problem}" for problem in report.problems)
    return (
        f"seed {report.seed} ({report.shape}, {report.steps} steps) does not hold:\n{found}\n"
        f"replay: .venv/bin/python -m tests.simulator --seed {report.seed}{option} --trace"
    )


def main() -> int:
    """Run what was asked for; 1 when anything does not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulator", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--schedules", type=int, default=1, help="how many seeds from there")
    parser.add_argument("--trace", action="store_true", help="print every step")
    parser.add_argument("--postgres", action="store_true", help="on a PostgreSQL of its own")
    asked = parser.parse_args()
    use_memory()
    with silence():
        return asyncio.run(_run(asked))


async def _run(asked: argparse.Namespace) -> int:
    failed = 0
    option = " --postgres" if asked.postgres else ""
    async with _databases(postgres=asked.postgres) as places:
        for number in range(1, asked.schedules + 1):
            seed = asked.seed + number - 1
            report = await schedule.run(seed, places, keeps_trace=asked.trace)
            if asked.trace:
                print(*report.trace, sep="\n")
            if report.problems:
                failed += 1
                print(complaint(report, option))
            if asked.schedules == 1:
                print(f"{report.steps} steps, trace {report.digest}")
            elif number % EVERY == 0 or number == asked.schedules:
                print(f"{number} of {asked.schedules} schedules, {failed} failed", flush=True)
    return 1 if failed else 0


@asynccontextmanager
async def _databases(*, postgres: bool) -> AsyncIterator[Databases]:
    if not postgres:
        with databases.sqlite_files() as files:
            yield files
        return
    server = Postgres()
    await asyncio.to_thread(server.start)
    try:
        yield PostgresDatabases(server)
    finally:
        await asyncio.to_thread(server.close)


if __name__ == "__main__":
    sys.exit(main())
