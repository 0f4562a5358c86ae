"""Real databases for the simulated offices: made once for each shape, copied for each schedule.

The engines live on from schedule to schedule, with the statements that they compiled; what a
process holds in memory, its connections, is thrown away at each kill and at each end.
"""

from __future__ import annotations

import itertools
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from sqlalchemy import event

from node.storage import migrate
from node.storage.database import Database
from node.storage.people import Person
from node.workflow import directory
from protocol.identifiers import NodeId, uuid7
from tests import unthreaded
from tests.factories import NOW
from tests.servers.postgres import Postgres
from tests.simulation.faults import Tripwire
from tests.simulation.shapes import Post, posts

PEOPLE = (
    ("lin", "林晓雨", "author", "informant", "团结街道"),
    ("chen", "陈波", "author", "member", "农工党支部"),
    ("editor", "周编辑", "editor", None, None),
)


class Databases(Protocol):
    """Where the offices' databases come from."""

    async def take(self, shape: str) -> dict[NodeId, tuple[Database, Tripwire]]:
        """A fresh database for each office of the shape, with all that it is set up with."""

    async def keep(self, node: NodeId) -> None:
        """Keep a snapshot of an office's database as it is now, between two steps; the last one."""

    async def go_back(self, node: NodeId) -> None:
        """Put the snapshot in the place of the database, to which nobody is connected."""

    async def give_back(self) -> None:
        """The schedule is over."""


class SqliteFiles:
    """SQLite files in a folder, copied; nothing waits for the disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._templates: dict[str, Path] = {}
        self._seats: list[tuple[Database, Tripwire]] = []
        self._numbers: dict[NodeId, int] = {}

    async def take(self, shape: str) -> dict[NodeId, tuple[Database, Tripwire]]:
        if shape not in self._templates:
            self._templates[shape] = await self._make(shape)
        taken = {}
        self._numbers = {node: number for number, node in enumerate(posts(shape))}
        for node, number in self._numbers.items():
            self._place(self._templates[shape] / node, number)
            if number == len(self._seats):
                database = _quick(f"sqlite+aiosqlite:///{self._file(number)}")
                self._seats.append((database, Tripwire(database)))
            taken[node] = self._seats[number]
        return taken

    async def keep(self, node: NodeId) -> None:
        # What is not in the file yet, but in the log beside it, belongs to it too.
        with (
            closing(sqlite3.connect(self._file(self._numbers[node]))) as source,
            closing(sqlite3.connect(self._kept(node))) as target,
        ):
            source.backup(target)

    async def go_back(self, node: NodeId) -> None:
        self._place(self._kept(node), self._numbers[node])

    async def give_back(self) -> None:
        for database, tripwire in self._seats:
            tripwire.disarm()
            await database.close()
            tripwire.sever()

    def _file(self, number: int) -> Path:
        return self._folder / f"{number}.sqlite"

    def _kept(self, node: NodeId) -> Path:
        return self._folder / f"kept-{self._numbers[node]}"

    def _place(self, content: Path, number: int) -> None:
        for old in self._folder.glob(f"{number}.sqlite*"):
            old.unlink()
        shutil.copyfile(content, self._file(number))

    async def _make(self, shape: str) -> Path:
        empty = self._folder / "empty"
        if not empty.exists():
            database = _quick(f"sqlite+aiosqlite:///{empty}")
            await migrate.upgrade(database)
            await database.close()
        folder = self._folder / f"template-{len(self._templates)}"
        folder.mkdir()
        for node, post in posts(shape).items():
            shutil.copyfile(empty, folder / node)
            database = _quick(f"sqlite+aiosqlite:///{folder / node}")
            await _furnish(database, post)
            await database.close()
        return folder


class PostgresDatabases:
    """PostgreSQL databases on a server of one's own, copied by the server."""

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self._numbers = itertools.count(1)
        self._templates: dict[tuple[str, NodeId], str] = {}
        self._empty: str | None = None
        self._taken: dict[NodeId, tuple[str, Database, Tripwire]] = {}

    async def take(self, shape: str) -> dict[NodeId, tuple[Database, Tripwire]]:
        taken = {}
        for node, post in posts(shape).items():
            if (shape, node) not in self._templates:
                self._templates[shape, node] = await self._make(post)
            name = f"simulated_{next(self._numbers)}"
            url = await self._server.create_database(name, self._templates[shape, node])
            database = Database(url)
            taken[node] = database, Tripwire(database)
            self._taken[node] = (name, *taken[node])
        return taken

    async def keep(self, node: NodeId) -> None:
        name, database, _ = self._taken[node]
        # The server copies only what nobody is connected to.
        await database.close()
        await self._server.drop_database(_kept(name))
        await self._server.create_database(_kept(name), name)

    async def go_back(self, node: NodeId) -> None:
        name, *_ = self._taken[node]
        await self._server.drop_database(name)
        await self._server.create_database(name, _kept(name))

    async def give_back(self) -> None:
        while self._taken:
            _, (name, database, tripwire) = self._taken.popitem()
            tripwire.disarm()
            await database.close()
            tripwire.sever()
            await self._server.drop_database(name)
            await self._server.drop_database(_kept(name))

    async def _make(self, post: Post) -> str:
        if self._empty is None:
            self._empty = f"unfurnished_{next(self._numbers)}"
            database = Database(await self._server.create_database(self._empty))
            await migrate.upgrade(database)
            await database.close()
        name = f"template_{next(self._numbers)}"
        database = Database(await self._server.create_database(name, self._empty))
        await _furnish(database, post)
        await database.close()
        return name


@contextmanager
def sqlite_files() -> Iterator[SqliteFiles]:
    """Files in a temporary folder."""
    with TemporaryDirectory(prefix="zhitong-simulation-") as folder:
        yield SqliteFiles(Path(folder))


def _kept(name: str) -> str:
    return f"{name}_kept"


def _quick(url: str) -> Database:
    database = Database(url)
    unthreaded.use(database.engine)
    # After the node's own settings: here nobody pulls the plug.
    event.listen(database.engine.sync_engine, "connect", _unsafe)
    return database


def _unsafe(connection: Any, _record: object) -> None:
    cursor: sqlite3.Cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=OFF")
    cursor.close()


async def _furnish(database: Database, post: Post) -> None:
    random = Random(post.reference.id)
    async with database.writing.begin() as session:
        await directory.know(session, post.reference, "self")
        if post.parent is not None:
            await directory.know(session, post.parent, "parent")
        for child in post.children:
            await directory.know(session, child, "child")
        for username, name, role, kind, unit in PEOPLE:
            session.add(
                Person(
                    id=uuid7(NOW, random.randbytes(10)),
                    username=username,
                    name=name,
                    roles=[role],
                    kind=kind,
                    unit=unit,
                    password_hash="nobody logs in",
                    created_at=NOW,
                )
            )
