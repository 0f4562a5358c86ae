"""Two receptions beside each other, as an import beside a running node: one after the other."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from node.relay import reception
from node.relay.reception import Reception
from node.relay.transport import Delivery
from node.workflow import receive
from node.workflow.intake import Intake
from protocol.envelope import Opened
from tests.factories import make_revision
from tests.node.relay.ends import CITY, SETTINGS, Ends
from tests.waiting import until

pytestmark = pytest.mark.threads
apply = receive.apply


async def waits(ends: Ends) -> bool:
    """Whether a transaction of the city waits for its turn."""
    async with ends.city.room.database.reading() as session:
        query = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        return bool(await session.scalar(text(query)))


async def test_an_item_and_its_revision_that_come_at_the_same_moment_by_two_ways_find_each_other(
    ends_on_postgresql: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = ends_on_postgresql
    subject = ends.county.new_id()
    item = ends.county.seal(ends.county.item(), CITY, subject=subject)
    revision = ends.county.seal(
        make_revision(origin=ends.county.room.desk.office), CITY, subject=subject
    )
    desk = ends.city.room.desk
    others: list[asyncio.Task[object]] = []

    async def apply_beside(intake: Intake, message: Opened) -> bool:
        if message.name == "revision" and not others:
            beside = Reception(desk, SETTINGS).take_in([Delivery(item, None, "file")])
            others.append(asyncio.create_task(beside))

            async def decided() -> bool:
                return others[0].done() or await waits(ends)

            await until(decided)
        return await apply(intake, message)

    monkeypatch.setattr(reception.receive, "apply", apply_beside)
    first = await Reception(desk, SETTINGS).take_in([Delivery(revision, None, "zt.yunzhou.in")])
    await asyncio.gather(*others)
    assert first.parked == 1
    assert {row.state for row in await ends.city.inbox()} == {"applied"}
    assert (await ends.city.items(), len(await ends.city.inbox())) == (1, 2)
