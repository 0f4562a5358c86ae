"""The checker finds what is planted: without that, a run that finds nothing says nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest

from tests.chaos import counting
from tests.chaos.counting import Arrival, Fact, Sight, Tally, Told
from tests.chaos.ledger import EDITION, Effect, Ledger

ITEM, OTHER, AUTHOR = UUID(int=1), UUID(int=2), UUID(int=3)
ABOVE = {"province": None, "city": "province", "county": "city"}
TITLE = "第1件"

Scene = dict[str, Sight]
"""What stands where, by office."""


def fact(office: str, sequence: int, kind: str, words: str = "") -> Fact:
    return Fact(ITEM, office, sequence, kind, words, f"{office} {sequence} {kind} {words}")


FORWARDED = fact("county", 1, "forwarded")
SENT_ON = fact("city", 1, "forwarded")
ADOPTED = fact("province", 1, "adopted", "第2次办理")


def make_ledger() -> Ledger:
    """An item handed in and forwarded twice; the province's adoption was never confirmed."""
    ledger = Ledger()
    for effect in (Effect("county", EDITION, TITLE), FORWARDED.effect, SENT_ON.effect):
        ledger.attempt(effect)
        ledger.accept(effect)
    ledger.attempt(ADOPTED.effect)
    refused = Effect("city", "declined", "第3次办理", ITEM)
    ledger.attempt(refused)
    ledger.refuse(refused)
    return ledger


def make_scene() -> Scene:
    """Everything where it must be; the province did adopt."""
    came = Arrival(ITEM, 1, TITLE)
    facts = [FORWARDED, SENT_ON, ADOPTED]
    return {
        "county": Sight(
            "county",
            written={ITEM: [AUTHOR]},
            titles=Counter([TITLE]),
            facts=Counter(facts),
            forwarded=Counter([came]),
            told=Counter(Told(AUTHOR, ITEM, f.office, f.sequence) for f in facts),
        ),
        "city": Sight(
            "city",
            facts=Counter([SENT_ON, ADOPTED]),
            arrived=Counter([came]),
            forwarded=Counter([came]),
        ),
        "province": Sight("province", facts=Counter([ADOPTED]), arrived=Counter([came])),
    }


def reckon(scene: Scene) -> dict[str, Tally]:
    return counting.reckon(make_ledger(), list(scene.values()), ABOVE)


def faults(scene: Scene) -> dict[tuple[str, str], int]:
    """What is not as it should be: where, in which way, how often."""
    return {
        (where, way): count
        for where, tally in reckon(scene).items()
        for way in ("lost", "duplicated", "unexpected")
        if (count := getattr(tally, way))
    }


def test_where_everything_is_there_once_nothing_is_wrong() -> None:
    tallies = reckon(make_scene())
    assert faults(make_scene()) == {}
    assert tallies["acts"] == Tally(attempted=4, accepted=3, arrived=4, recovered=1)
    assert tallies["facts"] == Tally(attempted=3, accepted=2, arrived=3, recovered=1)
    assert tallies["copies"] == Tally(attempted=3, accepted=3, arrived=3)
    assert tallies["items"] == Tally(attempted=2, accepted=2, arrived=2)
    assert tallies["notices"] == Tally(attempted=3, accepted=3, arrived=3)


def test_an_act_that_nobody_saw_confirmed_may_have_happened_nowhere() -> None:
    scene = make_scene()
    for sight in scene.values():
        del sight.facts[ADOPTED]
    del scene["county"].told[Told(AUTHOR, ITEM, "province", 1)]
    assert faults(scene) == {}
    assert reckon(scene)["acts"] == Tally(attempted=4, accepted=3, arrived=3)


def test_an_act_that_happened_must_have_happened_everywhere_though_nobody_saw_it_confirmed() -> (
    None
):
    scene = make_scene()
    del scene["county"].facts[ADOPTED]
    assert faults(scene) == {("copies", "lost"): 1}


def lose_edition(scene: Scene) -> None:
    scene["county"].titles.clear()


def lose_decision(scene: Scene) -> None:
    del scene["city"].facts[SENT_ON]


def lose_fact(scene: Scene) -> None:
    del scene["county"].facts[SENT_ON]


def lose_arrival(scene: Scene) -> None:
    scene["province"].arrived.clear()


def lose_notice(scene: Scene) -> None:
    del scene["county"].told[Told(AUTHOR, ITEM, "city", 1)]


def change_fact(scene: Scene) -> None:
    facts = scene["county"].facts
    del facts[ADOPTED]
    facts[ADOPTED._replace(content="something else")] += 1


def change_title(scene: Scene) -> None:
    scene["province"].arrived = Counter([Arrival(ITEM, 1, "第9件")])


def forget_edition(scene: Scene) -> None:
    scene["province"].arrived = Counter([Arrival(ITEM, 1, None)])


def double_edition(scene: Scene) -> None:
    scene["county"].titles[TITLE] += 1


def double_decision(scene: Scene) -> None:
    again = ADOPTED._replace(sequence=2, content="province 2 adopted")
    for sight in scene.values():
        sight.facts[again] += 1
    scene["county"].told[Told(AUTHOR, ITEM, "province", 2)] += 1


def double_fact(scene: Scene) -> None:
    scene["county"].facts[SENT_ON] += 1


def double_arrival(scene: Scene) -> None:
    scene["city"].arrived[Arrival(ITEM, 1, TITLE)] += 1


def double_notice(scene: Scene) -> None:
    scene["county"].told[Told(AUTHOR, ITEM, "city", 1)] += 1


def invent_decision(scene: Scene) -> None:
    invented = fact("city", 2, "closed", "第8次办理")
    for office in ("city", "county"):
        scene[office].facts[invented] += 1
    scene["county"].told[Told(AUTHOR, ITEM, "city", 2)] += 1


def carry_out_what_was_refused(scene: Scene) -> None:
    declined = fact("city", 2, "declined", "第3次办理")
    for office in ("city", "county"):
        scene[office].facts[declined] += 1
    scene["county"].told[Told(AUTHOR, ITEM, "city", 2)] += 1


def invent_arrival(scene: Scene) -> None:
    scene["province"].arrived[Arrival(OTHER, 1, "第7件")] += 1


def invent_notice(scene: Scene) -> None:
    scene["county"].told[Told(AUTHOR, OTHER, "city", 1)] += 1


PLANTED: list[tuple[Callable[[Scene], None], dict[tuple[str, str], int]]] = [
    (lose_edition, {("acts", "lost"): 1}),
    (
        lose_decision,
        {("acts", "lost"): 1, ("copies", "unexpected"): 1, ("notices", "unexpected"): 1},
    ),
    (lose_fact, {("facts", "lost"): 1, ("copies", "lost"): 1}),
    (lose_arrival, {("items", "lost"): 1}),
    (lose_notice, {("notices", "lost"): 1}),
    (change_fact, {("copies", "lost"): 1, ("copies", "unexpected"): 1}),
    (change_title, {("items", "lost"): 1, ("items", "unexpected"): 1}),
    (forget_edition, {("items", "lost"): 1, ("items", "unexpected"): 1}),
    (double_edition, {("acts", "duplicated"): 1}),
    (double_decision, {("acts", "duplicated"): 1, ("facts", "duplicated"): 1}),
    (double_fact, {("facts", "duplicated"): 1, ("copies", "duplicated"): 1}),
    (double_arrival, {("items", "duplicated"): 1}),
    (double_notice, {("notices", "duplicated"): 1}),
    (invent_decision, {("acts", "unexpected"): 1, ("facts", "unexpected"): 1}),
    (carry_out_what_was_refused, {("acts", "unexpected"): 1, ("facts", "unexpected"): 1}),
    (invent_arrival, {("items", "unexpected"): 1}),
    (invent_notice, {("notices", "unexpected"): 1}),
]


@pytest.mark.parametrize(("plant", "wanted"), PLANTED, ids=[plant.__name__ for plant, _ in PLANTED])
def test_what_is_planted_is_found_where_it_was_planted(
    plant: Callable[[Scene], None], wanted: dict[tuple[str, str], int]
) -> None:
    scene = make_scene()
    plant(scene)
    assert faults(scene) == wanted


def test_what_is_there_too_often_is_duplicated_beyond_what_was_attempted() -> None:
    one = Counter(["a"])
    assert counting.compare(one, Counter(), Counter(a=3)) == Tally(1, 1, 1, duplicated=2)
    assert counting.compare(one, one, Counter(a=3)) == replace(
        Tally(2, 1, 2), duplicated=1, recovered=1
    )
    assert counting.compare(Counter(), one, Counter()) == Tally(attempted=1)
