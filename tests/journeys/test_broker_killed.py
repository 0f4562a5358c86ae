"""A broker that is killed amid thirty journeys over TLS, while a certificate changes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from node.storage.items import Item
from node.workflow import certificates, decisions, forwarding
from tests.journeys import secured, travel
from tests.journeys.travel import Journey
from tests.node.rooms import Room
from tests.offices import DEPTH_3, MakeDatabase
from tests.waiting import until

pytestmark = pytest.mark.timeout(300)

ITEMS = 30


async def work(journey: Journey, room: Room, count: int) -> None:
    """An editor who registers what comes in, and forwards it, until all have come."""
    done: set[UUID] = set()
    while len(done) < count:
        async with room.database.reading() as session:
            found = await session.scalars(select(Item.id).where(Item.state == "submitted"))
            waiting = sorted(set(found) - done)
        for item in waiting:
            await decisions.register(room.desk, room.editor, item)
            if room is not journey.top:
                await forwarding.forward_up(room.desk, room.editor, item)
            done.add(item)
        await asyncio.sleep(0.02)


async def submit(journey: Journey, count: int) -> list[UUID]:
    return [await journey.county.submit() for _ in range(count)]


async def count_at(journey: Journey, room: Room) -> int:
    async with room.database.reading() as session:
        return len((await session.scalars(select(Item.id))).all())


async def renew(room: Room) -> None:
    """Have the office's key and certificate renewed while it works."""
    await certificates.renew(room.desk, room.admin)
    await until(lambda: renewed(room), travel.SECONDS, f"{room.desk.node} has a new certificate")


async def renewed(room: Room) -> bool:
    async with room.database.reading() as session:
        return await certificates.open_renewal(session) is None


async def climbing(journey: Journey) -> bool:
    return await count_at(journey, journey.top) >= 3


async def test_a_broker_killed_and_a_key_renewed_amid_thirty_journeys_lose_and_double_nothing(
    tmp_path: Path, postgresql: MakeDatabase
) -> None:
    async with (
        secured.opened(tmp_path, DEPTH_3, postgresql) as above,
        travel.opened(above.hierarchy) as journey,
    ):
        items: Sequence[UUID] = await submit(journey, ITEMS)
        city = above.servers["yunzhou"]
        async with asyncio.TaskGroup() as editors, asyncio.timeout(travel.SECONDS):
            await asyncio.to_thread(city.settle)
            for room in journey.line_rooms:
                editors.create_task(work(journey, room, ITEMS))
            # Some have reached the top, many are on their way.
            await until(lambda: climbing(journey), travel.SECONDS, "items at the top")
            await asyncio.to_thread(city.kill)
            assert await count_at(journey, journey.top) < ITEMS
            # The city has both: a broker above and one of its own. The next dials to them present
            # what was just put in place.
            await renew(journey.rooms["yunzhou"])
            await asyncio.to_thread(city.start)
            await above.servers["jiangyuan"].close_connections()
        await journey.demand_everything_once(items)
        timelines = [await journey.county.timeline(item) for item in items]
        assert await above.logins("yunzhou") == {
            ("yunzhou", "EXTERNAL", True),
            ("donghu", "EXTERNAL", True),
        }
        assert await above.logins("jiangyuan") == {
            ("jiangyuan", "EXTERNAL", True),
            ("yunzhou", "EXTERNAL", True),
        }
    wanted = [("donghu", "submitted"), ("donghu", "registered"), ("donghu", "forwarded")]
    wanted += [("yunzhou", "registered"), ("yunzhou", "forwarded"), ("jiangyuan", "registered")]
    assert timelines == [wanted] * ITEMS
