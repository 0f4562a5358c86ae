"""What commands share: the configuration argument, and a desk for the length of one command.

What opens a database is imported where it is opened: keys and evidence are looked at without one.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import typer

from node import log
from node.config import Settings, load
from node.errors import ConfigurationError, DatabaseAwayError, InputError

if TYPE_CHECKING:
    from node.workflow.desk import Actor, Desk

T = TypeVar("T")

OPERATOR = "operator"
OFFICE_TIME = ZoneInfo("Asia/Shanghai")

Config = Annotated[
    Path,
    typer.Option(
        "--config", "-c", envvar="ZHITONG_CONFIG", help="配置文件 zhitong.toml，或它所在的文件夹"
    ),
]


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run one command's coroutine, with quiet logs."""
    log.configure(level="error")
    with database_mistakes():
        return asyncio.run(work)


@contextmanager
def database_mistakes() -> Iterator[None]:
    """Say in one line that the database is away, or not migrated."""
    try:
        yield
    except Exception as error:
        from node.storage.database import is_away, lacks_tables

        if lacks_tables(error):
            raise ConfigurationError(
                "the database has not the tables of this version: run zhitong migrate"
            ) from error
        if is_away(error):
            raise DatabaseAwayError(f"{type(error).__name__}: {error}".splitlines()[0]) from error
        raise


def settings(config: Path) -> Settings:
    """The settings at this path. Raises `ConfigurationError`."""
    return load(config)


@asynccontextmanager
async def desk(config: Path) -> AsyncIterator[Desk]:
    """The office's desk; its database is closed at the end."""
    from node.bootstrap import desk as desks

    opened = desks.build(settings(config))
    try:
        yield opened
    finally:
        await opened.database.close()


def operator(opened: Desk, role: str = "system_administrator") -> Actor:
    """Whoever may read the office's configuration: not asked for an account."""
    from node.workflow.desk import Actor

    return Actor(id=opened.new_id(), username=OPERATOR, name=OPERATOR, roles=frozenset({role}))


def reader(opened: Desk) -> Actor:
    """The same, reading items as an editor: the configuration opens the database anyway."""
    return operator(opened, "editor")


def write_private(path: Path, data: bytes) -> None:
    """Write a file that may hold an item: for its owner alone. Raises `ConfigurationError`."""
    write_private_pieces(path, (data,))


def write_private_pieces(path: Path, pieces: Iterable[bytes]) -> None:
    """The same of what comes piece by piece."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(pieces)
    except OSError as error:
        raise ConfigurationError(f"cannot write {path}: {error.strerror}") from error


def read_text(path: Path) -> str:
    """What a file, or standard input for `-`, holds. Raises `InputError`."""
    if str(path) == "-":
        return sys.stdin.read()
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path}: {error}") from error


def item_id(text: str) -> UUID:
    """The id of an item as it was typed. Raises `InputError`."""
    try:
        return UUID(text)
    except ValueError as error:
        raise InputError(f"{text!r} is no item id") from error


def moment(at: datetime | None) -> str:
    """A time as the office reads it."""
    return "—" if at is None else at.astimezone(OFFICE_TIME).strftime("%Y-%m-%d %H:%M:%S")


def time_of(text: str) -> datetime:
    """A time as somebody typed it, in the office's zone unless it says. Raises `InputError`."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{text!r} is no time such as 2026-11-26T08:00") from error
    return at if at.tzinfo is not None else at.replace(tzinfo=OFFICE_TIME)
