"""Points by an office's rules: each rule once an item, and an author's part of it to the cent."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from pydantic import ValidationError

from node.desk_errors import PointsChangedError
from node.errors import ForbiddenError
from node.workflow import issues, points, yearbook
from node.workflow.points import Kind, Points, Rules
from protocol.lifecycle import Action
from tests.browser import things
from tests.node.chain import Chain
from tests.node.rooms import Room
from tests.node.workflow.deeds import do

WORTH = {
    "single": {"county": "1", "city": "5", "nation": "20"},
    "combined": {"county": "0.5", "city": "2"},
    "instructed": {"city": "10", "county": "3"},
}
ALL: list[tuple[Kind, str]] = [
    ("single", "county"),
    ("combined", "city"),
    ("single", "nation"),
    ("instructed", "city"),
    ("instructed", "province"),
]


def rules(version: int = 0, **content: Any) -> Rules:
    return Rules.model_validate({"version": version, "from_year": 2020, "worth": WORTH, **content})


async def set_rules(room: Room, version: int = 0, **content: Any) -> int:
    return await points.set_rules(room.desk, room.admin, rules(version, **content))


async def of_lin(room: Room, year: int | None = None) -> Points | None:
    return (await yearbook.of(room.desk, room.lin, year)).points


def test_levels_add_up_or_the_highest_counts_alone_and_instructions_always() -> None:
    lines = points.lines_of(rules(), ALL)
    assert [(line.kind, line.level) for line in lines] == ALL[:4]
    assert points.points_of(lines, Fraction(1)) == Decimal(1 + 2 + 20 + 10)
    lines = points.lines_of(rules(levels="highest"), ALL)
    assert [line.counts for line in lines] == [False, False, True, True]
    assert points.points_of(lines, Fraction(1)) == 30


def test_at_one_level_an_item_is_adopted_once_in_the_way_that_brings_more() -> None:
    both: list[tuple[Kind, str]] = [("combined", "city"), ("single", "city")]
    [line] = points.lines_of(rules(), both)
    assert (line.kind, line.worth) == ("single", 5)
    assert points.lines_of(rules(), [("single", "street")]) == []


@pytest.mark.parametrize(
    ("authors", "part"),
    [
        ([{"name": "林"}], Fraction(1)),
        ([{"name": "林"}, {"name": "陈"}, {"name": "赵"}], Fraction(1, 3)),
        ([{"name": "林", "share": "2/3"}, {"name": "陈", "share": "1/3"}], Fraction(2, 3)),
        ([{"name": "林", "share": "3/4"}, {"name": "林", "share": "1/4"}], Fraction(1, 2)),
    ],
)
def test_a_part_is_the_share_that_was_agreed_or_an_equal_one(
    authors: list[dict[str, str]], part: Fraction
) -> None:
    assert points.part_of("林", authors) == part


def test_parts_are_rounded_half_up_to_the_cent() -> None:
    lines = points.lines_of(rules(), [("single", "county")])
    assert points.points_of(lines, Fraction(1, 3)) == Decimal("0.33")
    assert points.points_of(lines, Fraction(1, 8)) == Decimal("0.13")


async def test_an_author_sees_how_each_item_was_counted_and_nothing_without_rules(
    pair: Chain,
) -> None:
    county = pair.county
    item = await county.submit(co_authors=[{"username": "chen"}])
    alone = await county.registered()
    await county.submit()
    await pair.climb(item)
    await do(pair.above, Action.ADOPT, item)
    await do(pair.above, Action.INSTRUCT, item)
    await do(county, Action.ADOPT, alone)
    await pair.deliver()
    assert await of_lin(county) is None
    await set_rules(county)
    found = await of_lin(county)
    assert found is not None
    assert [(one.id, one.part, one.points) for one in found.items] == [
        (alone, 1, Decimal("1.00")),
        (item, Fraction(1, 2), Decimal("7.50")),
    ]
    assert found.total == Decimal("8.50")
    of_chen = (await yearbook.of(county.desk, county.chen)).points
    assert of_chen is not None
    [other] = of_chen.items
    assert other.points == Decimal("7.50")
    await set_rules(county, 1, authors="whole")
    found = await of_lin(county)
    assert found is not None
    assert found.total == Decimal("16.00")


async def test_an_adoption_that_was_retracted_brings_nothing(county: Room) -> None:
    await things.furnish(county)
    await set_rules(county)
    issue = await things.issued(county)
    found = await of_lin(county)
    assert found is not None
    assert found.total == 1
    await issues.withdraw(county.desk, county.signer, issue, "刊期有误。")
    found = await of_lin(county)
    assert found is not None
    assert (found.total, found.items) == (0, [])


async def test_rules_count_from_their_year_on_and_blank_ones_not_at_all(leaf: Room) -> None:
    year = leaf.clock().year
    await set_rules(leaf, from_year=year + 1)
    assert await of_lin(leaf) is None
    assert await of_lin(leaf, year + 1) is not None
    await set_rules(leaf, 1, worth={"single": {}})
    assert await of_lin(leaf) is None
    assert await of_lin(leaf, year + 1) is None


async def test_the_administrator_sets_them_and_overwrites_nobody(leaf: Room) -> None:
    assert (await points.show(leaf.desk, leaf.admin)).rules is None
    assert await set_rules(leaf) == 1
    with pytest.raises(PointsChangedError):
        await set_rules(leaf)
    seen = await points.show(leaf.desk, leaf.admin)
    assert (seen.version, seen.rules) == (1, rules(1))
    for actor in (leaf.lin, leaf.editor, leaf.security):
        with pytest.raises(ForbiddenError):
            await points.show(leaf.desk, actor)
        with pytest.raises(ForbiddenError):
            await points.set_rules(leaf.desk, actor, rules(1))


@pytest.mark.parametrize("worth", ["-1", "1000.01", "0.123", "viel", "NaN", "Infinity"])
def test_what_is_no_number_of_points_is_refused(worth: str) -> None:
    with pytest.raises(ValidationError):
        rules(worth={"single": {"city": worth}})
