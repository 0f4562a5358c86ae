"""People at their browsers: the demo works through the offices' API, as everyone else."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

import httpx

from node.cli.demo.cast import PASSWORD

WAIT_SECONDS = 60.0
LOOK_SECONDS = 0.05


class DemoError(Exception):
    """The demo did not go as it should."""


class Visitor:
    """One person, logged in at one office."""

    def __init__(self, address: str, username: str) -> None:
        # Reading the system's certificates takes longer than a visit, and nobody here speaks TLS.
        no_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._client = httpx.AsyncClient(
            base_url=address, verify=no_tls, trust_env=False, timeout=30.0
        )
        self.username = username

    async def __aenter__(self) -> Self:
        credentials = {"username": self.username, "password": PASSWORD}
        await self._call("POST", "/api/v1/session", credentials)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def submit(self, draft: dict[str, Any]) -> str:
        """Hand in an item; its id."""
        answer: str = (await self._call("POST", "/api/v1/items", draft))["id"]
        return answer

    async def act(self, item: str, action: str, content: dict[str, Any] | None = None) -> Any:
        """Do something with an item."""
        return await self._call("POST", f"/api/v1/items/{item}/{action}", content)

    async def item(self, item: str) -> dict[str, Any] | None:
        """The item with its timeline, or None while it is not here."""
        answer = await self._client.get(f"/api/v1/items/{item}")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        found: dict[str, Any] = answer.raise_for_status().json()
        return found

    async def items(self) -> list[dict[str, Any]]:
        """All items of the office."""
        found: list[dict[str, Any]] = (await self._call("GET", "/api/v1/items?limit=200"))["items"]
        return found

    async def _call(self, method: str, path: str, content: dict[str, Any] | None = None) -> Any:
        answer = await self._client.request(method, path, json=content)
        if answer.is_error:
            raise DemoError(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer.json() if answer.content else None


async def until(what: str, condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until it holds. Raises `DemoError` after a minute."""
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            while not await condition():
                await asyncio.sleep(LOOK_SECONDS)
    except TimeoutError as error:
        raise DemoError(f"waited {WAIT_SECONDS:.0f} s in vain: {what}") from error
