"""A most urgent item goes from a county to the province's urgent relay within one day."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from node.workflow.calendar import day_of
from tests.journeys.at_work import at_work
from tests.node.rooms import CONTENT
from tests.offices import MakeDatabase
from tests.servers.rabbitmq import RabbitMQ

TEXT = CONTENT | {
    "title": "云湖大坝下游出现管涌",
    "body": "今晨六时，云湖大坝下游坡脚出现两处管涌，下游三个村约四千人。建议立即组织抢险和转移。",
    "urgency": "most_urgent",
}


async def test_an_urgent_item_is_relayed_by_the_province_on_the_day_it_was_written(
    tmp_path: Path, rabbitmq: RabbitMQ, broker: str, postgresql: MakeDatabase
) -> None:
    async with at_work(tmp_path, rabbitmq, broker, postgresql) as offices:
        # Nine in the morning in China: the day is long enough, whenever the test runs.
        now = offices.clock()
        morning = now.replace(hour=1, minute=0, second=0) + timedelta(days=1)
        offices.clock.move(morning - now)

        lin = await offices.person("donghu", "lin")
        await lin.post("items", **CONTENT)
        item = (await lin.post("items", **TEXT))["id"]
        for office in ("donghu", "yunzhou", "jiangyuan"):
            editor = await offices.person(office, "editor")
            await editor.see(f"items/{item}", lambda found: found["state"] == "submitted")
            queue = await editor.get("desk/queues/to_triage")
            assert queue["items"][0]["id"] == item, "the most urgent stands first"
            await editor.post(f"items/{item}/register")
            if office != "jiangyuan":
                candidates = await editor.get("desk/queues/candidates")
                assert [row["id"] for row in candidates["items"]] == [item]
                await editor.post(f"items/{item}/forward")
                await editor.post(f"items/{item}/notes", text="已电话核实", to="above")
        province, signer = await offices.people("jiangyuan", "editor", "signer")
        await province.see(
            f"items/{item}",
            lambda found: "编辑附言：已电话核实。" in [e["sentence"] for e in found["timeline"]],
        )
        issue = (
            await province.post(
                "issues",
                series="urgent_relay",
                title="云湖大坝险情",
                primary_recipients=["省委办公厅", "省政府办公厅"],
                copies=6,
                items=[item],
            )
        )["id"]
        await province.refused(f"issues/{issue}/sign", 403, "access.forbidden", version=1)
        label = (await signer.post(f"issues/{issue}/sign", version=1))["label"]
        await province.post(
            f"items/{item}/instruct",
            leader="陈志远",
            post="副省长",
            text="立即组织抢险。",
            on=day_of(offices.clock()).isoformat(),
        )

        assert await lin.told("以转报编发") == f"江原省政协以转报编发，刊于{label}。"
        assert "立即组织抢险" in await lin.told("批示")
        timeline = (await lin.get(f"items/{item}"))["timeline"]
        kinds = [entry["kind"] for entry in timeline if entry["office"] == "jiangyuan"]
        assert kinds == ["registered", "published", "adopted", "instructed"]
        days = {day_of(datetime.fromisoformat(entry["at"])) for entry in timeline}
        assert days == {day_of(morning)}
        assert all(entry["proven"] for entry in timeline if entry["office"] != "donghu")
        await offices.journey.settled()
