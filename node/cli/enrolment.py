"""`zhitong enrolment`: offices that ask to come below this one. The running relay takes them in."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from node.bootstrap import enrolment as bootstrap
from node.cli.common import Config, desk, moment, operator, read_text, run, settings, write_private
from node.errors import ConfigurationError
from node.workflow import enrolment
from node.workflow.enrolment import EnrolmentView
from protocol.enrolment import SECRET_BYTES, Token, spell

STATES = {
    "waiting": "待审批",
    "approved": "已批准，待办理",
    "entered": "已登记，待签发",
    "ready": "已签发，可取回文",
    "welcomed": "已准入",
    "lapsed": "回文逾期未取，已作废",
    "revoked": "机关已被吊销，旧密钥作废",
    "refused": "未批准",
}

Office = Annotated[str, typer.Argument(help="申请机关的节点名，见 zhitong enrolment list")]


def register(application: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="下级机关的准入。", no_args_is_help=True)
    group.command("token")(token)
    group.command("list")(list_)
    group.command("import")(import_)
    group.command("approve")(approve)
    group.command("refuse")(refuse)
    application.add_typer(group, name="enrolment")


def token(
    for_: Annotated[str | None, typer.Option("--for", help="只给这个节点名用")] = None,
    hours: Annotated[int, typer.Option(help="几小时内有效")] = 72,
    config: Config = Path(),
) -> None:
    """发一个准入码，只能用一次。请通过可靠的途径告知下级机关。"""
    made = run(_token(config, for_, hours))
    print(made)
    print(f"请妥善告知下级机关，{hours} 小时内有效，只显示这一次。")


def list_(config: Config = Path()) -> None:
    """列出准入申请，新的在前。"""
    for view in run(_list(config)):
        _show(view)


def import_(
    file: Annotated[Path, typer.Argument(help="下级机关送来的申请文件，- 为标准输入")],
    config: Config = Path(),
) -> None:
    """登记一份送来的申请文件，等待审批。"""
    _show(run(_import(config, read_text(file))))


def approve(
    office: Office,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="当场办理并写出准入回文，- 为标准输出"),
    ] = None,
    config: Config = Path(),
) -> None:
    """批准一份申请。请先与对方核对密钥指纹。"""
    if output is None:
        run(_approve(config, office))
        print("已批准，由运行中的收发进程办理，对方随后取得回文。")
        return
    if str(output) != "-" and not output.parent.is_dir():
        raise ConfigurationError(f"there is no folder {output.parent}")
    welcome = run(_welcome(config, office))
    if str(output) == "-":
        print(welcome)
        return
    write_private(output, welcome.encode())
    print(f"已批准，准入回文 {output} 请送达下级机关。")


def refuse(
    office: Office,
    reason: Annotated[str, typer.Option(help="不批准的理由，对方会看到")],
    config: Config = Path(),
) -> None:
    """不批准一份申请。"""
    run(_refuse(config, office, reason))
    print("已登记不批准。")


def _show(view: EnrolmentView) -> None:
    print(f"{view.office} {view.name}（{view.level}）{STATES[view.state]}")
    what = "证书和签发证书" if view.hub else "证书"
    print(f"  {moment(view.asked_at)} 自 {view.came_from} 申请{what}，密钥指纹：")
    print(f"  {spell(view.fingerprint)}")
    if view.decided_at is not None:
        reason = f"：{view.reason}" if view.reason else ""
        print(f"  {moment(view.decided_at)} 由 {view.decided_by} 办理{reason}")
    if view.fetched_at is not None:
        print(f"  {moment(view.fetched_at)} 取走回文")
    if view.problem is not None:
        print(f"  未能办理：{view.problem}")


async def _token(config: Path, office: str | None, hours: int) -> Token:
    async with desk(config) as opened:
        secret = os.urandom(SECRET_BYTES)
        return await enrolment.make_token(
            opened, operator(opened), secret=secret, office=office, hours=hours
        )


async def _list(config: Path) -> Sequence[EnrolmentView]:
    async with desk(config) as opened:
        return await enrolment.list_all(opened, operator(opened))


async def _import(config: Path, text: str) -> EnrolmentView:
    async with desk(config) as opened:
        return await enrolment.enter(opened, operator(opened), text)


async def _approve(config: Path, office: str) -> None:
    async with desk(config) as opened:
        await enrolment.approve(opened, operator(opened), office)


async def _welcome(config: Path, office: str) -> str:
    async with desk(config) as opened:
        return await bootstrap.welcome(settings(config), opened, operator(opened), office)


async def _refuse(config: Path, office: str, reason: str) -> None:
    async with desk(config) as opened:
        await enrolment.refuse(opened, operator(opened), office, reason)
