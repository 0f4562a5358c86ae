"""The system's Chromium under Playwright, and windows in it that reach nothing but this machine.

A `Window` notes what a page asks of other machines and what the browser complains of (scripts that
fail, contents that the page's own policy forbids). Whoever opened it asks for both at the end.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Response,
    Route,
    async_playwright,
)

from tests.offices import PASSWORD
from tests.servers import install, processes
from tests.waiting import until

OUTSIDE = re.compile(
    r"^(?!https?://127\.0\.0\.1[:/]|wss?://127\.0\.0\.1[:/]|data:|blob:|about:"
    # The browser's own reader of PDF.
    r"|chrome-extension://|chrome://resources/)"
)
ARGUMENTS = (
    # What the browser itself would look up or fetch.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--disable-component-update",
    "--disable-background-networking",
    "--disable-sync",
    "--no-default-browser-check",
    # The same letters at the same places, whatever the screen of the machine.
    "--force-color-profile=srgb",
    "--font-render-hinting=none",
)
LONGEST_MS = 30_000
PATIENCE = 90.0


class Size(StrEnum):
    """Screens that pages are looked at on."""

    PHONE = "360"
    TABLET = "768"
    DESKTOP = "1440"


class Theme(StrEnum):
    """How pages are coloured, as the visitor's system asks for it."""

    LIGHT = "light"
    DARK = "dark"
    CONTRAST = "contrast"


SCREENS: Mapping[Size, dict[str, Any]] = {
    Size.PHONE: {
        "viewport": {"width": 360, "height": 740},
        "has_touch": True,
        "is_mobile": True,
        "device_scale_factor": 2,
    },
    Size.TABLET: {"viewport": {"width": 768, "height": 1024}, "has_touch": True},
    Size.DESKTOP: {"viewport": {"width": 1440, "height": 900}},
}
COLOURS: Mapping[Theme, dict[str, Any]] = {
    Theme.LIGHT: {"color_scheme": "light"},
    Theme.DARK: {"color_scheme": "dark"},
    Theme.CONTRAST: {"color_scheme": "light", "contrast": "more"},
}


@dataclass
class Window:
    """One person's browser: its own cookies, one screen, one theme."""

    context: BrowserContext
    page: Page
    address: str
    outside: list[str] = field(default_factory=list)
    """What was asked of other machines; nothing of it was sent."""
    complaints: list[str] = field(default_factory=list)
    """What the browser wrote into its console as an error."""
    answers: list[Response] = field(default_factory=list)
    """Of the page that was opened last: itself, then what belongs to it."""

    async def visit(self, path: str) -> int:
        """Open a page of the office; the status of its answer."""
        self.answers.clear()
        answer = await self.page.goto(self.address + path, wait_until="load")
        assert answer is not None
        return answer.status

    async def sign_in(self, username: str, password: str = PASSWORD) -> None:
        """Fill the form, as a person does."""
        await self.visit("/login")
        await self.page.locator("input[name=username]").fill(username)
        await self.page.locator("input[name=password]").fill(password)
        await self.page.locator("main form button").click()
        await self.page.wait_for_url(lambda url: not url.endswith("/login"))

    async def enter(self, username: str) -> None:
        """Sign in without looking at the form."""
        answer = await self.context.request.post(
            f"{self.address}/api/v1/session", data={"username": username, "password": PASSWORD}
        )
        assert answer.ok, await answer.text()

    async def do(self, path: str, **content: Any) -> Any:
        """Do something through the API, as the person who is signed in; what is answered."""
        answer = await self.context.request.post(
            f"{self.address}/api/v1/{path}", data=content or None
        )
        assert answer.ok, f"{path}: {await answer.text()}"
        return await answer.json() if await answer.body() else None

    async def sees(self, *words: str) -> None:
        """Look at the page that is open, again and again, until all these words are there."""

        async def there() -> bool:
            text = await self.page.locator("main").inner_text()
            if all(word in text for word in words):
                return True
            await self.page.reload()
            return False

        await until(there, PATIENCE, f"{words} at {self.page.url}")

    async def use(self, size: Size) -> None:
        """Make the page as wide as this screen."""
        await self.page.set_viewport_size(SCREENS[size]["viewport"])

    async def colour(self, theme: Theme) -> None:
        """Ask for this theme, as the visitor's system does."""
        await self.page.emulate_media(**{"contrast": "no-preference", **COLOURS[theme]})

    def demand_quiet(self) -> None:
        """Nothing was asked of other machines, and the browser found nothing wrong."""
        assert not self.outside, f"asked of other machines: {self.outside}"
        assert not self.complaints, f"the browser complains: {self.complaints}"

    async def _refuse(self, route: Route) -> None:
        self.outside.append(route.request.url)
        await route.abort()

    def _keep(self, answer: Response) -> None:
        self.answers.append(answer)

    def _hear(self, message: ConsoleMessage) -> None:
        # That a page answers with 403 or 404 is no fault of it.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)


@asynccontextmanager
async def started() -> AsyncIterator[Browser]:
    """A browser without a screen."""
    program = install.chromium()
    if program is None:
        raise processes.ServerError("Chromium is not installed: see tests/servers/install.py")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program, args=list(ARGUMENTS), timeout=LONGEST_MS
        )
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def window(
    browser: Browser,
    address: str,
    size: Size = Size.DESKTOP,
    theme: Theme = Theme.LIGHT,
    *,
    scripts: bool = True,
) -> AsyncIterator[Window]:
    """A window at an office, at whose end everything must have been quiet."""
    context = await browser.new_context(
        **SCREENS[size],
        **COLOURS[theme],
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
        java_script_enabled=scripts,
        reduced_motion="reduce",
    )
    try:
        context.set_default_timeout(LONGEST_MS)
        opened = Window(context, await context.new_page(), address)
        await context.route(OUTSIDE, opened._refuse)
        context.on("response", opened._keep)
        context.on("console", opened._hear)
        context.on("weberror", lambda error: opened.complaints.append(str(error.error)))
        yield opened
        opened.demand_quiet()
    finally:
        await context.close()
