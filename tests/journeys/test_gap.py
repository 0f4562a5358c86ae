"""Offices with no broker between them: the same items climb and the same facts come home as files,
in any order and any number of times, and beside a broker as well.
"""

from __future__ import annotations

import asyncio
import re
from datetime import date
from pathlib import Path
from random import Random
from uuid import UUID

from node.config import FILE_NAME, KeySettings
from node.workflow import decisions, forwarding, submissions
from tests.journeys import travel
from tests.journeys.courier import Courier
from tests.journeys.travel import Journey
from tests.node.rooms import draft
from tests.offices import DEPTH_2, DEPTH_3, Hierarchy, MakeDatabase
from tests.servers.rabbitmq import RabbitMQ
from tests.waiting import until

COUNTY, CITY = "donghu", "yunzhou"
ITEMS = 4


def part(hierarchy: Hierarchy, office: str, section: str) -> None:
    """Take the broker above, or its own, from an office."""
    if section == "parent":
        (hierarchy.folder / office / KeySettings().parent_broker).unlink()
        return
    file = hierarchy.folder / office / FILE_NAME
    text = file.read_text("utf-8")
    parted = re.sub(r"\[hub\]\n(?:(?!\[).+\n)*", "", text)
    assert parted != text
    file.write_text(parted, "utf-8")


async def test_county_and_city_talk_by_files_and_the_provinces_facts_reach_the_author(
    tmp_path: Path, broker: str, rabbitmq: RabbitMQ, postgresql: MakeDatabase
) -> None:
    hierarchy = await travel.set_up(
        tmp_path,
        DEPTH_3,
        broker=broker,
        management=rabbitmq.management_url,
        make_database=postgresql,
    )
    part(hierarchy, COUNTY, "parent")
    part(hierarchy, CITY, "hub")
    courier = Courier(tmp_path, Random(7))
    async with travel.opened(hierarchy) as journey:
        journey.by_files = True
        county, city, top = journey.line_rooms
        items = [await journey.county.submit(title=f"第{n}件") for n in range(ITEMS)]
        for item in items:
            await decisions.register(county.desk, county.editor, item)
            await forwarding.forward_up(county.desk, county.editor, item)
        await courier.carry(county, city)
        for item in items:
            await decisions.register(city.desk, city.editor, item)
            await forwarding.forward_up(city.desk, city.editor, item)
        await journey.arrived(top.desk.node, items)
        await decide(journey, items)
        await until(lambda: facts_at(journey, CITY, items), travel.SECONDS, "facts at the city")
        await courier.carry(city, county)
        await courier.carry(county, city)
        await courier.carry(city, county)
        await journey.demand_everything_once(items)
        for item in items:
            assert (top.desk.node, "instructed") in await county.timeline(item)
        told = await county.told_of(county.lin)
        assert sum("批示" in sentence for sentence in told) == ITEMS


async def decide(journey: Journey, items: list[UUID]) -> None:
    """The top registers every item, and a leader writes an instruction."""
    top = journey.top
    for item in items:
        await decisions.register(top.desk, top.editor, item)
        await decisions.instruct(
            top.desk,
            top.editor,
            item,
            leader="周明远",
            post="副省长",
            text="请研究办理。",
            on=date(2026, 11, 20),
        )


async def facts_at(journey: Journey, office: str, items: list[UUID]) -> bool:
    """Whether the top's facts have come to this office."""
    room, wanted = journey.rooms[office], (journey.top.desk.node, "instructed")
    return all([wanted in await room.timeline(item) for item in items])


async def test_files_beside_a_broker_duplicate_nothing(
    tmp_path: Path, broker: str, postgresql: MakeDatabase
) -> None:
    hierarchy = await travel.set_up(tmp_path, DEPTH_2, broker=broker, make_database=postgresql)
    courier = Courier(tmp_path, Random(11))
    async with travel.opened(hierarchy) as journey:
        county, city = journey.line_rooms
        items = []
        for number in range(ITEMS):
            item = await submissions.submit(county.desk, county.lin, draft(title=f"第{number}件"))
            items.append(item)
            await decisions.register(county.desk, county.editor, item)
            await forwarding.forward_up(county.desk, county.editor, item)
            # While the broker carries the same.
            await asyncio.gather(courier.carry(county, city), courier.carry(city, county))
        await journey.arrived(CITY, items)
        for item in items:
            await decisions.register(city.desk, city.editor, item)
            await asyncio.gather(courier.carry(county, city), courier.carry(city, county))
        await journey.demand_everything_once(items)
