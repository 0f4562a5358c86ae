"""An author's year is counted by whole items, at each level once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from node.errors import ForbiddenError
from node.workflow import yearbook
from node.workflow.tallies import Count
from protocol.lifecycle import Action
from tests.node.chain import Chain
from tests.node.rooms import Room
from tests.node.workflow.deeds import do


async def test_a_year_counts_what_became_of_each_item_at_every_level(pair: Chain) -> None:
    county = pair.county
    item = await county.submit()
    other = await county.registered()
    await pair.climb(item)
    for action in (Action.ADOPT, Action.INSTRUCT, Action.IMPLEMENT):
        await do(pair.above, action, item)
    for action in (Action.ADOPT, Action.INSTRUCT):
        await do(county, action, other)
    await pair.deliver()
    book = await yearbook.of(county.desk, county.lin)
    assert (book.year, book.tally.total) == (county.clock().year, Count(2, 2))
    assert book.tally.levels == {"county": 1, "city": 1}
    assert (book.heard, book.implemented) == (2, 1)
    assert [one.id for one in book.newest] == [other, item]
    nobody = await yearbook.of(county.desk, county.chen)
    assert (nobody.tally.total, nobody.tally.levels) == (Count(), {})


async def test_a_year_begins_and_ends_at_midnight_of_the_office(county: Room) -> None:
    await county.submit()
    year = county.clock().year
    assert (await yearbook.of(county.desk, county.lin, year)).tally.total.submitted == 1
    assert (await yearbook.of(county.desk, county.lin, year + 1)).tally.total.submitted == 0
    county.clock.move(timedelta(days=366))
    assert (await yearbook.of(county.desk, county.lin)).tally.total.submitted == 0


async def test_whoever_writes_nothing_has_no_year(leaf: Room) -> None:
    with pytest.raises(ForbiddenError):
        await yearbook.of(leaf.desk, leaf.leader)
