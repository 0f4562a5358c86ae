"""Offices that are moved where every hub has a broker of its own, reached by certificates alone."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from node.bootstrap import brokers
from node.bootstrap.node import system_clock
from tests.journeys import plays, secured, travel
from tests.journeys.plays import ALL, PROVINCE
from tests.offices import MakeDatabase

pytestmark = pytest.mark.timeout(300)


async def test_a_county_moves_from_one_citys_broker_to_the_others(
    tmp_path: Path, postgresql: MakeDatabase
) -> None:
    async with (
        secured.opened(tmp_path, PROVINCE, postgresql) as offices,
        travel.opened(offices.hierarchy, *ALL) as journey,
    ):
        await secured.account(offices.servers["lanjiang"], "lanjiang", "donghu")
        await plays.move_the_county(journey)
        assert await offices.logins("lanjiang") == {
            ("lanjiang", "EXTERNAL", True),
            ("donghu", "EXTERNAL", True),
        }


async def test_a_city_moves_with_its_county_and_its_broker_is_certified_anew(
    tmp_path: Path, postgresql: MakeDatabase
) -> None:
    async with (
        secured.opened(tmp_path, PROVINCE, postgresql) as offices,
        travel.opened(offices.hierarchy, *ALL) as journey,
    ):
        await secured.account(offices.servers["lanjiang"], "lanjiang", "yunzhou")
        await plays.move_the_city(journey)
        city = offices.servers["yunzhou"]
        files = tmp_path / "brokers" / "yunzhou"
        settings = journey.hierarchy.settings("yunzhou")
        brokers.certify(settings, [secured.HOST], files, system_clock())
        await asyncio.to_thread(city.restart)
        await plays.follow_the_moved_city(journey, await journey.rooms["donghu"].submit())
        assert await offices.logins("yunzhou") == {
            ("yunzhou", "EXTERNAL", True),
            ("donghu", "EXTERNAL", True),
        }
