"""One walk over all pages in a browser, and everything that was found wrong on the way.

Each look of the table of pages is opened once. Its first look is examined in every theme on every
screen; the others, which differ from it in little, once in each theme and once on each screen.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

from playwright.async_api import Browser

from tests.browser import axe, chromium, keyboard, pages
from tests.browser.chromium import Size, Theme, Window
from tests.browser.pages import Look, Page
from tests.browser.scene import Scene

MOST_BYTES = 400_000
HEADERS = {
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}
POLICY = ("default-src", "frame-ancestors 'none'")


@dataclass
class Survey:
    """What is wrong, one line each, with the name of the look."""

    looks: list[str] = field(default_factory=list)
    """All that were opened."""
    violations: list[str] = field(default_factory=list)
    wide: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    heavy: list[str] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)


def by_person() -> Iterator[tuple[str, str | None, list[tuple[Page, Look]]]]:
    """Office, user name, and what this person looks at."""
    found: dict[tuple[str, str | None], list[tuple[Page, Look]]] = {}
    for page in pages.PAGES:
        for look in page.looks:
            found.setdefault((look.office, look.username), []).append((page, look))
    for (office, username), looks in found.items():
        yield office, username, looks


async def made(browser: Browser, scene: Scene) -> Survey:
    """Look at everything."""
    survey = Survey()
    for office, username, looks in by_person():
        async with chromium.window(browser, scene.addresses[office]) as window:
            if username is not None:
                await window.enter(username)
            for page, look in looks:
                await window.visit(look.path(page, scene.things))
                survey.looks.append(look.name)
                await _weigh(survey, look.name, window)
                first = look is page.looks[0]
                if first:
                    survey.keys += [f"{look.name}: {x}" for x in await keyboard.faults(window)]
                await _examine(survey, look.name, window, whole=first)
                survey.complaints += [f"{look.name}: {line}" for line in window.complaints]
                survey.outside += [f"{look.name}: {url}" for url in window.outside]
                # Told with the page's name; the window need not tell it again.
                window.complaints.clear()
                window.outside.clear()
    return survey


async def _examine(survey: Survey, name: str, window: Window, *, whole: bool) -> None:
    await axe.load(window)
    for size, theme in itertools.product(Size, Theme) if whole else zip(Size, Theme, strict=True):
        await window.use(size)
        await window.colour(theme)
        where = f"{name}, {size} px, {theme}"
        survey.violations += [f"{where}: {line}" for line in await axe.violations(window)]
        width = await window.page.evaluate("document.documentElement.scrollWidth")
        if width > int(size):
            survey.wide.append(f"{where}: {width} px")
    if whole:
        await _enlarge(survey, name, window)


async def _enlarge(survey: Survey, name: str, window: Window) -> None:
    # Of what stands on a phone, the largest letters leave the least room.
    await window.use(Size.PHONE)
    width = await window.page.evaluate(
        "document.documentElement.dataset.text = 'largest', document.documentElement.scrollWidth"
    )
    await window.page.evaluate("document.documentElement.dataset.text = 'normal'")
    if width > int(Size.PHONE):
        survey.wide.append(f"{name}, {Size.PHONE} px, largest letters: {width} px")


async def _weigh(survey: Survey, name: str, window: Window) -> None:
    # The stream of what happens has no end.
    whole = [a.request for a in window.answers if a.request.resource_type != "eventsource"]
    sizes = [await request.sizes() for request in whole]
    weight = sum(size["responseBodySize"] + size["responseHeadersSize"] for size in sizes)
    if not 0 < weight <= MOST_BYTES:
        survey.heavy.append(f"{name}: {weight} bytes")
    document = next(a for a in window.answers if a.request.resource_type == "document")
    headers = await document.all_headers()
    policy = headers.get("content-security-policy", "")
    if "unsafe" in policy or not all(part in policy for part in POLICY):
        survey.headers.append(f"{name}: content-security-policy: {policy!r}")
    survey.headers += [
        f"{name}: {header}: {headers.get(header)!r}"
        for header, wanted in HEADERS.items()
        if headers.get(header) != wanted
    ]
