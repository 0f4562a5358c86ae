"""A node that is killed (SIGKILL) at the worst moment loses nothing and does nothing twice."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from sqlalchemy import func, select

from node.storage.events import Event
from node.storage.items import Item
from node.storage.messages import Incoming, Outgoing
from node.workflow import decisions, forwarding
from tests.journeys import processes, travel
from tests.journeys.travel import Journey
from tests.node.rooms import Room
from tests.offices import DEPTH_2, Hierarchy, MakeDatabase
from tests.servers.rabbitmq import RabbitMQ
from tests.waiting import until

COUNTY, CITY = "donghu", "yunzhou"
RELAY_ONLY = ("serve", "--only", "relay", "--no-migrate", "--log-level", "info")


@pytest.fixture
async def hierarchy(
    tmp_path: Path, broker: str, rabbitmq: RabbitMQ, postgresql: MakeDatabase
) -> Hierarchy:
    """The counties 东湖 and 西山 below the city 云州."""
    return await travel.set_up(
        tmp_path,
        DEPTH_2,
        broker=broker,
        management=rabbitmq.management_url,
        make_database=postgresql,
    )


async def forward_one(county: Room) -> object:
    item = await county.registered()
    await forwarding.forward_up(county.desk, county.editor, item)
    return item


async def count(room: Room, model: type) -> int:
    async with room.database.reading() as session:
        return await session.scalar(select(func.count()).select_from(model)) or 0


async def outbox(room: Room) -> list[tuple[str, str, int]]:
    """Name, state and attempts of the business messages that the office sent."""
    async with room.database.reading() as session:
        rows = await session.execute(
            select(Outgoing.name, Outgoing.state, Outgoing.attempts)
            .where(Outgoing.priority > 0)
            .order_by(Outgoing.created_at)
        )
        return [tuple(row) for row in rows]


async def demand_one_of_each(journey: Journey) -> None:
    """One item above, brought by one message, that was submitted once."""
    city = journey.rooms[CITY]
    assert [await count(city, model) for model in (Item, Incoming, Event)] == [1, 1, 1]


async def test_an_office_above_that_is_killed_between_commit_and_acknowledgement(
    hierarchy: Hierarchy,
) -> None:
    folder = hierarchy.folder / CITY
    async with travel.opened(hierarchy, COUNTY) as journey:
        await journey.enter(CITY, start=False)
        county = journey.county
        async with processes.run(folder, "tests.journeys.killed", folder, "acknowledge") as doomed:
            item = await forward_one(county)
            assert await doomed.ended() == -signal.SIGKILL, doomed.said()
        # It was committed, and the sender has not heard of it.
        await demand_one_of_each(journey)
        assert [row[:2] for row in await outbox(county)] == [("submission", "sent")]
        async with processes.run(folder, "node", *RELAY_ONLY, folder) as again:
            await until(lambda: received(county), travel.SECONDS, "the receipt")
            await demand_one_of_each(journey)
            # What it decides now still reaches the author, once.
            city = journey.rooms[CITY]
            await decisions.register(city.desk, city.editor, item)
            await journey.demand_everything_once([item])
            assert await again.terminate() == 0, again.said()


async def test_an_office_below_that_is_killed_between_the_brokers_confirm_and_its_own_mark(
    hierarchy: Hierarchy,
) -> None:
    folder = hierarchy.folder / COUNTY
    async with travel.opened(hierarchy, CITY) as journey:
        await journey.enter(COUNTY, start=False)
        county = journey.county
        item = await forward_one(county)
        async with processes.run(folder, "tests.journeys.killed", folder, "publish") as doomed:
            assert await doomed.ended() == -signal.SIGKILL, doomed.said()
        assert await outbox(county) == [("submission", "pending", 0)]
        await journey.arrived(CITY, [item])
        await demand_one_of_each(journey)
        async with processes.run(folder, "node", *RELAY_ONLY, folder) as again:
            await until(lambda: received(county), travel.SECONDS, "the receipt")
            await demand_one_of_each(journey)
            city = journey.rooms[CITY]
            await decisions.register(city.desk, city.editor, item)
            await journey.demand_everything_once([item])
            assert await again.terminate() == 0, again.said()


async def received(county: Room) -> bool:
    return [row[:2] for row in await outbox(county)] == [("submission", "received")]
