"""`zhitong link export` and `import`: messages and receipts as files, across a gap.

Exporting reads the node's key, as the relay does. Importing needs only certificates. Both may run
beside a running node.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from node.bootstrap import node as bootstrap
from node.cli.common import OPERATOR, Config, run, settings
from node.relay import archive, files
from node.relay.files import Exported, Exporter, Imported
from protocol.identifiers import NodeId


def register(group: typer.Typer) -> None:
    """Add the commands."""
    group.command("export")(export)
    group.command("import")(import_)


def export(
    peer: Annotated[str, typer.Argument(help="对方机关的节点名，如 yunzhou")],
    file: Annotated[Path, typer.Argument(help="写入的文件，如 to-yunzhou.zip")],
    limit: Annotated[
        int, typer.Option(min=1, max=archive.MOST_TOKENS, help="每个文件最多多少份，多的另写文件")
    ] = archive.MOST_TOKENS // 2,
    config: Config = Path(),
) -> None:
    """把对方还没有收到的消息和回执签名后写入文件；可以反复导出，丢了文件不丢消息。"""
    with _progress("导出") as progress:
        done = run(_export(config, NodeId(peer), file, limit, progress))
    if done.held_back:
        print(f"与 {peer} 的收发已暂停，只导出回执和吊销名单。")
    if not done.files:
        print(f"{peer} 没有未收到的消息。")
        return
    for name in done.files:
        print(name)
    print(f"已导出消息 {done.messages} 份、回执 {done.receipts} 份，请送达 {peer} 后导入。")


def import_(
    file: Annotated[Path, typer.Argument(help="对方导出的文件")],
    config: Config = Path(),
) -> None:
    """收下对方导出的文件；可以重复导入，先后不拘。"""
    with _progress("导入") as progress:
        done = run(_import(config, file, progress))
    result = done.result
    print(
        f"来自 {done.sender}：新收 {result.applied}，等待前件 {result.parked}，"
        f"以前收过 {result.repeated}，回执 {result.link}，拒收 {result.refused}。"
    )
    for code, count in sorted(result.codes.items()):
        print(f"  拒收 {code}：{count}（见 zhitong quarantine list --code {code}）")


async def _export(
    config: Path, peer: NodeId, file: Path, limit: int, progress: files.Progress
) -> Exported:
    node = bootstrap.build(settings(config))
    try:
        incarnation = await node.enter()
        exporter = Exporter(node.desk, node.signer(), incarnation=incarnation)
        return await exporter.export(peer, file, by=OPERATOR, limit=limit, progress=progress)
    finally:
        await node.desk.database.close()


async def _import(config: Path, file: Path, progress: files.Progress) -> Imported:
    node = bootstrap.build(settings(config), half="web")
    try:
        await node.enter()
        return await files.take_in_file(
            node.desk, node.settings.relay, file, by=OPERATOR, progress=progress
        )
    finally:
        await node.desk.database.close()


@contextmanager
def _progress(title: str) -> Iterator[files.Progress]:
    shown = Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())
    with shown:
        task = shown.add_task(title, total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)
