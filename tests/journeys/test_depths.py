"""The whole story, on real servers, in hierarchies of every depth: what the top decides about an
item reaches both of its authors, once and proven.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from uuid import UUID

import pytest

from node.workflow import decisions, forwarding, reading, submissions
from tests.journeys import travel
from tests.journeys.travel import Journey
from tests.node.rooms import Room, draft
from tests.offices import DEPTH_3, HIERARCHIES, Hierarchy, MakeDatabase
from tests.servers.rabbitmq import RabbitMQ
from tests.waiting import until


async def play(journey: Journey) -> UUID:
    """Submit, climb, return by the top, revise, climb again, adopt everywhere, instruct, close."""
    county, top = journey.county, journey.top
    co_authors = [{"username": "chen"}]
    item = await submissions.submit(county.desk, county.lin, draft(co_authors=co_authors))
    await journey.climb(item)
    await decisions.return_(top.desk, top.editor, item, "请补充去年的数字。")
    await until(lambda: heard(county, top.desk.node, item, "returned"), travel.SECONDS)
    await submissions.resubmit(county.desk, county.chen, item, draft(body="补充了数字的正文。"))
    for room in journey.line_rooms:
        await journey.arrived(room.desk.node, [item], edition=2)
        if room is not top:
            await forwarding.forward_up(room.desk, room.editor, item)
    await decisions.register(top.desk, top.editor, item)
    for room in reversed(journey.line_rooms):
        await decisions.adopt(room.desk, room.editor, item, issue="2026年第46期")
    await decisions.instruct(
        top.desk,
        top.editor,
        item,
        leader="周明远",
        post="副省长",
        text="请研究办理。",
        on=date(2026, 11, 20),
    )
    await decisions.implement(
        top.desk, top.editor, item, unit="省住建厅", text="已布设四十处充电棚。"
    )
    for room in reversed(journey.line_rooms):
        await decisions.close(room.desk, room.editor, item)
    return item


async def heard(room: Room, office: str, item: UUID, kind: str) -> bool:
    return (office, kind) in await room.timeline(item)


def timeline(line: list[str]) -> list[tuple[str, str]]:
    """What the authors must read, in the order in which it happened."""
    county, top, between = line[0], line[-1], line[1:-1]
    return [
        (county, "submitted"),
        (county, "registered"),
        (county, "forwarded"),
        *((office, kind) for office in between for kind in ("registered", "forwarded")),
        (top, "registered"),
        (top, "returned"),
        (county, "revised"),
        (county, "forwarded"),
        *((office, "forwarded") for office in between),
        (top, "registered"),
        *((office, "adopted") for office in reversed(line)),
        (top, "instructed"),
        (top, "implemented"),
        *((office, "closed") for office in reversed(line)),
    ]


async def demand_the_whole_story(journey: Journey) -> None:
    item = await play(journey)
    await journey.demand_everything_once([item])
    wanted = timeline(list(journey.line))
    assert await journey.county.timeline(item) == wanted
    facts = [entry for entry in wanted if entry[1] not in ("submitted", "revised")]
    for author in (journey.county.lin, journey.county.chen):
        assert len(await journey.county.told(author)) == len(facts)
    for room in journey.line_rooms:
        view = await reading.view(room.desk, room.editor, item)
        assert (view.item.state, view.item.closed, view.item.edition) == ("adopted", True, 2)
        assert view.edition.body == "补充了数字的正文。"
    view = await reading.view(journey.county.desk, journey.county.lin, item)
    proven = {entry.office for entry in view.timeline if entry.proven}
    assert proven == set(journey.line[1:])


@pytest.mark.parametrize("depth", HIERARCHIES)
async def test_what_every_level_decides_reaches_both_authors_once_and_proven(
    depth: str, tmp_path: Path, broker: str, rabbitmq: RabbitMQ, postgresql: MakeDatabase
) -> None:
    hierarchy = await travel.set_up(
        tmp_path,
        HIERARCHIES[depth],
        broker=broker,
        management=rabbitmq.management_url,
        make_database=postgresql,
    )
    async with travel.opened(hierarchy) as journey:
        await demand_the_whole_story(journey)


async def test_counties_may_keep_their_items_in_sqlite_below_hubs_that_use_postgresql(
    tmp_path: Path, broker: str, postgresql: MakeDatabase, sqlite: MakeDatabase
) -> None:
    async def by_level(office: str) -> str:
        return await (sqlite if office in ("donghu", "xishan") else postgresql)(office)

    hierarchy: Hierarchy = await travel.set_up(
        tmp_path, DEPTH_3, broker=broker, make_database=by_level
    )
    async with travel.opened(hierarchy) as journey:
        assert not journey.county.database.is_postgresql
        assert journey.top.database.is_postgresql
        await demand_the_whole_story(journey)
