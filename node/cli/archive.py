"""`zhitong archive`: what can be archived, and an item's whole file as one zip archive."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from node.cli.common import Config, desk, item_id, reader, run, settings, write_private_pieces
from node.errors import NothingToProveError, NotWrittenHereError
from node.workflow import archiving, casefile, phrases
from node.workflow.archiving import Waiting
from node.workflow.casefile import CaseFile
from protocol import bundle

MOST = 1_000


def register(application: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="归档：一件信息的全部材料。", no_args_is_help=True)
    group.command("export")(export)
    group.command("list")(list_)
    application.add_typer(group, name="archive")


def list_(config: Config = Path()) -> None:
    """列出已经办完、还没有归档的信息。"""
    for row in run(_waiting(config)):
        state = phrases.STATES.get(row.state, row.state) + ("·已办结" if row.closed else "")
        print(f"{row.item_id}  {row.number or '—'}  {state}  {row.until} 前保管  {row.title}")


async def _waiting(config: Path) -> Sequence[Waiting]:
    async with desk(config) as opened:
        return (await archiving.waiting(opened, reader(opened), limit=MOST)).rows


def export(
    item: Annotated[str, typer.Argument(help="信息的编号（UUID）")],
    file: Annotated[Path, typer.Argument(help="写入的文件，如 一事一档.zip")],
    config: Config = Path(),
) -> None:
    """把一件信息的各稿、办理过程、附件和凭证写入一个 zip 文件，附说明。"""
    case, proof = run(_gather(config, item_id(item)))
    write_private_pieces(file, casefile.pack(case, proof))
    print(f"已写入 {file}：{len(case.editions)} 稿，附件 {len(case.enclosures)} 个。")
    print("打开其中的“说明.html”查看目录。文件含信息全文。")


async def _gather(config: Path, item: UUID) -> tuple[CaseFile, bytes | None]:
    from node.bootstrap import evidence
    from node.bootstrap import node as bootstrap

    node = bootstrap.build(settings(config))
    actor = reader(node.desk)
    try:
        case = await casefile.gather(node.desk, actor, item)
        try:
            proof = bundle.write(await evidence.export(node, actor, item))
        except (NothingToProveError, NotWrittenHereError):
            proof = None
        return case, proof
    finally:
        await node.desk.database.close()
