"""`zhitong purge`: erase an item's contents here and wherever it went.

No account is asked for, as with `zhitong link`; the running relay asks the neighbours.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from node.cli.common import Config, desk, item_id, moment, operator, run
from node.errors import InputError
from node.workflow import access, files, purges
from node.workflow.purges import Status


def register(application: typer.Typer) -> None:
    """Add the command."""
    application.command("purge")(purge)


def purge(
    item: Annotated[str, typer.Argument(help="信息的编号（UUID）")],
    reason: Annotated[str | None, typer.Option(help="清除的理由；不要写入信息的内容")] = None,
    status: Annotated[bool, typer.Option("--status", help="只查看各机关的清除情况")] = False,
    config: Config = Path(),
) -> None:
    """清除一件信息的内容，并请上下级机关一并清除；不能恢复。"""
    if not status and reason is None:
        raise InputError("a purge needs --reason")
    _print(run(_purge(config, item_id(item), None if status else reason)))


async def _purge(config: Path, item: UUID, reason: str | None) -> Status:
    async with desk(config) as opened:
        if reason is not None:
            await purges.purge(
                opened, operator(opened, access.SECURITY_ADMINISTRATOR), item, reason
            )
            # At the office itself the storekeeper does it; here nobody waits for one.
            while await files.clear(opened):
                pass
        return await purges.status(opened, operator(opened, access.SECURITY_ADMINISTRATOR), item)


def _print(status: Status) -> None:
    print(f"{moment(status.at)} 由 {status.actor} 清除：{status.reason}")
    for office in status.offices:
        done = "尚未答复" if office.purged_at is None else f"{moment(office.purged_at)} 已清除"
        print(f"  {office.office}：{done}")
    if any(office.purged_at is None for office in status.offices):
        print(f"再次查看：zhitong purge {status.item_id} --status")
