"""An attached PDF is read in its frame beside the text, or behind a link where nothing reads it."""

from __future__ import annotations

from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Frame, expect

from tests.browser import chromium
from tests.browser.chromium import Size, Window
from tests.browser.scene import Scene
from tests.browser.test_scripts import COUNTY, fill
from tests.waiting import until

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]

TWO_PAGES = "<h1>取暖费用清单</h1><p style='break-before: page'>第二页</p>"
PAGES_READ = """() => document.querySelector("pdf-viewer")?.shadowRoot
  ?.querySelector("viewer-toolbar")?.shadowRoot
  ?.querySelector("viewer-page-selector")?.docLength"""
"""How many pages the browser's reader found in the file that it shows."""


@pytest_asyncio.fixture(loop_scope="session")
async def document(browser: Browser, tmp_path: Path) -> Path:
    """A real PDF with two pages."""
    page = await browser.new_page()
    await page.set_content(TWO_PAGES)
    file = tmp_path / "取暖费用清单.pdf"
    await page.pdf(path=file)
    await page.close()
    return file


async def hand_in(window: Window, document: Path) -> None:
    """Hand in an item with this file, and look at it."""
    await window.enter("chen")
    await fill(window, "关于取暖费用的建议", "山区学校取暖费用偏高，清单附后。")
    await window.page.get_by_label("添加文件").set_input_files(document)
    await expect(window.page.get_by_label(document.name)).to_be_checked()
    await window.page.get_by_role("button", name="提交").click()
    # It was similar to nothing, or its author says that it is another matter.
    await expect(window.page.locator("ul.files")).to_contain_text(document.name)


def readers(frames: list[Frame]) -> list[Frame]:
    return [frame for frame in frames if frame.url.startswith("chrome-extension://")]


@pytest.mark.parametrize("size", [Size.PHONE, Size.DESKTOP])
async def test_a_pdf_is_really_read_in_its_frame_and_in_a_window_of_its_own(
    browser: Browser, played: Scene, document: Path, size: Size
) -> None:
    async with chromium.window(browser, played.addresses[COUNTY], size) as window:
        await hand_in(window, document)
        assert not readers(window.page.frames)
        await window.page.get_by_text("在这里看").click()

        async def read() -> bool:
            found = readers(window.page.frames)
            return bool(found) and await found[0].evaluate(PAGES_READ) == 2

        await until(read, 30.0, "the reader shows two pages")
        async with window.context.expect_page() as opened:
            await window.page.get_by_role("link", name="在新窗口里打开").click()
        alone = await opened.value

        async def read_alone() -> bool:
            found = readers(alone.frames)
            return bool(found) and await found[0].evaluate(PAGES_READ) == 2

        await until(read_alone, 30.0, "the reader shows two pages in a window")


async def test_a_browser_that_reads_no_pdf_is_left_the_link(
    browser: Browser, played: Scene, document: Path
) -> None:
    async with chromium.window(browser, played.addresses[COUNTY], Size.PHONE) as window:
        await window.context.add_init_script(
            "Object.defineProperty(Navigator.prototype, 'pdfViewerEnabled', { get: () => false })"
        )
        await hand_in(window, document)
        await window.page.get_by_text("在这里看").click()
        await expect(window.page.get_by_role("link", name="在新窗口里打开")).to_be_visible()
        await expect(window.page.locator("iframe.preview")).to_be_hidden()
        assert not readers(window.page.frames)
