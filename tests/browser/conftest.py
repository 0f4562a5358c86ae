"""The scene, whose pages are served and looked at once a run."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.browser import scene, survey
from tests.browser.scene import Scene
from tests.browser.survey import Survey


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def played(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """Offices after a year, and their pages."""
    async with scene.served(tmp_path_factory.mktemp("scene")) as served:
        yield served


@pytest_asyncio.fixture(scope="session", loop_scope="session", name="survey")
async def surveyed(browser: Browser, played: Scene) -> Survey:
    """What is wrong with their pages."""
    return await survey.made(browser, played)
