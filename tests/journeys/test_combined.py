"""Three counties' similar items become one, and all three authors hear what came of it.

The city finds them, combines them, takes that apart and combines them again; the province adopts
and a leader instructs; the work goes down to one county, where the first department hands it back.
"""

from __future__ import annotations

from pathlib import Path

from tests.journeys.at_work import AtApi, Offices, at_work
from tests.node.rooms import CONTENT
from tests.offices import DONGHU, XISHAN, MakeDatabase, Plan
from tests.servers.rabbitmq import RabbitMQ
from tests.waiting import until

NANHE = Plan("nanhe", "南河县政协", "county")
CITY = Plan("yunzhou", "云州市政协", "city", (DONGHU, XISHAN, NANHE))
PROVINCE = Plan("jiangyuan", "江原省政协", "province", (CITY,))
COUNTIES = ("donghu", "xishan", "nanhe")
TEXT = (
    "全县有六十七个老旧小区没有电动自行车充电设施，居民从楼上拉线充电，火灾隐患突出。"
    "建议由街道牵头统一布点，明确电价，所需经费由县财政和物业企业共同承担。"
)
DONE = {"degree": "solved", "implemented": True}


async def submitted(offices: Offices, county: str) -> str:
    """An item of this county, at the city."""
    lin, editor = await offices.people(county, "lin", "editor")
    content = CONTENT | {"title": f"{county}老旧小区充电难", "body": TEXT}
    item: str = (await lin.post("items", **content))["id"]
    await editor.post(f"items/{item}/register")
    await editor.post(f"items/{item}/forward")
    city = await offices.person("yunzhou", "editor")
    await city.see(f"items/{item}", lambda found: found["state"] == "submitted")
    await city.post(f"items/{item}/register")
    return item


async def carried_out(editor: AtApi, assignment: str, text: str) -> None:
    """The county's editor answers the office above."""
    await editor.post(f"assignments/{assignment}/reply", text=text, **DONE)


async def the_case(person: AtApi, state: str = "given") -> str:
    """Wait until a case lies there; its id."""
    [case] = await person.see(
        "assignments", lambda found: [case["state"] for case in found] == [state]
    )
    found: str = case["id"]
    return found


async def test_three_counties_items_are_combined_adopted_instructed_and_carried_out(
    tmp_path: Path, rabbitmq: RabbitMQ, broker: str, postgresql: MakeDatabase
) -> None:
    async with at_work(tmp_path, rabbitmq, broker, postgresql, PROVINCE) as offices:
        city, province = (
            await offices.person("yunzhou", "editor"),
            await offices.person("jiangyuan", "editor"),
        )
        items = [await submitted(offices, county) for county in COUNTIES]

        # The city finds them, combines them, thinks better of it, and combines them again.
        async def found() -> bool:
            # They can be found a little after they came.
            similar = await city.get(f"items/{items[0]}/duplicates")
            return {one["item"]["id"] for one in similar["similar"]} == set(items[1:])

        await until(found, what="the similar items")
        first = (await city.post("merges", items=items[:2], title="两县充电难"))["id"]
        lin = [await offices.person(county, "lin") for county in COUNTIES]
        assert "与其他信息合并" in await lin[0].told("与其他信息合并")
        await city.post(f"items/{first}/take-apart")
        assert "恢复单独办理" in await lin[1].told("恢复单独办理")
        combined = (await city.post("merges", items=items, title="三县充电难"))["id"]
        await city.post(f"items/{combined}/forward")
        await city.refused(f"items/{combined}/take-apart", 409, "item.state")

        # The province adopts it; a leader instructs; the work goes down to one county.
        await province.see(f"items/{combined}", lambda found: found["state"] == "submitted")
        await province.post(f"items/{combined}/register")
        await province.post(f"items/{combined}/adopt", manner="combined")
        await province.post(
            f"items/{combined}/instruct",
            leader="陈志远",
            post="副省长",
            text="请云州市抓紧解决。",
            on="2026-11-20",
        )
        order = {"text": "请按批示要求办理。", "working_days": 10}
        at_city = (await province.post(f"items/{combined}/assignments", office="yunzhou", **order))[
            "id"
        ]
        assert await the_case(city) == at_city
        order = {"text": "请你县先行试点。", "office": "xishan"}
        at_county = (await city.post(f"assignments/{at_city}/pass-on", **order))["id"]

        # There the first department hands it back, and the second carries it out.
        editor, handler, security = await offices.people("xishan", "editor", "handler", "security")
        for code, name in (("B1", "县城管局"), ("B2", "县住建局")):
            await security.post("units", code=code, name=name, kind="handling_unit")
        people = (await security.get("people?q=handler"))["people"]
        [known] = [one for one in people if one["username"] == "handler"]
        version = known["version"]
        for code in ("B1", "B2"):
            await security.post(
                f"people/{known['id']}/memberships",
                version=version,
                unit=code,
                since="2026-01-01",
                main=False,
            )
            version += 1
        await the_case(editor)
        part = (await editor.post(f"assignments/{at_county}/pass-on", unit="B1", text="请办理。"))[
            "id"
        ]
        await handler.post(f"assignments/{part}/hand-back", reason="属住建局职责")
        await editor.post(f"assignments/{part}/verdict", accepted=True)
        part = (await editor.post(f"assignments/{at_county}/pass-on", unit="B2", text="请办理。"))[
            "id"
        ]
        await handler.post(f"assignments/{part}/sign-for")
        await handler.post(f"assignments/{part}/reply", text="已布设四十处充电棚。", **DONE)
        await editor.post(f"assignments/{part}/verdict", accepted=True)
        await editor.refused(
            f"assignments/{at_county}/verdict", 403, "access.forbidden", accepted=True
        )
        await carried_out(editor, at_county, "我县已布设四十处充电棚。")

        # Each office judges what it gave, and answers what it was given.
        answered = f"assignments/{at_county}"
        await city.see(answered, lambda case: case["state"] == "replied")
        await city.post(f"{answered}/verdict", accepted=False, reason="请补充电价标准")
        await editor.see(answered, lambda case: case["state"] == "signed_for")
        await carried_out(editor, at_county, "已布设四十处充电棚，每度电收费不超过一元。")
        await city.see(answered, lambda case: case["state"] == "replied")
        await city.post(f"{answered}/verdict", accepted=True)
        await carried_out(city, at_city, "云州市已在西山县试点，年内推开。")
        answered = f"assignments/{at_city}"
        await province.see(answered, lambda case: case["state"] == "replied")
        await province.post(f"{answered}/verdict", accepted=True)

        for author, item in zip(lin, items, strict=True):
            told = await author.told("云州市政协反馈落实情况")
            assert told == "合并稿：云州市政协反馈落实情况：云州市已在西山县试点，年内推开。"
            kinds = [entry["kind"] for entry in (await author.get(f"items/{item}"))["timeline"]]
            assert {"merged", "adopted", "instructed", "assigned", "replied"} <= set(kinds)
            await author.post(f"items/{item}/rating", score=5, comment="办得实")
        rated = await province.see(
            f"items/{combined}",
            lambda found: [e["kind"] for e in found["timeline"]].count("rated") == len(items),
        )
        assert rated["state"] == "adopted"
        await offices.journey.settled()
