"""The tools see what they are there to see: a page that is wrong is found to be wrong."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser

from tests.browser import axe, chromium, keyboard
from tests.browser.chromium import Size, Theme
from tests.browser.scene import Scene

pytestmark = pytest.mark.asyncio(loop_scope="session")

WRONG = """
<!doctype html><html><head><title>错</title><style>
  p { color: #000; background: #fff } input { width: 900px }
  @media (prefers-color-scheme: dark) { p { color: #999 } }
  @media (prefers-contrast: more) { p { background: #333 } }
</style></head><body><main><h1>错</h1><p>看得清吗</p><input></main></body></html>
"""
KEYS = """
<!doctype html><html lang="zh-CN"><head><title>键</title><style>.blind { outline: 0 }</style></head>
<body><a href="/">明</a><a href="/" class="blind">暗</a><button disabled>关</button>
<button id="trap" onfocus="this.blur(); document.querySelector('a').focus()">陷</button>
<button id="after">后</button></body></html>
"""


async def test_axe_finds_what_is_wrong_and_the_colours_of_each_theme(
    browser: Browser, played: Scene
) -> None:
    async with chromium.window(browser, played.addresses["donghu"]) as window:
        await window.page.set_content(WRONG)
        await axe.load(window)
        found: dict[Theme, set[str]] = {}
        for theme in Theme:
            await window.colour(theme)
            found[theme] = {line.split(":")[0] for line in await axe.violations(window)}
        assert found == {
            Theme.LIGHT: {"html-has-lang", "label"},
            Theme.DARK: {"html-has-lang", "label", "color-contrast"},
            Theme.CONTRAST: {"html-has-lang", "label", "color-contrast"},
        }
        await window.use(Size.PHONE)
        assert await window.page.evaluate("document.documentElement.scrollWidth") > int(Size.PHONE)


async def test_what_tab_does_not_reach_or_does_not_show_is_found(
    browser: Browser, played: Scene
) -> None:
    async with chromium.window(browser, played.addresses["donghu"]) as window:
        await window.page.set_content(KEYS)
        found = await keyboard.faults(window)
        assert [line.partition(" onfocus")[0] for line in found] == [
            'does not show that it is reached: <a href="/" class="blind">暗</a>',
            'is not reached: <button id="trap"',
            'is not reached: <button id="after">后</button>',
        ]


async def test_a_window_notes_what_is_asked_of_other_machines_and_sends_nothing(
    browser: Browser, played: Scene
) -> None:
    async with chromium.window(browser, played.addresses["donghu"]) as window:
        await window.page.set_content('<img src="http://evil.test/a.png" alt="">')
        await window.page.wait_for_function("document.images[0].complete")
        with pytest.raises(AssertionError, match="asked of other machines"):
            window.demand_quiet()
        assert window.outside == ["http://evil.test/a.png"]
        window.outside.clear()


async def test_a_window_notes_what_a_pages_own_policy_forbids(
    browser: Browser, played: Scene
) -> None:
    async with chromium.window(browser, played.addresses["donghu"]) as window:
        await window.visit("/login")
        await window.page.evaluate("document.body.innerHTML = '<img src=\"data:,\" alt>'")
        await window.page.wait_for_function("document.images[0].complete")
        with pytest.raises(AssertionError, match="Content Security Policy"):
            window.demand_quiet()
        window.complaints.clear()
