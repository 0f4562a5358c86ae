"""`zhitong serve`."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer
import uvloop

from node import log
from node.bootstrap.node import Half, build
from node.bootstrap.server import Serving, on_signal
from node.cli.common import database_mistakes, settings
from node.errors import ConfigurationError


def register(application: typer.Typer) -> None:
    """Add the command."""
    application.command("serve")(serve)


def serve(
    configs: Annotated[list[Path], typer.Argument(help="一个或多个配置文件（或其文件夹）")],
    only: Annotated[
        Literal["web", "relay"] | None, typer.Option(help="只运行网页，或只运行收发")
    ] = None,
    migrations: Annotated[
        bool, typer.Option("--migrate/--no-migrate", help="启动前升级数据库表")
    ] = True,
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], typer.Option(help="日志级别")
    ] = "info",
) -> None:
    """运行一个或多个机关的节点，直到收到停止信号。"""
    # Read before anything is started: a mistake in the last one must not half start the rest.
    offices = [settings(config) for config in configs]
    for what, values in (
        ("the same office", [one.office.id for one in offices]),
        ("one database", [one.database_url for one in offices]),
    ):
        if len(set(values)) < len(values):
            raise ConfigurationError(f"two configurations name {what}")
    if migrations:
        # Alembic stays out of this process's memory.
        command = [sys.executable, "-m", "node", "migrate", *map(str, configs)]
        if subprocess.run(command, check=False).returncode != 0:  # noqa: S603
            raise ConfigurationError("the database could not be migrated; see above")
    log.configure(level=log_level)
    with database_mistakes(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(configs, only or "both"))


def _spare_collector() -> None:
    """Have the garbage collector never look at modules."""
    gc.collect()
    gc.freeze()


async def _serve(configs: list[Path], half: Half) -> None:
    _spare_collector()
    wanted = on_signal()
    serving = Serving([build(settings(config), half=half) for config in configs])
    try:
        await serving.start()
        await wanted.wait()
    finally:
        await serving.stop()
