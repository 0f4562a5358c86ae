"""`zhitong quarantine`: what was refused here, and what is decided about it.

Whoever may read the office's configuration may read its database, so no account is asked for; the
audit log names the operator. A replay is carried out by the running relay.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Column, Table

from node.cli.common import Config, desk, moment, operator, run, write_private
from node.errors import InputError
from node.workflow import phrases, quarantine
from node.workflow.quarantine import Page, Seen

ID_WIDTH = 36
"""An id stays on one line, to be copied."""


def register(application: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="隔离区：没有收下的消息。", no_args_is_help=True)
    group.command("list")(list_)
    group.command("show")(show)
    group.command("replay")(replay)
    group.command("discard")(discard)
    application.add_typer(group, name="quarantine")


Message = Annotated[str, typer.Argument(help="隔离区里的编号")]


def list_(
    state: Annotated[
        str | None, typer.Option(help="held、wanted、replayed 或 discarded，不写为全部")
    ] = None,
    code: Annotated[str | None, typer.Option(help="只看这一原因代码")] = None,
    peer: Annotated[str | None, typer.Option(help="只看这一机关")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="最多列出多少份")] = quarantine.PAGE,
    config: Config = Path(),
) -> None:
    """按原因汇总，再逐份列出，最近的在前。"""
    if state is not None and state not in quarantine.STATES:
        raise InputError(f"a state is one of {', '.join(quarantine.STATES)}")
    _print(run(_list(config, state, code, peer, limit)))


def show(
    message: Message,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="把原文写入文件")] = None,
    config: Config = Path(),
) -> None:
    """显示一份消息：为何没有收下，现在能否通过核验，可以怎么办。"""
    id = _id(message)
    _print_one(run(_show(config, id)))
    if output is not None:
        write_private(output, run(_bytes(config, id)))


def replay(message: Message, config: Config = Path()) -> None:
    """请收发进程重新接收这一份；可以重复多次。"""
    run(_replay(config, _id(message)))
    print("已登记重新收取，由运行中的收发进程办理；结果见 zhitong quarantine show。")


def discard(
    message: Message,
    reason: Annotated[str, typer.Option(help="作废的理由")],
    config: Config = Path(),
) -> None:
    """作废：删去原文，留下记录、摘要和理由。"""
    if not reason.strip():
        raise InputError("discarding needs a reason")
    run(_discard(config, _id(message), reason.strip()))
    print("已作废。")


async def _list(
    config: Path, state: str | None, code: str | None, peer: str | None, limit: int
) -> Page:
    async with desk(config) as opened:
        return await quarantine.list_held(
            opened, operator(opened), state=state, code=code, peer=peer, limit=limit
        )


async def _show(config: Path, id: UUID) -> Seen:
    async with desk(config) as opened:
        return await quarantine.show(opened, operator(opened), id)


async def _bytes(config: Path, id: UUID) -> bytes:
    async with desk(config) as opened:
        return await quarantine.bytes_of(opened, operator(opened), id)


async def _replay(config: Path, id: UUID) -> None:
    async with desk(config) as opened:
        await quarantine.replay(opened, operator(opened), id)


async def _discard(config: Path, id: UUID, reason: str) -> None:
    async with desk(config) as opened:
        await quarantine.discard(opened, operator(opened), id, reason)


def _print(page: Page) -> None:
    console = Console(highlight=False)
    groups = Table("原因", "可恢复", "份数", "次数", "最早", "最近", box=None)
    for group in page.groups:
        groups.add_row(
            group.code,
            "否" if group.permanent else "是",
            str(group.messages),
            str(group.times),
            moment(group.first_at),
            moment(group.last_at),
        )
    console.print(groups)
    rows = Table(
        Column("编号", min_width=ID_WIDTH), "状态", "原因", "来自", "次数", "最近", box=None
    )
    for row in page.rows:
        rows.add_row(
            str(row.id),
            phrases.HELD[row.state],
            row.code,
            row.peer or "—",
            str(row.times),
            moment(row.last_at),
        )
    console.print(rows)
    console.print(f"共 {page.total} 份")


def _print_one(seen: Seen) -> None:
    held = seen.held
    lines = {
        "编号": str(held.id),
        "状态": phrases.HELD[held.state],
        "原因": f"{held.code}：{held.detail}",
        "来自": held.peer or "身份未证实",
        "消息": str(held.message_id or "—"),
        "次数": f"{held.times}（{moment(held.first_at)} 至 {moment(held.last_at)}）",
        "原文": f"{held.size} 字节，SHA-256 {held.digest}",
        "现在核验": seen.verdict,
        "已另行收下": "是" if held.received_since else "否",
        "办法": held.advice,
    }
    if seen.signed_at is not None:
        lines["类型"] = f"{seen.name}，签名于 {moment(seen.signed_at)}"
    if held.decided_at is not None:
        lines["经办"] = f"{held.decided_by}，{moment(held.decided_at)}"
    if held.reason is not None:
        lines["理由"] = held.reason
    if held.outcome is not None:
        lines["上次重新收取"] = f"仍未收下（{held.outcome}）"
    for name, value in lines.items():
        print(f"{name}：{value}")


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise InputError(f"{text!r} is no id of a message in quarantine") from error
