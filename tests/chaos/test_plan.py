"""The nemesis's plan: enough of everything, spread over the run, the same for the same seed."""

from __future__ import annotations

import pytest

from tests.chaos import plan
from tests.chaos.plan import Kind

TARGETS = {kind: [f"{kind} {number}" for number in range(4)] for kind in Kind}


def count(minutes: float) -> dict[Kind, int]:
    faults = plan.make(1, minutes * 60, TARGETS)
    return {kind: sum(fault.kind is kind for fault in faults) for kind in Kind}


def test_five_minutes_hold_enough_faults_of_each_kind() -> None:
    found = count(5)
    assert found[Kind.NODE_KILL] >= 30
    assert found[Kind.BROKER_KILL] >= 10
    assert found[Kind.DATABASE_RESTART] >= 5
    assert found[Kind.CUT] >= 10
    assert min(found.values()) >= 4


def test_the_shortest_run_still_holds_one_fault_of_each_kind() -> None:
    assert count(0.01) == dict.fromkeys(Kind, 1)


@pytest.mark.parametrize("kind", list(Kind))
def test_faults_of_a_kind_are_spread_over_the_run_and_leave_no_target_out(kind: Kind) -> None:
    faults = [fault for fault in plan.make(7, 600, TARGETS) if fault.kind is kind]
    assert {fault.target for fault in faults[: len(TARGETS[kind])]} == set(TARGETS[kind])
    calm = 600 * plan.CALM
    share = (600 - calm) / len(faults)
    for number, fault in enumerate(faults):
        assert calm + number * share <= fault.at <= calm + (number + 1) * share
        assert plan.LASTS[kind][0] <= fault.lasts <= plan.LASTS[kind][1]


def test_the_same_seed_gives_the_same_plan_and_another_seed_another() -> None:
    assert plan.make(5, 300, TARGETS) == plan.make(5, 300, TARGETS)
    assert plan.make(5, 300, TARGETS) != plan.make(6, 300, TARGETS)
