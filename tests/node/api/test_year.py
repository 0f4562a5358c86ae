"""A year in numbers over the API, and the rules for points: bad ones change nothing."""

from __future__ import annotations

from typing import Any

import pytest

from protocol.lifecycle import Action
from tests.node.browser import problem, visit
from tests.node.rooms import Room
from tests.node.workflow.deeds import do

YEAR, OVERVIEW, POINTS = "/api/v1/year", "/api/v1/overview", "/api/v1/points"
RULES: dict[str, Any] = {
    "version": 0,
    "from_year": 2020,
    "worth": {"single": {"county": "1.5"}, "instructed": {"county": "3"}},
}


async def test_an_author_is_told_the_year_and_how_each_item_brought_points(county: Room) -> None:
    item = await county.registered(co_authors=[{"username": "chen"}])
    other = await county.submit()
    for action in (Action.ADOPT, Action.INSTRUCT):
        await do(county, action, item)
    async with visit(county, "lin") as lin, visit(county, "admin") as admin:
        before = (await lin.get(YEAR)).json()
        assert before["points"] is None
        assert (await admin.put(POINTS, json=RULES)).json() == {"version": 1}
        book = (await lin.get(YEAR)).json()
    assert {**book, "points": None} == before
    assert book["year"] == county.clock().year
    assert book["tally"]["total"] == {"submitted": 2, "adopted": 1}
    assert book["tally"]["months"][str(county.clock().month)] == {"submitted": 2, "adopted": 1}
    assert book["tally"]["levels"] == {"county": 1}
    assert (book["heard"], book["implemented"]) == (1, 0)
    assert book["points"]["total"] == "2.25"
    [counted] = book["points"]["items"]
    assert (counted["id"], counted["part"], counted["points"]) == (str(item), "1/2", "2.25")
    assert [(line["kind"], line["worth"]) for line in counted["lines"]] == [
        ("single", "1.5"),
        ("instructed", "3"),
    ]
    assert str(other) not in str(book)


async def test_the_office_sees_all_of_a_year_and_nothing_of_another(county: Room) -> None:
    await do(county, Action.ADOPT, await county.registered())
    async with visit(county, "leader") as leader:
        shown = (await leader.get(OVERVIEW)).json()
        later = (await leader.get(OVERVIEW, params={"year": shown["year"] + 1})).json()
    assert shown["tally"]["total"] == {"submitted": 1, "adopted": 1}
    assert shown["tally"]["topics"] == {"city": {"submitted": 1, "adopted": 1}}
    assert later["tally"]["total"] == {"submitted": 0, "adopted": 0}


async def test_rules_are_shown_as_they_were_set_and_by_whom(county: Room) -> None:
    async with visit(county, "admin") as admin:
        none = (await admin.get(POINTS)).json()
        assert (none["version"], none["from_year"], none["worth"]) == (0, None, {})
        await admin.put(POINTS, json=RULES)
        shown = (await admin.get(POINTS)).json()
    assert shown.pop("set_at") is not None
    assert shown == {
        **RULES,
        "version": 1,
        "levels": "sum",
        "authors": "parts",
        "set_by": county.admin.name,
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"from_year": 1900},
        {"worth": {"single": {"moon": "1"}}},
        {"worth": {"bribed": {"county": "1"}}},
        {"worth": {"single": {"county": "-1"}}},
        {"worth": {"single": {"county": "0.001"}}},
        {"levels": "lowest"},
        {"bonus": True},
    ],
    ids=lambda wrong: next(iter(wrong)) if isinstance(wrong, dict) else str(wrong),
)
async def test_rules_that_make_no_sense_change_nothing(leaf: Room, wrong: dict[str, Any]) -> None:
    async with visit(leaf, "admin") as admin:
        problem(await admin.put(POINTS, json={**RULES, **wrong}), 422, "input.invalid")
        assert (await admin.get(POINTS)).json()["version"] == 0


async def test_rules_made_of_an_older_version_are_refused(leaf: Room) -> None:
    async with visit(leaf, "admin") as admin:
        await admin.put(POINTS, json=RULES)
        problem(await admin.put(POINTS, json=RULES), 409, "points.changed")
        assert (await admin.get(POINTS)).json()["version"] == 1


@pytest.mark.parametrize(("path", "who"), [(YEAR, "lin"), (OVERVIEW, "leader")])
@pytest.mark.parametrize("year", ["1948", "9999", "last"])
async def test_a_year_that_no_calendar_has_is_refused(
    leaf: Room, path: str, who: str, year: str
) -> None:
    async with visit(leaf, who) as person:
        problem(await person.get(path, params={"year": year}), 422, "input.invalid")
