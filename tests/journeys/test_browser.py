"""People at browsers in three levels of offices, on a real RabbitMQ and PostgreSQL.

Two counties write of the same matter, the city combines what they wrote, the province adopts it, a
leader instructs, a department answers, and the author at a phone sees all of it come home on a page
that is never loaded again. Everything is done in forms.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.browser import chromium, serving
from tests.browser.chromium import Size, Window
from tests.journeys.at_work import Offices, at_work
from tests.node.rooms import CONTENT
from tests.node.workflow.test_assignments import with_bureau
from tests.offices import MakeDatabase
from tests.servers.rabbitmq import RabbitMQ

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

COUNTY, OTHER, CITY, PROVINCE = "donghu", "xishan", "yunzhou", "jiangyuan"
SECOND = "关于电动自行车入楼充电隐患的建议"
COMBINED = "多县老旧小区电动自行车充电难"
INSTRUCTION = {
    "领导姓名": "周明远",
    "职务": "副省长",
    "批示日期": "2026-11-20",
    "批示内容": "请住建厅研究。",
}
BUREAU = "省住建厅"
PATIENCE_MS = 90_000


async def sit_down(
    stack: AsyncExitStack, browser: Browser, address: str, username: str, size: Size
) -> Window:
    """Somebody signs in through the form."""
    window = await stack.enter_async_context(chromium.window(browser, address, size))
    await window.sign_in(username)
    return window


async def write(author: Window, title: str) -> str:
    """An author fills the form and hands the item in; its id."""
    page = author.page
    await author.visit("/write")
    await page.get_by_label("标题").fill(title)
    await page.get_by_label("正文").fill(CONTENT["body"])
    await page.get_by_label("领域").select_option(CONTENT["topic"])
    await page.get_by_role("button", name="提交").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(title)
    await expect(page.get_by_role("status")).to_contain_text("已提交")
    return page.url.rsplit("/", 1)[-1].partition("?")[0]


async def take_up(editor: Window, *titles: str) -> None:
    """The editor waits for the items in the queue and takes all of them up at once."""
    await editor.visit("/desk/to_triage")
    await editor.sees(*titles)
    for title in titles:
        await editor.page.get_by_label(f"勾选 {title}").check()
    await editor.page.get_by_role("button", name="登记勾选的").click()
    await expect(editor.page.get_by_role("status")).to_contain_text("已登记")


async def forward(editor: Window, title: str) -> None:
    """The editor chooses the item for the office above."""
    await editor.visit("/selection")
    await editor.page.get_by_label(f"勾选 {title}").check()
    await editor.page.get_by_role("button", name="上报勾选的").click()
    await expect(editor.page.get_by_role("status")).to_contain_text("已上报")


async def deed(window: Window, word: str, **entered: str) -> None:
    """Open the form of this deed on the page, fill it and send it."""
    form = window.page.locator("details.deed", has=window.page.get_by_text(word, exact=True).first)
    await form.locator("summary").click()
    for label, value in entered.items():
        await form.get_by_label(label).fill(value)
    await form.get_by_role("button", name=word, exact=True).click()
    await expect(window.page.get_by_role("status")).to_be_visible()


async def shows(author: Window, *words: str) -> None:
    """The page that is open comes to show these words by itself."""
    for one in words:
        await expect(author.page.locator("#progress")).to_contain_text(one, timeout=PATIENCE_MS)


async def test_an_author_at_a_phone_sees_the_timeline_grow_while_all_levels_decide(
    tmp_path: Path, rabbitmq: RabbitMQ, broker: str, postgresql: MakeDatabase, browser: Browser
) -> None:
    async with at_work(tmp_path, rabbitmq, broker, postgresql) as offices, AsyncExitStack() as all_:
        addresses = await all_.enter_async_context(serving.pages(offices.journey.rooms))
        for room in offices.journey.rooms.values():
            await with_bureau(room, BUREAU)

        async def at(office: str, username: str, size: Size = Size.DESKTOP) -> Window:
            return await sit_down(all_, browser, addresses[office], username, size)

        author = await at(COUNTY, "lin", Size.PHONE)
        await author.sees("还没有信息")
        item = await write(author, CONTENT["title"])
        await author.page.evaluate("window.neverLeft = true")
        await write(await at(OTHER, "lin", Size.PHONE), SECOND)
        for office, title in ((COUNTY, CONTENT["title"]), (OTHER, SECOND)):
            editor = await at(office, "editor")
            await take_up(editor, title)
            await forward(editor, title)
        await shows(author, "登记，编号", "上报云州市政协")

        await combine(await at(CITY, "editor"))
        await shows(author, "将这件信息与其他信息合并编写")
        await decide(await at(PROVINCE, "editor"), author)
        await answer(await at(PROVINCE, "handler", Size.PHONE))
        await accept(await at(PROVINCE, "editor"), author)
        assert await author.page.evaluate("window.neverLeft")
        await author.page.get_by_role("link", name="通知").click()
        await author.sees("批示", "落实")
        await proven(offices, item)


async def combine(city: Window) -> None:
    """The city makes one item of both and forwards it."""
    await take_up(city, CONTENT["title"], SECOND)
    await city.visit("/selection")
    for title in (CONTENT["title"], SECOND):
        await city.page.get_by_label(f"勾选 {title}").check()
    await city.page.get_by_role("button", name="合并勾选的").click()
    await city.page.get_by_label("标题").fill(COMBINED)
    await city.page.get_by_role("button", name="合并").click()
    await expect(city.page.get_by_role("heading", level=1)).to_have_text(COMBINED)
    await city.visit("/items")
    # What is part of it has left the list.
    await expect(city.page.get_by_role("link", name=SECOND)).to_have_count(0)
    await forward(city, COMBINED)


async def decide(province: Window, author: Window) -> None:
    """The province adopts, a leader's instruction is recorded, a department is given the work."""
    await take_up(province, COMBINED)
    await province.visit("/items")
    await province.page.get_by_role("link", name=COMBINED).click()
    await deed(province, "采用")
    await shows(author, "单篇采用")
    await deed(province, "记录批示", **INSTRUCTION)
    await shows(author, "副省长周明远批示：请住建厅研究。")
    form = province.page.locator("details.deed", has=province.page.get_by_text("交办", exact=True))
    await form.locator("summary").click()
    await form.get_by_label("交给").select_option(label=BUREAU)
    await form.get_by_label("要求").fill("请研究办理。")
    await form.get_by_role("button", name="交办").click()
    await shows(author, "江原省政协交省住建厅办理")


async def answer(handler: Window) -> None:
    """At a phone, the department signs for its case and answers."""
    await handler.visit("/cases")
    await handler.page.get_by_role("link", name=COMBINED).click()
    await handler.page.get_by_role("button", name="签收").click()
    form = handler.page.locator("details.deed", has=handler.page.get_by_text("答复", exact=True))
    await form.locator("summary").click()
    await form.get_by_label("办理情况").fill("已立项改造。")
    await form.get_by_label("已经落实").check()
    await form.get_by_role("button", name="答复").click()
    await expect(handler.page.get_by_role("status")).to_contain_text("答复已提交")


async def accept(province: Window, author: Window) -> None:
    """The office accepts the answer, and the author reads it."""
    await province.visit("/cases")
    await province.page.get_by_role("link", name=COMBINED).click()
    await deed(province, "审定")
    await shows(author, "省住建厅反馈落实情况：已立项改造。")


async def proven(offices: Offices, item: str) -> None:
    """Every decision of an office above is signed by it, in the author's own county."""
    lin = await offices.person(COUNTY, "lin")
    timeline = (await lin.get(f"items/{item}"))["timeline"]
    from_above = [entry for entry in timeline if entry["office"] != COUNTY]
    kinds = [entry["kind"] for entry in from_above if entry["office"] == PROVINCE]
    assert kinds == ["registered", "adopted", "instructed", "assigned", "replied", "implemented"]
    assert all(entry["proven"] for entry in from_above)
