"""People at browsers in three levels of offices, on a real RabbitMQ and PostgreSQL.

Two counties write of the same matter, the city combines what they wrote, the province adopts it, a
leader instructs, a department answers, and the author at a phone sees all of it come home. What has
no page yet is done through the API, in the session of whoever sits at the browser.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from tests.browser import chromium, serving
from tests.browser.chromium import Size, Window
from tests.journeys.at_work import Offices, at_work
from tests.node.rooms import CONTENT
from tests.offices import MakeDatabase
from tests.servers.rabbitmq import RabbitMQ

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

COUNTY, OTHER, CITY, PROVINCE = "donghu", "xishan", "yunzhou", "jiangyuan"
SECOND = "关于电动自行车入楼充电隐患的建议"
COMBINED = "多县老旧小区电动自行车充电难"
INSTRUCTION: dict[str, Any] = {
    "leader": "周明远",
    "post": "副省长",
    "text": "请住建厅研究。",
    "on": "2026-11-20",
}


async def sit_down(
    stack: AsyncExitStack, browser: Browser, address: str, username: str, size: Size
) -> Window:
    """Somebody signs in through the form."""
    window = await stack.enter_async_context(chromium.window(browser, address, size))
    await window.sign_in(username)
    return window


async def write(author: Window, title: str) -> str:
    """An author hands an item in and opens it from the list; its id."""
    await author.do("items", **CONTENT | {"title": title})
    await author.visit("/")
    await author.page.get_by_role("link", name=title).click()
    await expect(author.page.get_by_role("heading", level=1)).to_have_text(title)
    return author.page.url.rsplit("/", 1)[-1]


async def take_up(editor: Window, title: str) -> None:
    """The editor waits for an item in the list, opens it and registers it."""
    await editor.visit("/")
    await editor.sees(title)
    await editor.page.get_by_role("link", name=title).click()
    await expect(editor.page.get_by_role("heading", level=1)).to_have_text(title)
    item = editor.page.url.rsplit("/", 1)[-1]
    await editor.do(f"items/{item}/register")
    await editor.sees("已登记", "编号")


async def test_an_author_at_a_phone_sees_what_all_levels_made_of_what_she_wrote(
    tmp_path: Path, rabbitmq: RabbitMQ, broker: str, postgresql: MakeDatabase, browser: Browser
) -> None:
    async with at_work(tmp_path, rabbitmq, broker, postgresql) as offices, AsyncExitStack() as all_:
        addresses = await all_.enter_async_context(serving.pages(offices.journey.rooms))

        async def at(office: str, username: str, size: Size = Size.DESKTOP) -> Window:
            return await sit_down(all_, browser, addresses[office], username, size)

        author = await at(COUNTY, "lin", Size.PHONE)
        await author.sees("还没有信息")
        item = await write(author, CONTENT["title"])
        await author.sees("提交到东湖县政协。")
        other = await write(await at(OTHER, "lin", Size.PHONE), SECOND)
        for office, title in ((COUNTY, CONTENT["title"]), (OTHER, SECOND)):
            editor = await at(office, "editor")
            await take_up(editor, title)
            await editor.do(f"{editor.page.url.split('/', 3)[-1]}/forward")

        await combine(await at(CITY, "editor"), item, other)
        await author.sees("云州市政协将这件信息与其他信息合并编写")
        await decide(await at(PROVINCE, "editor"), author)
        await author.visit("/notices")
        await author.sees("批示", "落实")
        await author.page.get_by_role("link", name=CONTENT["title"]).first.click()
        await author.sees("已核验江原省政协的数字签名")
        await proven(offices, item)


async def combine(city: Window, item: str, other: str) -> None:
    """The city makes one item of both and forwards it."""
    for title in (CONTENT["title"], SECOND):
        await take_up(city, title)
    made = await city.do("merges", items=[item, other], title=COMBINED)
    await city.visit("/")
    await city.sees(COMBINED)
    # What is part of it has left the list.
    await expect(city.page.get_by_role("link", name=SECOND)).to_have_count(0)
    await city.do(f"items/{made['id']}/forward")


async def decide(province: Window, author: Window) -> None:
    """The province adopts, a leader instructs, a department answers: step by step it comes home."""
    await take_up(province, COMBINED)
    item = province.page.url.split("/", 3)[-1]
    await province.do(f"{item}/adopt", manner="single")
    await author.sees("江原省政协", "采用")
    await province.do(f"{item}/instruct", **INSTRUCTION)
    await author.sees("副省长周明远批示：请住建厅研究。")
    await province.do(f"{item}/implement", unit="省住建厅", text="已立项改造。")
    await author.sees("省住建厅反馈落实情况：已立项改造。")


async def proven(offices: Offices, item: str) -> None:
    """Every decision of an office above is signed by it, in the author's own county."""
    lin = await offices.person(COUNTY, "lin")
    timeline = (await lin.get(f"items/{item}"))["timeline"]
    from_above = [entry for entry in timeline if entry["office"] != COUNTY]
    kinds = [entry["kind"] for entry in from_above if entry["office"] == PROVINCE]
    assert kinds == ["registered", "adopted", "instructed", "implemented"]
    assert all(entry["proven"] for entry in from_above)
