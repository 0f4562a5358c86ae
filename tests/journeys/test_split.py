"""Pages and relay of one office as two processes: a deed on a page is sent by the other process."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import asyncpg
from sqlalchemy.engine import make_url

from node.workflow import decisions
from tests.journeys import processes, travel
from tests.journeys.processes import Visitor
from tests.journeys.travel import Journey
from tests.node.rooms import CONTENT
from tests.offices import DEPTH_2, Hierarchy, MakeDatabase
from tests.waiting import until

COUNTY, CITY = "donghu", "yunzhou"
NEVER = 3600.0


async def listens(url: str) -> bool:
    """Whether a process on this database waits for notifications."""
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(address)
    try:
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        return bool(await connection.fetchval(f"{query} AND query LIKE 'LISTEN%'"))
    finally:
        await connection.close()


async def demand_that_a_deed_is_sent(hierarchy: Hierarchy) -> None:
    """An item that is handed in and forwarded on the pages of one process reaches the city."""
    folder = hierarchy.folder / COUNTY
    url = hierarchy.settings(COUNTY).database_url
    async with (
        travel.opened(hierarchy, CITY) as journey,
        processes.serve(folder, "--only", "web", "--no-migrate") as web,
        processes.serve(folder, "--only", "relay", "--no-migrate") as relay,
    ):
        await relay.until_said("broker.ready")
        if url.startswith("postgresql"):
            await until(lambda: listens(url), processes.SECONDS, "the relay listening")
        async with Visitor(web, "lin") as lin, Visitor(web, "editor") as editor:
            item = (await lin.post("items", CONTENT))["id"]
            await editor.post(f"items/{item}/register")
            await editor.post(f"items/{item}/forward")
            await demand_both_ways(journey, lin, item)
        for half in (web, relay):
            assert await half.terminate() == 0, half.said()
        assert "outbox.sent" in relay.said()
        assert "outbox.sent" not in web.said()
        assert "broker.ready" not in web.said()


async def demand_both_ways(journey: Journey, lin: Visitor, item: str) -> None:
    city = journey.rooms[CITY]
    await journey.arrived(CITY, [UUID(item)])
    await decisions.register(city.desk, city.editor, UUID(item))
    await lin.see(f"items/{item}", lambda found: CITY in found["standings"])


async def test_on_postgresql_the_relay_is_woken_at_once_and_need_not_poll(
    tmp_path: Path, broker: str, postgresql: MakeDatabase
) -> None:
    hierarchy = await travel.set_up(
        tmp_path, DEPTH_2, broker=broker, make_database=postgresql, poll=NEVER
    )
    await demand_that_a_deed_is_sent(hierarchy)


async def test_on_sqlite_the_relay_is_woken_by_the_file_beside_the_database(
    tmp_path: Path, broker: str, sqlite: MakeDatabase
) -> None:
    hierarchy = await travel.set_up(
        tmp_path, DEPTH_2, broker=broker, make_database=sqlite, poll=NEVER
    )
    await demand_that_a_deed_is_sent(hierarchy)
