"""What a person does through one office's API reaches people through the APIs of the others."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from tests.journeys.at_work import at_work
from tests.node.rooms import CONTENT
from tests.offices import MakeDatabase
from tests.servers.rabbitmq import RabbitMQ


async def test_an_item_climbs_three_levels_and_its_author_is_told_what_the_province_decided(
    tmp_path: Path, rabbitmq: RabbitMQ, broker: str, postgresql: MakeDatabase
) -> None:
    async with at_work(tmp_path, rabbitmq, broker, postgresql) as offices:
        lin = await offices.person("donghu", "lin")
        item = (await lin.post("items", **CONTENT))["id"]
        for office in ("donghu", "yunzhou", "jiangyuan"):
            editor = await offices.person(office, "editor")
            await editor.see(f"items/{item}", lambda found: found["state"] == "submitted")
            await editor.post(f"items/{item}/register")
            if office != "jiangyuan":
                await editor.post(f"items/{item}/forward")
        # A weekend later, when everybody has to log in again.
        offices.clock.move(timedelta(days=3))
        editor = await offices.person("jiangyuan", "editor")
        await lin.refused(f"items/{item}/adopt", 403, "access.forbidden", manner="single")
        await editor.refused(f"items/{item}/decline", 422, "input.invalid", reason="")
        await editor.post(f"items/{item}/decline", reason="已有部署。")
        assert await lin.told("不予采用") == "江原省政协不予采用，理由：已有部署。"
        timeline = (await lin.get(f"items/{item}"))["timeline"]
        assert [(entry["office"], entry["kind"]) for entry in timeline][-1] == (
            "jiangyuan",
            "declined",
        )
        await offices.journey.settled()
