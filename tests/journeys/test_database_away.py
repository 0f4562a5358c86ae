"""A PostgreSQL that goes away while messages arrive: nothing is given up, lost or doubled."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import UUID

import pytest

from node.relay import amqp
from node.workflow import decisions, forwarding
from tests.journeys import travel
from tests.journeys.travel import Journey
from tests.offices import DEPTH_2, MakeDatabase
from tests.servers.postgres import Postgres
from tests.servers.rabbitmq import RabbitMQ

COUNTY, CITY = "donghu", "yunzhou"


async def forward(journey: Journey, count: int) -> list[UUID]:
    county = journey.county
    items = [await county.registered() for _ in range(count)]
    for item in items:
        await forwarding.forward_up(county.desk, county.editor, item)
    return items


@pytest.mark.parametrize("way", ["shut down", "killed"])
async def test_a_database_that_goes_away_and_comes_back_costs_nothing_but_time(
    way: str,
    tmp_path: Path,
    broker: str,
    rabbitmq: RabbitMQ,
    postgres: Postgres,
    postgresql: MakeDatabase,
    sqlite: MakeDatabase,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if way == "killed":
        # Meanwhile the hub wants to know who its children are.
        monkeypatch.setattr(amqp, "REFRESH_SECONDS", 0.2)

    async def by_level(office: str) -> str:
        return await (postgresql if office == CITY else sqlite)(office)

    hierarchy = await travel.set_up(
        tmp_path,
        DEPTH_2,
        broker=broker,
        management=rabbitmq.management_url,
        make_database=by_level,
    )
    async with travel.opened(hierarchy) as journey:
        items = await forward(journey, 5)
        await journey.arrived(CITY, items)
        leave = postgres.stop if way == "shut down" else postgres.kill
        during, _ = await asyncio.gather(forward(journey, 10), asyncio.to_thread(leave))
        items += during + await forward(journey, 5)
        await asyncio.to_thread(postgres.start)
        await journey.arrived(CITY, items)
        city = journey.rooms[CITY]
        for item in items:
            await decisions.register(city.desk, city.editor, item)
        await journey.demand_everything_once(items)
