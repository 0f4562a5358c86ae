"""What holds for every page in a browser: everybody can use it, it is light, and it is alone."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from tests.browser import axe, chromium, pages
from tests.browser.chromium import Size, Theme, Window
from tests.browser.scene import Scene

pytestmark = pytest.mark.asyncio(loop_scope="session")

MOST_BYTES = 400_000
HEADERS = {
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}


@pytest.fixture(params=list(Theme))
def theme(request: pytest.FixtureRequest) -> Theme:
    """Each theme."""
    found: Theme = request.param
    return found


async def looked_at(
    browser: Browser, scene: Scene, theme: Theme = Theme.LIGHT
) -> AsyncIterator[tuple[str, Window]]:
    """Every look at every page, open in a window."""
    by_person: dict[tuple[str, str | None], list[tuple[pages.Page, pages.Look]]] = {}
    for page in pages.PAGES:
        for look in page.looks:
            by_person.setdefault((look.office, look.username), []).append((page, look))
    for (office, username), looks in by_person.items():
        async with chromium.window(browser, scene.addresses[office], theme=theme) as window:
            if username is not None:
                await window.enter(username)
            for page, look in looks:
                await window.visit(page.path(scene.items[look.item]) + look.query)
                yield look.name, window


async def test_no_page_violates_a_rule_of_accessibility_in_any_theme_on_any_screen(
    chromium: Browser, played: Scene, theme: Theme
) -> None:
    wrong: list[str] = []
    async for name, window in looked_at(chromium, played, theme):
        await axe.load(window)
        for size in Size:
            await window.use(size)
            wrong += [f"{name}, {size}: {line}" for line in await axe.violations(window)]
    assert wrong == []


async def test_no_page_is_wider_than_the_screen(chromium: Browser, played: Scene) -> None:
    wide: list[str] = []
    async for name, window in looked_at(chromium, played):
        for size in Size:
            await window.use(size)
            width = await window.page.evaluate("document.documentElement.scrollWidth")
            if width > int(size):
                wide.append(f"{name} is {width} px wide on a screen of {size}")
    assert wide == []


async def test_every_page_is_light_and_says_what_a_browser_may_do_with_it(
    chromium: Browser, played: Scene
) -> None:
    heavy: list[str] = []
    wrong: list[str] = []
    async for name, window in looked_at(chromium, played):
        sizes = [await answer.request.sizes() for answer in window.answers]
        weight = sum(size["responseBodySize"] + size["responseHeadersSize"] for size in sizes)
        if not 0 < weight <= MOST_BYTES:
            heavy.append(f"{name}: {weight} bytes")
        headers = window.answers[0].headers
        policy = headers.get("content-security-policy", "")
        if "default-src" not in policy or "unsafe" in policy or "frame-ancestors" not in policy:
            wrong.append(f"{name}: {policy!r}")
        wrong += [f"{name}: {k}" for k, value in HEADERS.items() if headers.get(k) != value]
    assert (heavy, wrong) == ([], [])
