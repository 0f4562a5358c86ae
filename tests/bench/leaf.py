"""A leaf: how soon a county's node serves its pages, and how much memory it keeps.

The whole program as an operator starts it (`zhitong serve`), on SQLite, first with an empty
database, which is migrated, then again.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from node.bootstrap import enrolment
from node.bootstrap.node import system_clock
from node.config import OfficeSettings, load
from node.storage import migrate
from node.storage.database import Database
from tests.offices import take_in

PATIENCE = 60.0
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Leaf:
    """Seconds from start to the first page, and resident bytes after it (in MB, 10⁶)."""

    first_start: float
    next_start: float
    resident: float


def measure(broker: str) -> Leaf:
    """Start a county's node twice."""
    with tempfile.TemporaryDirectory(prefix="zhitong-bench-") as name:
        port = _free_port()
        folder = asyncio.run(_set_up(Path(name), broker, port))
        first, _ = _start(folder, port)
        following, resident = _start(folder, port)
    return Leaf(first, following, resident)


async def _set_up(folder: Path, broker: str, port: int) -> Path:
    now = system_clock()
    city = OfficeSettings(id="yunzhou", name="云州市政协", level="city")
    county = OfficeSettings(id="donghu", name="东湖县政协", level="county")
    hub: dict[str, object] = {"broker": broker, "address": broker}
    enrolment.prepare(folder / "city", city, {"hub": hub})
    enrolment.make_root(folder / "city", city, now)
    above = load(folder / "city")
    database = Database(above.database_url)
    await migrate.upgrade(database)
    web: dict[str, object] = {"port": port, "secure_cookies": False}
    enrolment.prepare(folder / "county", county, {"web": web})
    await database.close()
    await take_in(above, folder / "county")
    return folder / "county"


def _start(folder: Path, port: int) -> tuple[float, float]:
    began = time.monotonic()
    command = [sys.executable, "-m", "node", "serve", str(folder), "--log-level", "error"]
    process = subprocess.Popen(command)
    try:
        while not _serves(port):
            if process.poll() is not None or time.monotonic() - began > PATIENCE:
                raise RuntimeError("the node did not come up")
            time.sleep(0.01)
        ready = time.monotonic() - began
        resident = psutil.Process(process.pid).memory_info().rss / MEGABYTE
    finally:
        process.terminate()
        process.wait()
    return ready, resident


def _serves(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/login", trust_env=False).is_success
    except httpx.TransportError:
        return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
