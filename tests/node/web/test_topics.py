"""The page of topics: an administrator names, orders and retires what everybody chooses from."""

from __future__ import annotations

import re

import pytest

from node.workflow import topics
from tests.node.browser import send, visit
from tests.node.rooms import Room

FIRST = {
    "version": "0",
    "place-0": "2",
    "code-0": "city",
    "kept-0": "1",
    "name-0": "城建城管",
    "topic-0": "city",
    "place-1": "1",
    "code-1": "lifts",
    "name-1": "电梯",
    "topic-1": "city",
    "code-2": "",
    "name-2": "",
    "topic-2": "economy",
}


async def test_topics_are_added_ordered_renamed_and_retired(leaf: Room) -> None:
    async with visit(leaf, "admin") as client:
        shown = await client.get("/topics")
        assert "还没有设置" in shown.text
        answer = await send(client, "/topics", FIRST)
        assert answer.headers["location"] == "/topics?done=topics"
        listed = (await topics.show(leaf.desk, leaf.admin)).topics
        assert [(one.code, one.name) for one in listed] == [("lifts", "电梯"), ("city", "城建城管")]

        change = FIRST | {"version": "1", "kept-1": "1", "name-1": "加装电梯", "retired-0": "1"}
        assert (await send(client, "/topics", change)).status_code == 303
    listed = (await topics.show(leaf.desk, leaf.admin)).topics
    assert [(one.code, one.name, one.retired) for one in listed] == [
        ("lifts", "加装电梯", False),
        ("city", "城建城管", True),
    ]
    async with visit(leaf, "lin") as client:
        form = (await client.get("/write")).text
    assert re.findall(r'<option value="(lifts|city)"', form) == ["lifts"]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"code-1": "电梯"}, "第 2 行，代码：代码用小写英文字母开头"),
        ({"place-1": "先"}, "第 2 行，次序：请填写整数"),
        ({"name-1": ""}, "第 2 行：请填写名称"),
        ({"name-1": "城建城管"}, "名称“城建城管”出现了不止一次"),
        ({"retired-0": "1", "retired-1": "1"}, "至少保留一个在用的领域"),
        ({"name-0": "", "name-1": "", "code-1": ""}, "至少保留一个在用的领域"),
    ],
)
async def test_a_row_that_does_not_fit_is_named_and_nothing_entered_is_lost(
    leaf: Room, wrong: dict[str, str], words: str
) -> None:
    async with visit(leaf, "admin") as client:
        answer = await send(client, "/topics", FIRST | wrong)
    assert answer.status_code == 422
    assert words in answer.text
    assert 'value="lifts"' in answer.text or wrong.get("code-1") is not None
    assert (await topics.show(leaf.desk, leaf.admin)).version == 0


async def test_a_table_that_somebody_else_changed_meanwhile_is_not_overwritten(leaf: Room) -> None:
    async with visit(leaf, "admin") as client:
        assert (await send(client, "/topics", FIRST)).status_code == 303
        answer = await send(client, "/topics", FIRST | {"name-1": "别的"})
    assert answer.status_code == 409
    assert 'value="别的"' in answer.text
    assert (await topics.show(leaf.desk, leaf.admin)).topics[0].name == "电梯"


async def test_the_list_offers_all_topics_of_the_office_and_finds_by_them(leaf: Room) -> None:
    async with visit(leaf, "admin") as client:
        await send(client, "/topics", FIRST)
    lifts = await leaf.submit(title="老楼加装电梯难", topic="lifts")
    other = await leaf.submit(title="路灯不亮", topic="city")
    async with visit(leaf, "editor") as client:
        page = (await client.get("/items?topic=lifts")).text
        whole = (await client.get(f"/items/{lifts}")).text
    offered = re.findall(r'<option value="(\w+)"[^>]*>', page.partition('id="topic"')[2])[:6]
    assert offered == ["lifts", "city", "economy", "society", "agriculture", "government"]
    assert f"/items/{lifts}" in page
    assert f"/items/{other}" not in page
    assert "<span>电梯</span>" in whole
