"""`zhitong certificates`: what the offices below ask to have renewed, and this hub's broker.

The running relay issues to the offices below; the command itself to the broker.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from node.bootstrap import brokers
from node.bootstrap.desk import system_clock
from node.cli.common import Config, desk, moment, operator, run, settings
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
    group = typer.Typer(
        help="下级机关换发证书的申请；本机关 RabbitMQ 的证书。", no_args_is_help=True
    )
    group.command("list")(list_)
    group.command("approve")(approve)
    group.command("refuse")(refuse)
    group.command("broker")(broker)
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


def broker(
    host: Annotated[list[str], typer.Option(help="下级和本机关拨入时所用的域名或地址，可重复")],
    output: Annotated[Path, typer.Option("--output", "-o", help="写入的文件夹")] = Path("broker"),
    config: Config = Path(),
) -> None:
    """为本机关的 RabbitMQ 签发证书（新密钥），连同它应信任的证书一并写出。"""
    made = brokers.certify(settings(config), host, output, system_clock())
    print(f"已写入 {output}：")
    print(f"  {brokers.SERVER_KEY}    RabbitMQ 的私钥（未加密，只许 RabbitMQ 读取）")
    print(f"  {brokers.SERVER_CHAIN}    RabbitMQ 的证书，用于 {'、'.join(host)}")
    print(f"  {brokers.TRUSTED}        RabbitMQ 唯一信任的证书（cacertfile）")
    print(f"有效期至：{moment(made.not_valid_after_utc)}。到期前再次运行本命令。")


async def _list(config: Path) -> Sequence[RequestView]:
    async with desk(config) as opened:
        return await certificates.requests(opened, operator(opened))


async def _approve(config: Path, request: UUID) -> None:
    async with desk(config) as opened:
        await certificates.approve(opened, operator(opened), request)


async def _refuse(config: Path, request: UUID, reason: str) -> None:
    async with desk(config) as opened:
        await certificates.refuse(opened, operator(opened), request, reason)
