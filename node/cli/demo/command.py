"""`zhitong demo`: one province, two cities and four counties in one process, playing a story."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from node import log
from node.errors import InputError


def register(application: typer.Typer) -> None:
    """Add the command."""
    application.command("demo")(demo)


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="演完即核对并退出，0 为全部无误，1 为有误")
    ] = False,
    broker: Annotated[
        str | None, typer.Option(help="用真实的 RabbitMQ：amqp://…（省略则在进程内传递）")
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(help="用真实的 PostgreSQL：postgresql+asyncpg://…（省略则用 SQLite）"),
    ] = None,
    evidence: Annotated[
        Path | None, typer.Option(help="把一件信息的凭证写入这个文件，根证书写在它旁边")
    ] = None,
) -> None:
    """演示：一省两市四县，十八件信息逐级上报，结果逐级回到反映人。"""
    # Loaded here, so that other commands need not: the demo brings an HTTP client and Alembic.
    from node.cli.demo.play import play

    if evidence is not None and not evidence.absolute().parent.is_dir():
        raise InputError(f"there is no folder {evidence.parent}")
    log.configure(level="error")
    folder = Path(tempfile.mkdtemp(prefix="zhitong-demo-"))
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            good = runner.run(
                play(folder, once=once, broker=broker, database=database, evidence=evidence)
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if not good:
        sys.exit(1)
