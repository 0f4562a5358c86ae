"""A province sees all offices below it: what came from each, and the links that are its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from node.errors import ForbiddenError
from node.workflow import decisions, forwarding, hierarchy, issues, links, submissions
from node.workflow.calendar import OFFICE_TIME
from node.workflow.hierarchy import Counts
from protocol.lifecycle import Action
from tests.browser import things
from tests.node import chain as chains
from tests.node.browser import visit
from tests.node.chain import Chain
from tests.node.rooms import Room, Templates, draft
from tests.node.workflow import test_reviews
from tests.node.workflow.deeds import do
from tests.offices import DEPTH_3, Hierarchy


@pytest.fixture
def offices(templates: Templates, tmp_path: Path) -> Hierarchy:
    """Two counties, their city and its province, closed."""
    return templates.copy(DEPTH_3, tmp_path / "line")


@pytest.fixture
async def line(offices: Hierarchy) -> AsyncIterator[Chain]:
    """The same, delivered by hand."""
    async with chains.opened(offices) as opened:
        yield opened


async def test_the_tree_counts_what_came_from_each_office_through_the_one_above_it(
    line: Chain,
) -> None:
    city, top = line.above, line.top
    adopted, waiting, settled = [await line.county.submit() for _ in range(3)]
    for item in (adopted, waiting, settled):
        await line.climb(item)
    await test_reviews.chained(city)
    cities_own = await test_reviews.signed(city)
    await forwarding.forward_up(city.desk, city.editor, cities_own)
    await line.deliver()
    for action in (Action.ADOPT, Action.CLOSE):
        await do(top, action, adopted)
    await do(top, Action.DECLINE, settled)

    tree = await hierarchy.of(top.desk, top.leader)
    assert (tree.year, tree.own) == (top.clock().year, Counts())
    assert tree.total == Counts(received=4, adopted=1, waiting=2)
    (branch,) = tree.branches
    assert (branch.office, branch.counts) == (city.desk.node, tree.total)
    (county,) = branch.below
    assert (county.office, county.name) == (line.county.desk.node, line.county.desk.office.name)
    assert county.counts == Counts(received=3, adopted=1, waiting=1)


async def test_an_office_that_was_renamed_is_one_and_is_called_as_it_was_last(
    line: Chain,
) -> None:
    county = line.county
    renamed = county.desk.office.model_copy(update={"name": "东湖区政协"})
    for office in (county.desk.office, renamed, county.desk.office):
        desk = replace(county.desk, office=office)
        item = await submissions.submit(desk, county.lin, draft())
        await line.climb(item)
        (city,) = (await hierarchy.of(line.top.desk, line.top.leader)).branches
        assert [below.name for below in city.below] == [office.name]
    assert city.below[0].counts.received == 3


async def test_the_state_of_a_link_is_told_by_its_hub_alone(line: Chain) -> None:
    item = await line.county.submit()
    await line.climb(item)
    await links.pause(line.top.desk, line.top.admin, line.above.desk.node, "搬机房")
    (city,) = (await hierarchy.of(line.top.desk, line.top.admin)).branches
    assert city.link is not None
    assert city.link.paused is not None
    assert [below.link for below in city.below] == [None]
    counties = (await hierarchy.of(line.above.desk, line.above.admin)).branches
    assert [county.link is not None for county in counties] == [True, True]

    async with visit(line.top, "leader") as client:
        shown = (await client.get("/hierarchy")).text
    assert "暂停发送" in shown
    assert f"不在本机关，请问{line.above.desk.office.name}" in shown
    assert "/offices/" not in shown


async def test_a_year_counts_what_came_in_then_and_an_adoption_taken_back_is_none(
    county: Room,
) -> None:
    item = await county.registered()
    await county.submit()
    await decisions.adopt(county.desk, county.editor, item)
    year = county.clock().year
    tree = await hierarchy.of(county.desk, county.editor)
    assert (tree.own, tree.branches) == (Counts(received=2, adopted=1, waiting=1), [])
    assert (await hierarchy.of(county.desk, county.editor, year - 1)).total == Counts()

    await things.furnish(county)
    issue = await things.issued(county)
    assert (await hierarchy.of(county.desk, county.editor)).own.adopted == 2
    await issues.withdraw(county.desk, county.signer, issue, "内容有误。")
    assert (await hierarchy.of(county.desk, county.editor)).own.adopted == 1
    county.clock.move(timedelta(days=366))
    assert (await hierarchy.of(county.desk, county.editor)).total == Counts()


async def test_a_year_begins_at_midnight_in_china(county: Room) -> None:
    year = county.clock().year
    new_year = datetime(year + 1, 1, 1, tzinfo=OFFICE_TIME)
    for seconds in (-2, 2):
        county.clock.move(new_year + timedelta(seconds=seconds) - county.clock())
        await county.submit()
    received = [
        (await hierarchy.of(county.desk, county.editor, one)).own.received
        for one in (year, year + 1)
    ]
    assert received == [1, 1]


async def test_whoever_writes_sees_no_tree(leaf: Room) -> None:
    for person in (leaf.lin, leaf.handler, leaf.auditor, leaf.security):
        with pytest.raises(ForbiddenError):
            await hierarchy.of(leaf.desk, person)
