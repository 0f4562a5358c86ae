"""`zhitong certificates`: what the offices below ask to have renewed. The running relay issues."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from node.cli.common import Config, desk, moment, operator, run
from node.workflow import certificates
from node.workflow.certificates import RequestView

STATES = {
    "asked": "待办理",
    "waiting": "待审批",
    "approved": "已批准，待签发",
    "answered": "已签发",
    "refused": "不予签发",
    "replaced": "已被后来的申请代替",
}

Request = Annotated[UUID, typer.Argument(help="申请编号，见 zhitong certificates list")]


def register(application: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="下级机关换发证书的申请。", no_args_is_help=True)
    group.command("list")(list_)
    group.command("approve")(approve)
    group.command("refuse")(refuse)
    application.add_typer(group, name="certificates")


def list_(config: Config = Path()) -> None:
    """列出下级机关的申请，新的在前。"""
    for view in run(_list(config)):
        print(f"{view.id} {view.name}（{view.peer}）{STATES[view.state]}")
        what = "证书和签发证书" if view.issuing else "证书"
        print(f"  {moment(view.asked_at)} 申请换发{what}，新密钥指纹 {view.key}")
        if view.decided_at is not None:
            reason = f"：{view.reason}" if view.reason else ""
            print(f"  {moment(view.decided_at)} 由 {view.decided_by} 办理{reason}")


def approve(request: Request, config: Config = Path()) -> None:
    """批准一份申请。请先与对方核对新密钥的指纹。"""
    run(_approve(config, request))
    print("已批准，由运行中的收发进程签发并送达。")


def refuse(
    request: Request,
    reason: Annotated[str, typer.Option(help="不予签发的理由")],
    config: Config = Path(),
) -> None:
    """不予签发。对方现有的证书照常有效，理由请另行告知。"""
    run(_refuse(config, request, reason))
    print("已登记不予签发。")


async def _list(config: Path) -> Sequence[RequestView]:
    async with desk(config) as opened:
        return await certificates.requests(opened, operator(opened))


async def _approve(config: Path, request: UUID) -> None:
    async with desk(config) as opened:
        await certificates.approve(opened, operator(opened), request)


async def _refuse(config: Path, request: UUID, reason: str) -> None:
    async with desk(config) as opened:
        await certificates.refuse(opened, operator(opened), request, reason)
