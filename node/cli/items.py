"""`zhitong submit` and `zhitong show`, by whoever may read the office's configuration."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from node.cli import manuscript
from node.cli.common import Config, desk, run
from node.cli.timeline import print_item
from node.errors import InputError
from node.workflow import people, reading, submissions
from node.workflow.desk import Actor, Desk
from node.workflow.reading import ItemView
from node.workflow.submissions import Draft

MAXIMUM_FILE = 1024 * 1024


def register(application: typer.Typer) -> None:
    """Add the commands."""
    application.command("submit")(submit)
    application.command("show")(show)


def submit(
    file: Annotated[Path, typer.Argument(help="Markdown 或 JSON 文件，- 为标准输入")],
    author: Annotated[str, typer.Option("--as", help="以哪个账号提交")],
    config: Config = Path(),
) -> None:
    """提交一件信息，打印它的编号。"""
    print(run(_submit(config, author, manuscript.parse(_read(file)))))


def show(
    item: Annotated[str, typer.Argument(help="信息的编号（UUID）")],
    config: Config = Path(),
) -> None:
    """显示一件信息和它在各级的办理过程。"""
    try:
        item_id = UUID(item)
    except ValueError as error:
        raise InputError(f"{item!r} is no item id") from error
    print_item(run(_show(config, item_id)))


async def _submit(config: Path, author: str, draft: Draft) -> UUID:
    async with desk(config) as opened:
        return await submissions.submit(opened, await _actor(opened, author), draft)


async def _show(config: Path, item_id: UUID) -> ItemView:
    async with desk(config) as opened:
        # Who may read the office's configuration may read its database.
        operator = Actor(id=opened.new_id(), username="operator", name="operator", role="editor")
        return await reading.view(opened, operator, item_id)


async def _actor(opened: Desk, username: str) -> Actor:
    async with opened.database.reading() as session:
        return people.actor_of(await people.by_username(session, username))


def _read(file: Path) -> str:
    try:
        data = sys.stdin.buffer.read(MAXIMUM_FILE + 1) if str(file) == "-" else file.read_bytes()
        if len(data) > MAXIMUM_FILE:
            raise InputError(f"the file has more than {MAXIMUM_FILE} bytes")
        return data.decode("utf-8")
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is not UTF-8 text") from error
