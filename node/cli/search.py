"""`zhitong search QUERY` and `zhitong search rebuild`, by whoever may read the configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from node.cli.common import Config, desk, moment, reader, run
from node.errors import InputError
from node.search import index
from node.search.highlight import Excerpt
from node.workflow import phrases, searching
from node.workflow.searching import Found, Hit

FIND = "find"


class Words(TyperGroup):
    """What is no subcommand is what is looked for."""

    def parse_args(self, context: Any, arguments: list[str]) -> list[str]:
        if arguments and arguments[0] not in ("rebuild", "--help"):
            arguments = [FIND, *arguments]
        return super().parse_args(context, arguments)


def register(application: typer.Typer) -> None:
    """Add the commands."""
    part = typer.Typer(cls=Words, no_args_is_help=True, help="检索信息；rebuild 重建检索索引。")
    part.command(FIND, hidden=True)(find)
    part.command("rebuild")(rebuild)
    application.add_typer(part, name="search")


def find(
    query: Annotated[str, typer.Argument(help="要查的字词，用空格分开；编号也可以")],
    limit: Annotated[int, typer.Option(min=1, max=200, help="最多列出几件")] = searching.PAGE,
    config: Config = Path(),
) -> None:
    """检索信息：标题、正文、作者、单位和编号。"""
    found = run(_find(config, query, limit))
    for hit in found.hits:
        _print(hit)
    more = "以上" if found.more else ""
    print(f"共 {found.total} 件{more}，列出 {len(found.hits)} 件。")


def rebuild(config: Config = Path()) -> None:
    """重建检索索引：逐件重新编入，期间可以照常检索和办理。"""
    print(f"已重新编入 {run(_rebuild(config))} 件信息。")


async def _find(config: Path, query: str, limit: int) -> Found:
    if not query.strip():
        raise InputError("nothing to look for was given")
    async with desk(config) as opened:
        return await searching.search(opened, reader(opened), query, limit=limit)


async def _rebuild(config: Path) -> int:
    async with desk(config) as opened:
        database = opened.database
        async with database.writing.begin() as session:
            await index.mend(session)
            total = await index.mark_all(session)
        done = 0
        with Console(stderr=True).status("…") as status:
            while taken := await index.step(database):
                done += taken
                status.update(f"已编入 {done} / {total} 件")
    return total


def _print(hit: Hit) -> None:
    state = phrases.STATES[hit.item.state]
    print(f"{hit.item.id}  {hit.item.number or '未登记'}  {state}  {moment(hit.item.created_at)}")
    excerpts = dict(hit.excerpts)
    print(f"  {_shown(excerpts['title']) if 'title' in excerpts else hit.item.title}")
    for part in ("body", "authors"):
        if part in excerpts:
            print(f"  {_shown(excerpts[part])}")


def _shown(excerpt: Excerpt) -> str:
    text = excerpt.text
    for start, end in reversed(excerpt.marks):
        text = f"{text[:start]}【{text[start:end]}】{text[end:]}"
    return " ".join(text.split())
