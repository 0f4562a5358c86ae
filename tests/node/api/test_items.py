"""Items over the API: every action, and what is answered."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.node.browser import problem, visit
from tests.node.chain import Chain
from tests.node.rooms import CONTENT, Room

ITEMS = "/api/v1/items"


@pytest.fixture
async def lin(county: Room) -> AsyncIterator[httpx.AsyncClient]:
    """The author, logged in."""
    async with visit(county, "lin") as client:
        yield client


@pytest.fixture
async def editor(county: Room) -> AsyncIterator[httpx.AsyncClient]:
    """The editor, logged in."""
    async with visit(county, "editor") as client:
        yield client


async def test_what_was_handed_in_can_be_looked_at(lin: httpx.AsyncClient) -> None:
    item = await _submit(lin, urgency="urgent", co_authors=[{"username": "chen"}])
    seen = (await lin.get(f"{ITEMS}/{item}")).json()

    assert seen["id"] == item
    assert {name: seen[name] for name in CONTENT} == CONTENT
    assert (seen["state"], seen["closed"], seen["number"]) == ("submitted", False, None)
    assert (seen["urgency"], seen["classification"], seen["edition"]) == ("urgent", "internal", 1)
    assert seen["authors"] == [
        {"name": "林晓雨", "kind": "informant", "unit": "东湖县团结街道"},
        {"name": "陈波", "kind": "member", "unit": "东湖县农工党支部"},
    ]
    assert (seen["origin"]["name"], seen["source"]) == ("东湖县政协", None)
    assert seen["actions"] == ["withdraw"]
    (entry,) = seen["timeline"]
    assert entry["sentence"] == "提交到东湖县政协。"
    assert (entry["office"], entry["kind"], entry["proven"]) == ("donghu", "submitted", False)


async def test_an_item_goes_through_its_whole_life(
    lin: httpx.AsyncClient, editor: httpx.AsyncClient
) -> None:
    item = await _submit(lin)
    registered = await editor.post(f"{ITEMS}/{item}/register")
    assert (registered.status_code, list(registered.json())) == (200, ["number"])
    instruction = {"leader": "周明远", "post": "县长", "text": "请研究。", "on": "2026-11-20"}
    for action, content in (
        ("adopt", {"manner": "combined", "issue": "第46期"}),
        ("instruct", instruction),
        ("implement", {"unit": "县住建局", "text": "已布设充电棚。"}),
        ("close", {"note": "全部落实。"}),
    ):
        answer = await editor.post(f"{ITEMS}/{item}/{action}", json=content)
        assert (answer.status_code, answer.content) == (204, b"")

    seen = (await lin.get(f"{ITEMS}/{item}")).json()
    assert (seen["state"], seen["closed"]) == ("adopted", True)
    assert [entry["kind"] for entry in seen["timeline"]] == [
        "submitted",
        "registered",
        "adopted",
        "instructed",
        "implemented",
        "closed",
    ]
    assert seen["timeline"][3]["data"]["on"] == "2026-11-20"
    assert seen["number"] == registered.json()["number"]


async def test_a_returned_item_is_handed_in_again(
    lin: httpx.AsyncClient, editor: httpx.AsyncClient
) -> None:
    item = await _submit(lin)
    await _done(editor, item, "return", {"reason": "请补充数据。"})
    await _done(lin, item, "resubmit", CONTENT | {"title": "改过的标题"})

    seen = (await editor.get(f"{ITEMS}/{item}")).json()
    assert (seen["title"], seen["edition"], seen["state"]) == ("改过的标题", 2, "submitted")


async def test_an_item_is_declined_with_its_reason(
    lin: httpx.AsyncClient, editor: httpx.AsyncClient
) -> None:
    item = await _submit(lin)
    await _done(editor, item, "decline", {"reason": "已有部署。"})
    seen = (await lin.get(f"{ITEMS}/{item}")).json()
    assert (seen["state"], seen["timeline"][-1]["data"]["reason"]) == ("declined", "已有部署。")


async def test_an_item_is_taken_back(lin: httpx.AsyncClient) -> None:
    item = await _submit(lin)
    await _done(lin, item, "withdraw", {"reason": "数字有误。"})
    assert (await lin.get(f"{ITEMS}/{item}")).json()["state"] == "withdrawn"


async def test_adopting_and_closing_need_no_particulars(
    lin: httpx.AsyncClient, editor: httpx.AsyncClient
) -> None:
    item = await _submit(lin)
    await editor.post(f"{ITEMS}/{item}/register")
    await _done(editor, item, "adopt", {})
    await _done(editor, item, "close", {})


async def test_an_office_without_one_above_forwards_nothing(
    lin: httpx.AsyncClient, editor: httpx.AsyncClient
) -> None:
    item = await _submit(lin)
    await editor.post(f"{ITEMS}/{item}/register")
    problem(await editor.post(f"{ITEMS}/{item}/forward"), 409, "office.top")


async def test_a_note_goes_up_with_the_item(pair: Chain) -> None:
    item = await pair.county.registered()
    async with visit(pair.county, "editor") as client:
        path = f"{ITEMS}/{item}/forward"
        assert (await client.post(path, json={"notes": "请优先。"})).status_code == 422
        assert (await client.post(path, json={"note": "请优先。"})).status_code == 204
    await pair.deliver()
    async with visit(pair.top, "editor") as client:
        timeline = (await client.get(f"{ITEMS}/{item}")).json()["timeline"]
    assert [entry["sentence"] for entry in timeline if entry["kind"] == "noted"] == [
        "编辑附言：请优先。"
    ]


async def test_a_list_has_pages_states_and_a_total(
    lin: httpx.AsyncClient, editor: httpx.AsyncClient
) -> None:
    items = [await _submit(lin, title=f"第{n}件") for n in range(3)]
    await editor.post(f"{ITEMS}/{items[0]}/register")

    whole = (await editor.get(ITEMS)).json()
    assert ([item["id"] for item in whole["items"]], whole["total"]) == (items[::-1], 3)
    part = (await editor.get(ITEMS, params={"offset": 1, "limit": 1})).json()
    assert ([item["id"] for item in part["items"]], part["total"]) == ([items[1]], 3)
    registered = (await editor.get(ITEMS, params={"state": "registered"})).json()
    assert ([item["id"] for item in registered["items"]], registered["total"]) == ([items[0]], 1)
    assert "body" not in whole["items"][0]


async def test_an_author_does_not_see_what_others_wrote(
    county: Room, lin: httpx.AsyncClient
) -> None:
    item = await _submit(lin)
    async with visit(county, "chen") as chen:
        assert (await chen.get(ITEMS)).json() == {"items": [], "total": 0}
        problem(await chen.get(f"{ITEMS}/{item}"), 404, "item.unknown")


async def test_notices_are_listed_and_marked_as_read(
    lin: httpx.AsyncClient, editor: httpx.AsyncClient
) -> None:
    item = await _submit(lin)
    await editor.post(f"{ITEMS}/{item}/register")
    (notice,) = (await lin.get("/api/v1/notices")).json()["notices"]
    assert (notice["item_id"], notice["title"], notice["read"]) == (item, CONTENT["title"], False)
    assert notice["sentence"].startswith("东湖县政协登记，编号 ")

    assert (await lin.post("/api/v1/notices/read")).status_code == 204

    answer = (await lin.get("/api/v1/notices")).json()
    assert ([one["read"] for one in answer["notices"]], answer["total"]) == ([True], 1)


async def _submit(client: httpx.AsyncClient, **content: Any) -> str:
    answer = await client.post(ITEMS, json=CONTENT | content)
    assert answer.status_code == 201, answer.text
    item: str = answer.json()["id"]
    return item


async def _done(client: httpx.AsyncClient, item: str, action: str, content: dict[str, Any]) -> None:
    answer = await client.post(f"{ITEMS}/{item}/{action}", json=content)
    assert (answer.status_code, answer.content) == (204, b""), answer.text
