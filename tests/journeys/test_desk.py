"""An item that the city returns twice and adopts at last, through the whole desk of both."""

from __future__ import annotations

from pathlib import Path

from node.workflow.calendar import day_of
from node.workflow.checks import KINDS
from tests.journeys.at_work import AtApi, Offices, at_work
from tests.node.rooms import CONTENT
from tests.offices import DEPTH_2, MakeDatabase
from tests.servers.rabbitmq import RabbitMQ

COUNTY, CITY = "donghu", "yunzhou"
SIGN = {"name": "签发", "role": "signer"}
CHAINS = {COUNTY: [{"name": "审核", "role": "reviewer"}, SIGN], CITY: [SIGN]}


async def to_review(editor: AtApi, item: str, edition: int) -> None:
    """The editor checks an edition and sends it along the chain."""
    for kind in KINDS:
        await editor.post(f"items/{item}/checks", edition=edition, kind=kind, passed=True)
    await editor.post(f"items/{item}/review", edition=edition)


async def go_up(offices: Offices, item: str, edition: int) -> None:
    """The county checks, reviews, signs and forwards an edition."""
    editor, reviewer, signer = await offices.people(COUNTY, "editor", "reviewer", "signer")
    await editor.refused(f"items/{item}/forward", 409, "desk.not_signed")
    await to_review(editor, item, edition)
    for person in (reviewer, signer):
        assert (await person.get("desk"))["waiting_for_me"] == 1
        await person.post(f"items/{item}/review/approve", edition=edition)
    await editor.post(f"items/{item}/forward")


async def test_an_item_is_returned_twice_and_then_adopted_with_a_deputys_signature(
    tmp_path: Path, rabbitmq: RabbitMQ, broker: str, postgresql: MakeDatabase
) -> None:
    async with at_work(tmp_path, rabbitmq, broker, postgresql, DEPTH_2) as offices:
        for office, steps in CHAINS.items():
            admin = await offices.person(office, "admin")
            await admin.put("desk/chain", steps=steps, checks_demanded=True)
        lin, editor = await offices.people(COUNTY, "lin", "editor")
        at_city, reviewer, signer = await offices.people(CITY, "editor", "reviewer", "signer")

        # The county takes it up and shortens it.
        item = (await lin.post("items", **CONTENT))["id"]
        await editor.post(f"items/{item}/claim", take_over=False)
        await editor.post(f"items/{item}/register")
        text = {"title": CONTENT["title"], "body": "县里压缩的正文。", "why": "压缩篇幅"}
        made = await editor.post(f"items/{item}/editions", based_on=1, **text)
        assert made == {"number": 2}
        await go_up(offices, item, 2)

        # The city returns it twice; the author hears why, and writes it anew.
        for edition, reason in ((3, "请补充数据"), (4, "请提出可行的建议")):
            await at_city.see("desk", lambda desk: desk["to_triage"] == 1)
            await at_city.post(f"items/{item}/register")
            await at_city.post(f"items/{item}/return", reason=reason)
            assert reason in await lin.told(reason)
            await editor.see("desk", lambda desk: desk["returned"] == 1)
            await lin.post(f"items/{item}/resubmit", **CONTENT | {"body": f"第 {edition} 稿。"})
            stale = await editor.refused(
                f"items/{item}/editions", 409, "desk.stale", based_on=2, **text
            )
            assert f"第 {edition} 稿来自撰稿人" in stale
            await go_up(offices, item, edition)

        # The city edits it; whoever signs is away, and the reviewer acts in his place.
        await at_city.see("desk", lambda desk: desk["to_triage"] == 1)
        await at_city.post(f"items/{item}/register")
        newest = (await at_city.get(f"items/{item}"))["edition"]
        text |= {"body": "第 4 稿。市里补充了依据。", "why": "补充依据"}
        made = await at_city.post(f"items/{item}/editions", based_on=newest, **text)
        compared = await at_city.get(
            f"items/{item}/comparison?before={newest}&after={made['number']}"
        )
        assert [part["kind"] for part in compared["body"]] == ["equal", "added"]
        await to_review(at_city, item, made["number"])
        today = day_of(offices.clock()).isoformat()
        path, said = f"items/{item}/review/approve", {"edition": made["number"]}
        await reviewer.refused(path, 403, "access.forbidden", **said)
        away = {"role": "signer", "since": today, "until": today}
        await signer.post("desk/deputies", deputy="reviewer", **away)
        await reviewer.post(path, **said)
        [*_, review] = (await at_city.get(f"items/{item}/bench"))["reviews"]
        assert (review["outcome"], review["votes"][0]["deputy_for"]) == ("signed", "郑秘书长")
        await at_city.post(f"items/{item}/adopt", manner="single")

        assert "采用" in await lin.told("云州市政协单篇采用")
        timeline = (await lin.get(f"items/{item}"))["timeline"]
        kinds = [entry["kind"] for entry in timeline if entry["office"] == CITY]
        assert kinds == [
            *("registered", "returned", "registered", "returned", "registered", "adopted")
        ]
        assert not {"edited", "signed"} & {entry["kind"] for entry in timeline}
        await offices.journey.settled()
