"""`zhitong submit` and `zhitong show`, by whoever may read the office's configuration."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from pydantic import TypeAdapter, ValidationError

from node.cli import manuscript
from node.cli.common import Config, desk, item_id, reader, run
from node.cli.timeline import print_item
from node.errors import InputError
from node.workflow import files, people, reading, submissions
from node.workflow.attachments import Named
from node.workflow.desk import Actor, Desk
from node.workflow.manuscripts import MOST_BYTES
from node.workflow.reading import ItemView
from node.workflow.submissions import Draft
from protocol.messages.items import FileName

MAXIMUM_FILE = 1024 * 1024
CHUNK = 1024 * 1024
FILE_NAME: TypeAdapter[str] = TypeAdapter(FileName)


def register(application: typer.Typer) -> None:
    """Add the commands."""
    application.command("submit")(submit)
    application.command("show")(show)


def submit(
    file: Annotated[Path, typer.Argument(help="Markdown、JSON 或 .docx 文件，- 为标准输入")],
    author: Annotated[str, typer.Option("--as", help="以哪个账号提交")],
    attach: Annotated[
        list[Path] | None, typer.Option("--attach", help="附件，可以重复使用这个选项")
    ] = None,
    topic: Annotated[
        str | None, typer.Option("--topic", help="领域代码，.docx 文稿必填，其他文件里已写明")
    ] = None,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="文中有疑似涉密字样时，确认内容不涉密")
    ] = False,
    config: Config = Path(),
) -> None:
    """提交一件信息，打印它的编号。"""
    if file.suffix.lower() in (".docx", ".docm"):
        draft = manuscript.of_docx(file.name, _bytes(file, MOST_BYTES), topic)
    elif topic is not None:
        raise InputError("--topic is for .docx; other files name their topic")
    else:
        draft = manuscript.parse(_read(file))
    draft = draft.model_copy(update={"confirmed": draft.confirmed or confirm})
    print(run(_submit(config, author, draft, attach or [])))


def show(
    item: Annotated[str, typer.Argument(help="信息的编号（UUID）")],
    config: Config = Path(),
) -> None:
    """显示一件信息和它在各级的办理过程。"""
    print_item(run(_show(config, item_id(item))))


async def _submit(config: Path, author: str, draft: Draft, attach: list[Path]) -> UUID:
    async with desk(config) as opened:
        actor = await _actor(opened, author)
        named = [await _store(opened, actor, file) for file in attach]
        whole = draft.model_copy(update={"attachments": (*draft.attachments, *named)})
        return await submissions.submit(opened, actor, whole)


async def _store(opened: Desk, actor: Actor, file: Path) -> Named:
    try:
        name = FILE_NAME.validate_python(file.name)
        stored = await files.store(opened, actor, name, _chunks(file))
    except ValidationError as error:
        raise InputError(f"{file.name!r} is no name for a file") from error
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror}") from error
    return Named(digest=stored.digest, name=name)


async def _chunks(file: Path) -> AsyncIterator[bytes]:
    with file.open("rb") as source:
        while chunk := await asyncio.to_thread(source.read, CHUNK):
            yield chunk


async def _show(config: Path, item: UUID) -> ItemView:
    async with desk(config) as opened:
        return await reading.view(opened, reader(opened), item)


async def _actor(opened: Desk, username: str) -> Actor:
    async with opened.database.reading() as session:
        return people.actor_of(await people.by_username(session, username))


def _bytes(file: Path, most: int) -> bytes:
    try:
        if str(file) == "-":
            data = sys.stdin.buffer.read(most + 1)
        else:
            with file.open("rb") as source:
                data = source.read(most + 1)
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror}") from error
    if len(data) > most:
        raise InputError(f"the file has more than {most} bytes")
    return data


def _read(file: Path) -> str:
    try:
        return _bytes(file, MAXIMUM_FILE).decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is not UTF-8 text") from error
