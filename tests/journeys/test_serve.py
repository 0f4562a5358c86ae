"""Three levels as three processes, and people at their APIs: what users see of the whole."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from tests.journeys import processes, travel
from tests.journeys.processes import Running, Visitor
from tests.node.rooms import CONTENT
from tests.offices import DEPTH_3, MakeDatabase
from tests.servers.rabbitmq import RabbitMQ

COUNTY, CITY, PROVINCE = "donghu", "yunzhou", "jiangyuan"


def has(office: str, kind: str) -> Any:
    """Whether the item's timeline tells of it."""
    return lambda item: any(
        (entry["office"], entry["kind"]) == (office, kind) for entry in item["timeline"]
    )


async def test_an_item_travels_through_three_served_offices_and_its_outcome_comes_home(
    tmp_path: Path, broker: str, rabbitmq: RabbitMQ, postgresql: MakeDatabase, sqlite: MakeDatabase
) -> None:
    async def by_level(office: str) -> str:
        return await (sqlite if office in (COUNTY, "xishan") else postgresql)(office)

    hierarchy = await travel.set_up(
        tmp_path,
        DEPTH_3,
        broker=broker,
        management=rabbitmq.management_url,
        make_database=by_level,
    )
    await hierarchy.stop()
    async with AsyncExitStack() as stack:
        served: dict[str, Running] = {}
        for office in (PROVINCE, CITY, COUNTY):
            # The county migrates its tables first, as everyone does in earnest.
            options = () if office == COUNTY else ("--no-migrate",)
            context = processes.serve(hierarchy.folder / office, *options)
            served[office] = await stack.enter_async_context(context)
        async with AsyncExitStack() as people:

            async def visitor(office: str, name: str) -> Visitor:
                return await people.enter_async_context(Visitor(served[office], name))

            lin = await visitor(COUNTY, "lin")
            chen = await visitor(COUNTY, "chen")
            county, city, province = [
                await visitor(office, "editor") for office in (COUNTY, CITY, PROVINCE)
            ]
            draft = CONTENT | {"co_authors": [{"username": "chen"}]}
            path = f"items/{(await lin.post('items', draft))['id']}"
            for editor in (county, city, province):
                await editor.see(path, lambda item: item["state"] == "submitted")
                assert (await editor.post(f"{path}/register"))["number"]
                if editor is not province:
                    await editor.post(f"{path}/forward")
            await province.post(f"{path}/adopt", {"manner": "single"})
            instruction = {"leader": "周明远", "post": "副省长", "text": "请研究。"}
            await province.post(f"{path}/instruct", instruction | {"on": "2026-11-20"})
            outcome = {"unit": "省住建厅", "text": "已布设四十处充电棚。"}
            await province.post(f"{path}/implement", outcome)
            await province.post(f"{path}/close", {})
            for author in (lin, chen):
                item = await author.see(path, has(PROVINCE, "closed"))
                assert [(entry["office"], entry["kind"]) for entry in item["timeline"]] == [
                    (COUNTY, "submitted"),
                    (COUNTY, "registered"),
                    (COUNTY, "forwarded"),
                    (CITY, "registered"),
                    (CITY, "forwarded"),
                    (PROVINCE, "registered"),
                    (PROVINCE, "adopted"),
                    (PROVINCE, "instructed"),
                    (PROVINCE, "implemented"),
                    (PROVINCE, "closed"),
                ]
                assert [e["proven"] for e in item["timeline"]] == [False] * 3 + [True] * 7
                notices = (await author.get("notices"))["notices"]
                assert len(notices) == 9
                assert "已布设四十处充电棚" in str(notices)
        for office, running in served.items():
            assert await running.terminate() == 0, f"{office}: {running.said()}"
            assert "node.stopped" in running.said()
            assert "Traceback" not in running.said()
