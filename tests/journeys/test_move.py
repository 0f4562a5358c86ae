"""Offices that are moved while messages flow: nothing is lost, nothing comes twice, and what was
decided on either side of the move reaches its author, proven.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from node.workflow import decisions, forwarding
from tests.journeys import moves, plays, travel
from tests.journeys.plays import ALL, PROVINCE
from tests.offices import MakeDatabase, Plan
from tests.servers.rabbitmq import RabbitMQ

NATION = Plan("guojia", "全国政协", "nation", (Plan("linsheng", "邻省政协", "province"),))


async def test_a_county_moves_to_another_city_while_messages_flow(
    tmp_path: Path, sqlite: MakeDatabase
) -> None:
    hierarchy = await travel.set_up(tmp_path, PROVINCE, broker=None, make_database=sqlite)
    async with travel.opened(hierarchy, *ALL) as journey:
        await plays.move_the_county(journey)


async def test_a_city_moves_with_its_counties(tmp_path: Path, sqlite: MakeDatabase) -> None:
    hierarchy = await travel.set_up(tmp_path, PROVINCE, broker=None, make_database=sqlite)
    async with travel.opened(hierarchy, *ALL) as journey:
        await plays.move_the_city(journey)


async def test_a_new_top_is_put_over_the_province(tmp_path: Path, sqlite: MakeDatabase) -> None:
    hierarchy = await travel.set_up(tmp_path / "a", PROVINCE, broker=None, make_database=sqlite)
    above = await travel.set_up(tmp_path / "b", NATION, broker=None, make_database=sqlite)
    (tmp_path / "b" / "guojia").rename(tmp_path / "a" / "guojia")
    for node in above.nodes.values():
        await node.desk.database.close()
    async with travel.opened(hierarchy, *ALL, "guojia") as journey:
        county = journey.rooms["donghu"]
        before = await county.submit()
        await moves.climb(journey, before, "donghu", "yunzhou", "jiangyuan")
        await moves.move(journey, "jiangyuan", "guojia")
        await moves.placed(journey.rooms["yunzhou"], "guojia/jiangyuan/yunzhou")
        await moves.placed(county, "guojia/jiangyuan/yunzhou/donghu")
        # What came to the province under its own root goes on to the new top.
        province, top = journey.rooms["jiangyuan"], journey.rooms["guojia"]
        await forwarding.forward_up(province.desk, province.editor, before)
        await moves.climb(journey, before, "guojia")
        after = await county.submit()
        await moves.climb(journey, after, "donghu", "yunzhou", "jiangyuan", "guojia")
        for item in (before, after):
            await decisions.adopt(top.desk, top.editor, item, issue="第1期")
            await moves.heard(county, item, "guojia", "adopted")
            await moves.told_once(county, item)
        await moves.settled(journey)


async def test_what_a_former_parent_gave_back_may_be_merged_and_what_it_has_may_not(
    tmp_path: Path, sqlite: MakeDatabase
) -> None:
    hierarchy = await travel.set_up(tmp_path, PROVINCE, broker=None, make_database=sqlite)
    async with travel.opened(hierarchy, *ALL) as journey:
        await plays.merge_after_the_move(journey)


async def test_a_county_goes_back_to_the_city_that_it_came_from(
    tmp_path: Path, sqlite: MakeDatabase
) -> None:
    hierarchy = await travel.set_up(tmp_path, PROVINCE, broker=None, make_database=sqlite)
    async with travel.opened(hierarchy, *ALL) as journey:
        await plays.go_and_come_back(journey)


@pytest.mark.timeout(300)
async def test_a_county_moves_on_real_servers(
    tmp_path: Path, broker: str, rabbitmq: RabbitMQ, postgresql: MakeDatabase
) -> None:
    hierarchy = await travel.set_up(
        tmp_path,
        PROVINCE,
        broker=broker,
        management=rabbitmq.management_url,
        make_database=postgresql,
    )
    async with travel.opened(hierarchy, *ALL) as journey:
        await plays.move_the_county(journey)
