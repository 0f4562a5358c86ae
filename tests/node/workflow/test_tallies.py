"""Items of a year are counted whole, by month, topic and level, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from node.errors import ForbiddenError
from node.workflow import issues, tallies
from node.workflow.tallies import Count, Tally
from protocol.lifecycle import Action
from tests.browser import things
from tests.node.chain import Chain
from tests.node.rooms import Room
from tests.node.workflow.deeds import do


async def of(room: Room, year: int | None = None) -> Tally:
    return (await tallies.of(room.desk, room.leader, year))[1]


async def test_items_count_by_month_and_topic_and_once_at_each_level(pair: Chain) -> None:
    county = pair.county
    month = county.clock().month
    twice = await county.submit(topic="city")
    below = await county.registered(topic="economy")
    await county.submit(topic="economy")
    await pair.climb(twice)
    for room, item in ((pair.above, twice), (county, below)):
        await do(room, Action.ADOPT, item)
    await pair.deliver()
    found = await of(county)
    assert found.total == Count(3, 2)
    assert found.months[month] == Count(3, 2)
    assert sum((one for when, one in found.months.items() if when != month), Count()) == Count()
    assert found.topics == {"city": Count(1, 1), "economy": Count(2, 1)}
    assert found.levels == {"county": 1, "city": 1}
    assert (await of(pair.above)).total == Count(1, 1)


async def test_a_month_ends_at_midnight_of_the_office(county: Room) -> None:
    start = datetime(2027, 1, 1, tzinfo=UTC) - timedelta(hours=8)
    county.clock.move(start - timedelta(seconds=1) - county.clock())
    await county.submit()
    county.clock.move(timedelta(seconds=1))
    await county.submit()
    county.clock.move(timedelta(days=31))
    await county.submit()
    assert {when: one.submitted for when, one in (await of(county, 2026)).months.items()}[12] == 1
    months = (await of(county, 2027)).months
    assert [months[when].submitted for when in range(1, 13)] == [1, 1, *[0] * 10]
    assert (await of(county)).total == Count(2)


async def test_an_adoption_that_was_retracted_does_not_count(county: Room) -> None:
    await things.furnish(county)
    issue = await things.issued(county)
    assert (await of(county)).levels == {"county": 1}
    await issues.withdraw(county.desk, county.signer, issue, "刊期有误。")
    found = await of(county)
    assert (found.total, found.levels) == (Count(1, 0), {})


async def test_of_a_combined_item_its_originals_count(county: Room) -> None:
    combined = await things.combined(county)
    assert (await of(county)).total == Count(2)
    await do(county, Action.ADOPT, combined)
    assert (await of(county)).total == Count(2, 2)


async def test_whoever_does_not_look_over_the_office_sees_no_tally(leaf: Room) -> None:
    for actor in (leaf.lin, leaf.handler, leaf.auditor):
        with pytest.raises(ForbiddenError):
            await tallies.of(leaf.desk, actor)
