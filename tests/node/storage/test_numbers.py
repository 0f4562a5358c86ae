"""Register numbers: unique and without gaps, however many write at once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from node.storage.items import Item
from node.workflow import decisions, numbers
from protocol.errors import LifecycleError
from tests.node.rooms import Room

pytestmark = pytest.mark.threads
AT_ONCE = 40
PATTERN = "{year}-{number:04}"


class ChangedMyMindError(Exception):
    """A use-case fails after it took a number."""


async def test_numbers_stay_unique_and_without_gaps_while_many_write_and_some_roll_back(
    county: Room,
) -> None:
    items = [await county.submit() for _ in range(AT_ONCE // 2)]

    async def roll_back() -> None:
        async with county.database.writing.begin() as session:
            await numbers.next_number(session, PATTERN, county.clock())
            raise ChangedMyMindError

    async def register(item: UUID) -> str:
        return await decisions.register(county.desk, county.editor, item)

    outcomes = await asyncio.gather(
        *(work for item in items for work in (register(item), roll_back())),
        return_exceptions=True,
    )

    given = [outcome for outcome in outcomes if isinstance(outcome, str)]
    failed = [outcome for outcome in outcomes if isinstance(outcome, ChangedMyMindError)]
    year = county.clock.now.year
    assert sorted(given) == [f"{year}-{n:04d}" for n in range(1, len(items) + 1)]
    assert len(failed) == AT_ONCE // 2
    async with county.database.reading() as session:
        assert sorted(await session.scalars(select(Item.number))) == sorted(given)


async def test_an_item_that_many_register_at_once_gets_one_number(county: Room) -> None:
    item = await county.submit()
    outcomes = await asyncio.gather(
        *(decisions.register(county.desk, county.editor, item) for _ in range(8)),
        return_exceptions=True,
    )
    assert [outcome for outcome in outcomes if isinstance(outcome, str)] == [
        f"{county.clock.now.year}-0001"
    ]
    assert sum(isinstance(outcome, LifecycleError) for outcome in outcomes) == 7
    assert await county.timeline(item) == [("donghu", "submitted"), ("donghu", "registered")]


async def test_a_refused_registration_takes_no_number(county: Room) -> None:
    declined = await county.submit()
    await decisions.decline(county.desk, county.editor, declined, "已有部署。")
    with pytest.raises(LifecycleError):
        await decisions.register(county.desk, county.editor, declined)
    number = await decisions.register(county.desk, county.editor, await county.submit())
    assert number.endswith("-0001")


async def test_numbers_begin_anew_with_the_year_of_the_offices_calendar(county: Room) -> None:
    # 16:00 in UTC is midnight in China.
    new_year = datetime(2026, 12, 31, 16, 0, tzinfo=UTC)
    async with county.database.writing.begin() as session:
        given = [
            await numbers.next_number(session, PATTERN, new_year + timedelta(minutes=minutes))
            for minutes in (-2, -1, 0, 1, -1)
        ]
    assert given == ["2026-0001", "2026-0002", "2027-0001", "2027-0002", "2026-0003"]


async def test_a_number_has_at_least_four_digits_and_more_when_needed(county: Room) -> None:
    now = county.clock()
    async with county.database.writing.begin() as session:
        await numbers.next_number(session, PATTERN, now)
        for name, value in ((9, "0010"), (9999, "10000")):
            await session.execute(numbers.Counter.__table__.update().values(value=name))
            assert await numbers.next_number(session, PATTERN, now) == f"{now.year}-{value}"
