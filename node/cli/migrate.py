"""`zhitong migrate`. Each start of a node waits for it: it loads nothing of the node itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from node.cli.common import run, settings


def register(application: typer.Typer) -> None:
    """Add the command."""
    application.command("migrate")(migrate)


def migrate(
    configs: Annotated[list[Path], typer.Argument(help="一个或多个配置文件（或其文件夹）")],
) -> None:
    """把数据库表升级到本版本。"""
    for config in configs:
        run(_migrate(config))


async def _migrate(config: Path) -> None:
    from node.storage import migrate as migrations
    from node.storage.database import Database

    database = Database(settings(config).database_url)
    try:
        await migrations.upgrade(database)
    finally:
        await database.close()
