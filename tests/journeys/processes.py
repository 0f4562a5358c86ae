"""Nodes as processes of their own, as a service manager runs them."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.offices import PASSWORD
from tests.servers import places
from tests.waiting import until

ROOT = Path(__file__).parents[2]
SECONDS = 90.0

_numbers = itertools.count(1)


@dataclass
class Running:
    """A process, with the file that holds what it said."""

    process: asyncio.subprocess.Process
    log: Path
    address: str | None = None
    authority: Path | None = None
    """The certificate that its pages are served with, where it is over TLS."""

    def said(self) -> str:
        """Everything it wrote so far."""
        return self.log.read_text("utf-8", errors="replace")

    async def until_said(self, words: str) -> None:
        """Wait until these words are in its log."""
        await until(lambda: words in self.said() or self._ended(), SECONDS, f"{words!r} in the log")
        assert words in self.said(), f"it ended with {self.process.returncode}: {self.said()}"

    async def ended(self, seconds: float = SECONDS) -> int:
        """Wait for its end; its exit code, negative for a signal."""
        async with asyncio.timeout(seconds):
            return await self.process.wait()

    async def terminate(self) -> int:
        """SIGTERM, as a service manager sends it; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return await self.ended()

    def _ended(self) -> bool:
        return self.process.returncode is not None


@asynccontextmanager
async def run(
    folder: Path, module: str, *arguments: str | Path, env: Mapping[str, str] | None = None
) -> AsyncIterator[Running]:
    """`python -m module arguments…`, killed at the end if it still runs."""
    log = folder / f"process{next(_numbers)}.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            *map(str, arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=ROOT,
            env={**os.environ, **(env or {})},
        )
    try:
        yield Running(process, log)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@asynccontextmanager
async def serve(
    folder: Path, *options: str, authority: Path | None = None
) -> AsyncIterator[Running]:
    """`zhitong serve` for the office in this folder, ready; its pages on a port of its own."""
    port = places.free_port()
    env = {"ZHITONG_WEB__PORT": str(port)}
    async with run(folder, "node", "serve", folder, *options, env=env) as running:
        await running.until_said("server.ready")
        running.address = f"{'https' if authority else 'http'}://127.0.0.1:{port}"
        running.authority = authority
        yield running


class Visitor:
    """A person at the API of an office."""

    def __init__(self, running: Running, username: str) -> None:
        assert running.address is not None
        # Loading the system's authorities takes longer than many a test.
        verify = (
            ssl.create_default_context(cafile=running.authority) if running.authority else False
        )
        self._client = httpx.AsyncClient(
            base_url=running.address, verify=verify, trust_env=False, timeout=30.0
        )
        self._username = username

    async def __aenter__(self) -> Visitor:
        credentials = {"username": self._username, "password": PASSWORD}
        await self.post("session", credentials)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def post(self, path: str, content: Mapping[str, Any] | None = None) -> Any:
        """Do something; what is answered."""
        answer = await self._client.post(f"/api/v1/{path}", json=content)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def get(self, path: str) -> Any:
        """Read something; None where there is no such thing."""
        answer = await self._client.get(f"/api/v1/{path}")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def see(self, path: str, condition: Callable[[Any], bool]) -> Any:
        """Look again and again until what is there satisfies the condition."""
        found: list[Any] = []

        async def satisfied() -> bool:
            found[:] = [await self.get(path)]
            return found[0] is not None and condition(found[0])

        wait: Callable[[], Awaitable[bool]] = satisfied
        await until(wait, SECONDS, f"{path} as it should be")
        return found[0]
