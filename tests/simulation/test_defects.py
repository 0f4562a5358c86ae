"""The simulator finds what it is there to find: each planted defect shows within a few seeds.

The same seeds hold without it: all of them stand in `test_schedules_high`, and the one that showed
the defect is run again here.
"""

from __future__ import annotations

import pytest

from tests import simulator
from tests.simulation import schedule
from tests.simulation.databases import SqliteFiles
from tests.simulation.defects import DEFECTS

SEEDS = range(200, 300)


@pytest.mark.parametrize("name", DEFECTS)
async def test_a_planted_defect_is_found_and_the_same_seed_holds_without_it(
    files: SqliteFiles, name: str
) -> None:
    for seed in SEEDS:
        with DEFECTS[name]():
            found = await schedule.run(seed, files)
        if found.problems:
            break
    else:
        pytest.fail(f"no seed of {SEEDS} shows: {name}")
    sound = await schedule.run(found.seed, files)
    assert not sound.problems, simulator.complaint(sound)
