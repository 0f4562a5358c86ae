"""The board of cases: each in its column, the most pressing first, and a part of a long column."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest

from node.errors import ForbiddenError
from node.workflow import board, handling
from node.workflow.board import COLUMNS, Column
from node.workflow.calendar import day_of
from node.workflow.desk import Actor
from tests.node.browser import visit
from tests.node.rooms import Room
from tests.node.workflow.test_assignments import ACCEPTED, answered, given, with_bureau


async def shown(room: Room, actor: Actor) -> dict[Column, Sequence[UUID]]:
    found = await board.show(room.desk, actor)
    assert all(page.total == len(page.rows) for page in found.values())
    return {name: [card.assignment.id for card in found[name].rows] for name in COLUMNS}


async def due_in(room: Room, days: int) -> UUID:
    due = day_of(room.clock()) + timedelta(days=days)
    return (await given(room, due=due))[1]


async def test_a_case_stands_in_the_column_of_its_date_the_first_due_first(county: Room) -> None:
    await with_bureau(county)
    soon, later, next_week, early = [await due_in(county, days) for days in (8, 9, 30, 1)]
    _, never = await given(county, lead=False)
    done = [await due_in(county, 60) for _ in range(2)]
    county.clock.move(timedelta(days=2))
    for assignment in reversed(done):
        await answered(county, assignment)
        await handling.judge(county.desk, county.editor, assignment, ACCEPTED)
    expected = {
        "overdue": [early],
        "soon": [soon, later],
        "later": [next_week, never],
        # What was done last is looked for first.
        "settled": done,
    }
    assert await shown(county, county.editor) == expected
    assert await shown(county, county.handler) == expected
    card = (await board.column(county.desk, county.editor, "overdue")).rows[0]
    assert card.title == "老旧小区电动自行车充电难"


async def test_the_last_day_is_not_overdue_and_the_seventh_is_soon(county: Room) -> None:
    await with_bureau(county)
    today, seventh, eighth = [await due_in(county, days) for days in (0, 7, 8)]
    found = await shown(county, county.editor)
    assert (found["soon"], found["later"]) == ([today, seventh], [eighth])
    county.clock.move(timedelta(days=1))
    assert (await shown(county, county.editor))["overdue"] == [today]


async def test_whoever_belongs_to_no_unit_with_a_case_sees_none(leaf: Room) -> None:
    await with_bureau(leaf)
    await due_in(leaf, 3)
    leaf.clock.move(-timedelta(days=3))
    assert await shown(leaf, leaf.handler) == {name: [] for name in COLUMNS}
    with pytest.raises(ForbiddenError):
        await board.show(leaf.desk, leaf.lin)
    with pytest.raises(ForbiddenError):
        await board.column(leaf.desk, leaf.lin, "soon")


@pytest.mark.usefixtures("quick_passwords")
async def test_a_long_column_shows_its_beginning_and_leads_to_the_rest(
    leaf: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board, "GLANCE", 2)
    await with_bureau(leaf)
    cases = [await due_in(leaf, days) for days in (1, 2, 3)]
    async with visit(leaf, "editor") as client:
        page = (await client.get("/cases")).text
        assert [str(case) in page for case in cases] == [True, True, False]
        assert '<a href="/cases?column=soon">全部 3 件' in page
        assert "/cases?column=later" not in page
        column = (await client.get("/cases?column=soon")).text
        assert all(str(case) in column for case in cases)
        rest = (await client.get("/cases?column=soon&offset=2")).text
        assert [str(case) in rest for case in cases] == [False, False, True]
        assert (await client.get("/cases?column=unknown")).status_code == 422
