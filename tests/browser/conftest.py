"""The scene, whose pages are served once a run."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.browser import scene
from tests.browser.scene import Scene


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def played(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """Offices after a year, and their pages."""
    async with scene.served(tmp_path_factory.mktemp("scene")) as served:
        yield served
