"""The simulator itself: it repeats, it says how to repeat, and it runs on PostgreSQL as well."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import simulator
from tests.simulation import schedule
from tests.simulation.databases import PostgresDatabases, SqliteFiles
from tests.simulation.defects import DEFECTS

ROOT = Path(__file__).parents[2]
SEED = 29
"""The city loses its disk twice."""


async def in_another_process(*arguments: str, hash_seed: str) -> tuple[int | None, str]:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.simulator",
        *arguments,
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": hash_seed},
        stdout=subprocess.PIPE,
    )
    said, _ = await child.communicate()
    return child.returncode, said.decode()


async def test_a_seed_gives_the_same_steps_in_every_process(files: SqliteFiles) -> None:
    here = await schedule.run(SEED, files, keeps_trace=True)
    again = await schedule.run(SEED, files, keeps_trace=True)
    assert list(again.trace) == list(here.trace)
    assert any("lost its disk" in line for line in here.trace)
    for hash_seed in ("1", "2"):
        code, said = await in_another_process("--seed", str(SEED), hash_seed=hash_seed)
        assert (code, said.split()[-1]) == (0, here.digest)


async def test_another_seed_gives_other_steps(files: SqliteFiles) -> None:
    reports = [await schedule.run(seed, files) for seed in (1, 2, 3)]
    assert len({report.digest for report in reports}) == 3


async def test_a_schedule_that_does_not_hold_names_its_seed_and_the_command(
    files: SqliteFiles, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with DEFECTS["duplicates by the text of the token"]():
        for seed in range(204, 224):
            report = await schedule.run(seed, files)
            if report.problems:
                break
        monkeypatch.setattr(sys, "argv", ["simulator", "--seed", str(report.seed)])
        assert await asyncio.to_thread(simulator.main) == 1
    said = capsys.readouterr().out
    assert f"python -m tests.simulator --seed {report.seed} --trace" in said
    assert report.problems[0] in said


# In the first and the last of them, disks are lost.
@pytest.mark.parametrize("seed", [1000, 1001, 1003, 1007])
async def test_on_postgresql_everything_arrives_exactly_once_too(
    places: PostgresDatabases, seed: int
) -> None:
    report = await schedule.run(seed, places)
    assert not report.problems, simulator.complaint(report, " --postgres")
