"""`make chaos`: three levels of offices on real servers, under load, while everything breaks.

Nodes and brokers are killed, databases restarted, connections cut or swallowed, brokers put under
a memory alarm, by a plan that follows from the seed. At the end everything must be there, once.
Progress goes to standard error; the last line is the result as JSON. Exit code 1 when anything
was lost, duplicated or unexpected, is not proven, or never came to rest.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from node import log
from tests.chaos import run, stage
from tests.chaos.run import Report
from tests.servers import places
from tests.servers.postgres import Postgres
from tests.servers.rabbitmq import RabbitMQ

BROKERS = DATABASES = 2
KEPT = "zhitong-chaos-"


def main() -> int:
    """Break everything for a while; 1 when it did harm."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--minutes", type=_positive, default=1.0, help="how long (default 1)")
    parser.add_argument("--seed", type=int, help="of the plan and of what people do")
    parser.add_argument("--keep", action="store_true", help="leave folders and logs")
    parser.add_argument(
        "--schedules", type=int, metavar="N", help="simulate N schedules without servers instead"
    )
    options = parser.parse_args()
    if options.schedules is not None:
        command = [sys.executable, "-m", "tests.simulator", "--schedules", str(options.schedules)]
        return subprocess.run(command, check=False).returncode
    log.configure(level="warning")
    seed: int = random.SystemRandom().randrange(2**32) if options.seed is None else options.seed
    _tell(f"seed {seed}")
    # One that is not kept is removed by the next run even after a SIGKILL.
    folder = Path(tempfile.mkdtemp(prefix=KEPT)) if options.keep else places.make_folder()
    try:
        report = _play(folder, seed, options.minutes * 60)
    except KeyboardInterrupt:
        _tell("stopped")
        return 130
    finally:
        if options.keep:
            _tell(f"kept: {folder}")
        else:
            places.remove_folder(folder)
    for words in report.wrong:
        _tell(words)
    print(json.dumps(report.as_json(), ensure_ascii=False))
    return 0 if report.ok else 1


def _play(folder: Path, seed: int, seconds: float) -> Report:
    _tell("starting RabbitMQ and PostgreSQL …")
    with ExitStack() as servers:
        brokers = [servers.enter_context(RabbitMQ()) for _ in range(BROKERS)]
        databases = [servers.enter_context(Postgres()) for _ in range(DATABASES)]
        return asyncio.run(_run(folder, brokers, databases, seed, seconds))


async def _run(
    folder: Path,
    brokers: Sequence[RabbitMQ],
    databases: Sequence[Postgres],
    seed: int,
    seconds: float,
) -> Report:
    _tell("starting the offices …")
    whole = [(broker, "/") for broker in brokers]
    async with stage.opened(folder, stage.PROVINCE, whole, databases) as playing:
        return await run.run(playing, seed=seed, seconds=seconds)


def _positive(said: str) -> float:
    minutes = float(said)
    if minutes <= 0:
        raise argparse.ArgumentTypeError("a run needs some time")
    return minutes


def _tell(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
