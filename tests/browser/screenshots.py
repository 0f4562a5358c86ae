"""`make screenshots`: every look at every page, on each screen in each theme, as a picture.

They are written to build/screenshots, named after the look, the width and the theme. `--only`
takes the beginnings of names, `--screens` widths, `--themes` themes. Pictures of earlier runs are
removed.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
from playwright.async_api import Browser

from tests.browser import chromium, scene, survey
from tests.browser.chromium import Size, Theme
from tests.browser.scene import Scene

OUTPUT = Path("build/screenshots")


@dataclass(frozen=True)
class Wanted:
    """Which pictures are taken."""

    names: tuple[str, ...]
    screens: tuple[Size, ...]
    themes: tuple[Theme, ...]


def main() -> int:
    """Take the pictures; 1 when the browser complained of a page."""
    parser = argparse.ArgumentParser(prog="make screenshots", description=__doc__)
    parser.add_argument("--only", nargs="+", default=[""], metavar="NAME", help="of these looks")
    parser.add_argument("--screens", nargs="+", type=Size, default=[*Size], metavar="WIDTH")
    parser.add_argument("--themes", nargs="+", type=Theme, default=[*Theme], metavar="THEME")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir(parents=True)
    wanted = Wanted(tuple(options.only), tuple(options.screens), tuple(options.themes))
    complaints = asyncio.run(_all(wanted))
    for line in complaints:
        print(line, file=sys.stderr)
    print(f"{len(list(OUTPUT.iterdir()))} pictures in {OUTPUT}")
    return 1 if complaints else 0


async def _all(wanted: Wanted) -> Sequence[str]:
    with tempfile.TemporaryDirectory(prefix="zhitong-scene-") as folder:
        async with scene.served(Path(folder)) as served, chromium.started() as browser:
            found: list[str] = []
            for size in wanted.screens:
                found += await _on(browser, served, size, wanted)
            return found


async def _on(browser: Browser, served: Scene, size: Size, wanted: Wanted) -> list[str]:
    complaints: list[str] = []
    for office, username, looks in survey.by_person():
        chosen = [(page, look) for page, look in looks if look.name.startswith(wanted.names)]
        if not chosen:
            continue
        async with chromium.window(browser, served.addresses[office], size) as window:
            if username is not None:
                await window.enter(username)
            for page, look in chosen:
                await window.visit(look.path(page, served.things))
                for theme in wanted.themes:
                    await window.colour(theme)
                    name = f"{look.name}-{size}-{theme}.png"
                    await window.page.screenshot(path=OUTPUT / name, full_page=True)
                complaints += [f"{look.name}: {x}" for x in window.complaints + window.outside]
                window.complaints.clear()
                window.outside.clear()
    return complaints


if __name__ == "__main__":
    sys.exit(main())
