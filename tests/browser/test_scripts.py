"""What scripts add to the pages in a browser, and that everything can be done without them."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from node.workflow import challenges
from tests.browser import chromium
from tests.browser.chromium import Size, Window
from tests.browser.scene import Scene
from tests.files import pdf
from tests.node.rooms import CONTENT

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]

COUNTY = "donghu"


async def fill(window: Window, title: str, body: str) -> None:
    """Write an item."""
    await window.visit("/write")
    await window.page.get_by_label("标题").fill(title)
    await window.page.get_by_label("正文").fill(body)
    await window.page.get_by_label("领域").select_option("city")


async def test_while_one_writes_characters_are_counted_and_similar_items_shown(
    browser: Browser, played: Scene
) -> None:
    async with chromium.window(browser, played.addresses[COUNTY], Size.PHONE) as window:
        await window.enter("lin")
        await fill(window, CONTENT["title"], CONTENT["body"])
        counter = window.page.locator(".counter")
        await expect(counter).to_have_text(f"{len(CONTENT['body'])} / 3000")
        await window.page.get_by_label("标题").press("Tab")
        await expect(window.page.locator("#similar")).to_contain_text("类似的信息")
        await window.page.get_by_label("正文").fill("长" * 3001)
        await expect(counter).to_have_class("counter over")


async def test_a_file_goes_up_at_once_and_is_part_of_the_item(
    browser: Browser, played: Scene, tmp_path: Path
) -> None:
    file = tmp_path / "现场照片.pdf"
    file.write_bytes(pdf(1234))
    wrong = tmp_path / "程序.exe"
    wrong.write_bytes(b"MZ")
    async with chromium.window(browser, played.addresses[COUNTY]) as window:
        await window.enter("chen")
        await fill(window, "关于充电棚的建议", "全县有九个小区没有充电棚。")
        await window.page.get_by_label("添加文件").set_input_files(wrong)
        await expect(window.page.locator(".progress-line")).to_contain_text("不接收这种附件")
        await window.page.get_by_label("添加文件").set_input_files(file)
        await expect(window.page.get_by_label(file.name)).to_be_checked()
        await window.page.get_by_role("button", name="提交").click()
        await expect(window.page.locator("ul.files")).to_contain_text(file.name)


async def test_a_list_is_worked_through_with_the_keys(browser: Browser, played: Scene) -> None:
    async with chromium.window(browser, played.addresses["yunzhou"]) as window:
        await window.enter("editor")
        await window.visit("/items")
        links = window.page.locator("td.title a:first-of-type")
        await window.page.keyboard.press("j")
        await expect(links.nth(0)).to_be_focused()
        await window.page.keyboard.press("j")
        await window.page.keyboard.press("k")
        await expect(links.nth(0)).to_be_focused()
        title = await links.nth(0).inner_text()
        await window.page.keyboard.press("Enter")
        await expect(window.page.get_by_role("heading", level=1)).to_have_text(title)
        await window.visit("/selection")
        await window.page.keyboard.press("j")
        await window.page.keyboard.press("x")
        await expect(window.page.locator("input[name=item]").first).to_be_checked()


async def test_without_scripts_an_item_is_written_with_a_file_and_taken_up(
    browser: Browser, played: Scene, tmp_path: Path
) -> None:
    file = tmp_path / "名单.pdf"
    file.write_bytes(pdf(2345))
    title = "关于公交站台的建议"
    address = played.addresses[COUNTY]
    async with chromium.window(browser, address, scripts=False) as window:
        await window.sign_in("chen")
        await fill(window, title, "全县有十一个站台没有雨棚。")
        await window.page.get_by_label("添加文件").set_input_files(file)
        await window.page.get_by_role("button", name="上传").click()
        await expect(window.page.get_by_label(file.name)).to_be_checked()
        await expect(window.page.get_by_label("标题")).to_have_value(title)
        await window.page.get_by_role("button", name="提交").click()
        await expect(window.page.locator("ul.files")).to_contain_text(file.name)
    async with chromium.window(browser, address, scripts=False) as window:
        await window.sign_in("editor")
        await window.visit("/desk/to_triage")
        await window.page.get_by_label(f"勾选 {title}").check()
        await window.page.get_by_role("button", name="登记勾选的").click()
        await expect(window.page.get_by_role("status")).to_contain_text("已登记")


async def test_letters_grow_and_colours_turn_as_one_chooses(
    browser: Browser, played: Scene
) -> None:
    async with chromium.window(browser, played.addresses[COUNTY]) as window:
        await window.enter("lin")
        await window.visit("/items")
        body = "getComputedStyle(document.body)"
        plain = await window.page.evaluate(f"[{body}.fontSize, {body}.backgroundColor]")
        await window.page.get_by_role("link", name="字号和颜色").click()
        await window.page.get_by_label("特大字").check()
        await window.page.get_by_label("深色").check()
        await window.page.get_by_role("button", name="保存").click()
        await window.page.wait_for_url("**/items")
        chosen = await window.page.evaluate(f"[{body}.fontSize, {body}.backgroundColor]")
    assert (plain[0], chosen[0]) == ("16px", "22px")
    assert plain[1] != chosen[1]


async def test_what_is_written_is_saved_by_itself_and_handed_in_once(
    browser: Browser, played: Scene
) -> None:
    title = "关于渡口安全的建议"
    async with chromium.window(browser, played.addresses[COUNTY], Size.PHONE) as window:
        await window.enter("chen")
        await fill(window, title, "全县有三个渡口没有护栏。")
        await expect(window.page.locator("#draft")).to_contain_text("已存为草稿")
        await window.visit("/write")
        await window.page.get_by_text("我的草稿").click()
        await window.page.get_by_role("link", name=title).click()
        await expect(window.page.get_by_label("正文")).to_have_value("全县有三个渡口没有护栏。")
        await window.page.get_by_label("正文").fill("全县有四个渡口没有护栏。")
        await window.page.get_by_role("button", name="提交").click()
        await expect(window.page.locator("article")).to_contain_text("全县有四个渡口没有护栏。")
        await window.visit("/items")
        await expect(window.page.get_by_role("link", name=title)).to_have_count(1)
        await window.visit("/write")
        await expect(window.page.get_by_text("我的草稿")).to_have_count(0)


@pytest.mark.parametrize("scripts", [True, False])
async def test_a_browser_spares_a_citizen_the_question_and_without_scripts_it_is_asked(
    browser: Browser, played: Scene, *, scripts: bool
) -> None:
    async with chromium.window(
        browser, played.addresses[COUNTY], Size.PHONE, scripts=scripts
    ) as window:
        await window.visit("/public")
        page = window.page
        question = page.get_by_label("等于多少")
        if not scripts:
            await expect(question).to_be_visible()
            return
        # How long finding the number takes is a matter of luck, and of what else the machine does.
        done = expect(page.get_by_role("status"))
        await done.to_have_text("已确认，不用回答验证问题。", timeout=1_000 * chromium.PATIENCE)
        await expect(question).to_be_hidden()
        token = await page.locator("input[name=challenge]").input_value()
        found = await page.locator("input[name=work]").input_value()
        assert challenges.is_work(token, int(found))


@pytest.mark.parametrize("scripts", [True, False])
async def test_that_a_call_was_read_is_told_by_itself_or_at_a_button_without_scripts(
    browser: Browser, played: Scene, *, scripts: bool
) -> None:
    async with chromium.window(
        browser, played.addresses[COUNTY], Size.PHONE, scripts=scripts
    ) as window:
        await window.enter("lin" if scripts else "chen")
        await window.visit(f"/calls/{played.things['call']}")
        told = window.page.locator("form[action$='/read']")
        button = window.page.get_by_role("button", name="我看过了")
        if scripts:
            await expect(button).to_have_count(0)
        else:
            await button.click()
        await expect(told).to_have_count(0)
