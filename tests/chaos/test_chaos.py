"""A very small run on real servers: the tool works, and a stage that it did not open is clean."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import psutil
import pytest
from yarl import URL

from tests.chaos import run, stage
from tests.offices import DONGHU, Plan
from tests.servers.postgres import Postgres
from tests.servers.processes import wait_until
from tests.servers.rabbitmq import RabbitMQ

SECONDS = 6.0
CITY = Plan("yunzhou", "云州市政协", "city", (DONGHU,))
THREE_OFFICES = Plan("jiangyuan", "江原省政协", "province", (CITY,))


@pytest.mark.timeout(240)
async def test_a_fault_of_each_kind_loses_and_doubles_nothing(
    tmp_path: Path, rabbitmq: RabbitMQ, broker: str, postgres: Postgres
) -> None:
    vhost = unquote(URL(broker).path.removeprefix("/"))
    async with stage.opened(tmp_path, THREE_OFFICES, [(rabbitmq, vhost)], [postgres]) as playing:
        report = await run.run(playing, seed=3, seconds=SECONDS)
    result = report.as_json()
    assert report.ok, result
    assert min(result["faults"].values()) >= 1
    assert result["acts"]["arrived"] > 0
    assert result["facts"]["arrived"] == result["notices"]["arrived"] > 0
    assert len(report.nemesis.recoveries) == result["faults"]["broker_kill"]
    assert [p for p in psutil.Process().children() if "serve" in p.cmdline()] == []


def runs(process: psutil.Process) -> bool:
    try:
        # A zombie's parent ended first: some system process will reap it.
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A folder for temporary files into which PostgreSQL's own user may look as well."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.timeout(240)
def test_after_ctrl_c_nothing_is_left(temporary: Path) -> None:
    running = subprocess.Popen(
        [sys.executable, "-m", "tests.chaos"],
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        # A shell that runs the tests in the background has SIGINT ignored, and that is inherited.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        # Four servers run, and the first office is coming up.
        wait_until(lambda: any(temporary.glob("*/*/node.log")), 120, "a node's log")
        children = psutil.Process(running.pid).children(recursive=True)
        assert len(children) >= 5
        running.send_signal(signal.SIGINT)
        said, _ = running.communicate(timeout=90)
    finally:
        running.kill()
    assert (running.returncode, said) == (130, b"")
    assert [child for child in children if runs(child)] == []
    assert list(temporary.iterdir()) == []
