"""The first hundred of schedules. Three files, so that they run side by side."""

from __future__ import annotations

import pytest

from tests import simulator
from tests.simulation import schedule
from tests.simulation.databases import SqliteFiles


@pytest.mark.parametrize("seed", range(100))
async def test_whatever_fails_everything_arrives_exactly_once(
    files: SqliteFiles, seed: int
) -> None:
    report = await schedule.run(seed, files)
    assert not report.problems, simulator.complaint(report)
