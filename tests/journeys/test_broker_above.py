"""A broker above that takes messages and confirms none: what goes down does not wait for it."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from node.config import KeySettings
from node.relay import amqp
from node.workflow import decisions, forwarding
from tests.journeys import travel
from tests.journeys.travel import Journey
from tests.node.relay.proxy import BASIC_PUBLISH, Proxy
from tests.offices import DEPTH_3, Hierarchy, MakeDatabase
from tests.servers.rabbitmq import RabbitMQ
from tests.waiting import until

COUNTY, CITY, PROVINCE = "donghu", "yunzhou", "jiangyuan"
NEVER = 3600.0


def reroute(hierarchy: Hierarchy, office: str, old: int, new: int) -> None:
    """Have the office dial its parent's broker at another port; its own broker stays."""
    file = hierarchy.folder / office / KeySettings().parent_broker
    file.write_text(file.read_text().replace(f":{old}/", f":{new}/"))


async def adopted(journey: Journey, item: UUID) -> bool:
    return (CITY, "adopted") in await journey.county.timeline(item)


async def test_a_fact_goes_down_while_the_broker_above_confirms_nothing(
    tmp_path: Path,
    broker: str,
    rabbitmq: RabbitMQ,
    make_database: MakeDatabase,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hierarchy = await travel.set_up(
        tmp_path,
        DEPTH_3,
        broker=broker,
        management=rabbitmq.management_url,
        make_database=make_database,
    )
    async with Proxy(rabbitmq.port) as proxy:
        reroute(hierarchy, CITY, rabbitmq.port, proxy.port)
        # Whoever waits for a confirm, waits to the end of the test.
        monkeypatch.setattr(amqp, "CONFIRM_SECONDS", NEVER)
        async with travel.opened(hierarchy) as journey:
            city = journey.rooms[CITY]
            item = await journey.county.registered()
            await forwarding.forward_up(journey.county.desk, journey.county.editor, item)
            await journey.arrived(CITY, [item])
            await decisions.register(city.desk, city.editor, item)
            await journey.settled()
            proxy.silent_after = BASIC_PUBLISH
            await forwarding.forward_up(city.desk, city.editor, item)
            await until(lambda: proxy.swallowed == 1, what="a message that nobody confirms")
            await decisions.adopt(city.desk, city.editor, item)
            await until(lambda: adopted(journey, item), what="the adoption at the county")
            proxy.cut()
            await journey.arrived(PROVINCE, [item])
            await journey.demand_everything_once([item])
