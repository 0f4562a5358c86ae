"""Databases with all tables: made by the migrations once a process on SQLite, and copied then."""

from __future__ import annotations

import atexit
import shutil
from pathlib import Path
from tempfile import mkdtemp

from sqlalchemy.engine import make_url

from node.storage import migrate
from node.storage.database import Database

_made: list[Path] = []


async def furnish(url: str) -> None:
    """Make the tables in an empty database; one on PostgreSQL may have them already."""
    address = make_url(url)
    if address.get_backend_name() != "sqlite":
        await _migrate(url)
        return
    assert address.database is not None
    shutil.copyfile(await _template(), address.database)


async def _template() -> Path:
    if not _made:
        folder = Path(mkdtemp(prefix="zhitong-tables-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        await _migrate(f"sqlite+aiosqlite:///{folder / 'template.sqlite'}")
        _made.append(folder / "template.sqlite")
    return _made[0]


async def _migrate(url: str) -> None:
    database = Database(url)
    await migrate.upgrade(database)
    await database.close()
