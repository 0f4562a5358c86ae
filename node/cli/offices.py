"""`zhitong office`: how the offices below stand; suspend, resume, revoke.

As with `zhitong link`, no account is asked for. The link is barred at once; the running relay signs
the revocation list and tells the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from node.cli.common import OFFICE_TIME, Config, desk, moment, operator, run
from node.errors import InputError
from node.workflow import phrases, revocation_lists, standing
from node.workflow.revocation_lists import ListView
from node.workflow.standing import StandingView

KINDS = {"node": "节点证书", "issuing": "签发证书"}

Office = Annotated[str, typer.Argument(help="下级机关的节点名，如 donghu")]
Reason = Annotated[str, typer.Option(help="理由，一行，会随名单告知各机关")]
Since = Annotated[
    str | None,
    typer.Option(help="密钥从何时起可能已失窃，如 2026-11-26T08:00；此前的消息仍有效"),
]


def register(application: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="下级机关证书的暂停、恢复和吊销。", no_args_is_help=True)
    group.command("show")(show)
    group.command("suspend")(suspend)
    group.command("resume")(resume)
    group.command("revoke")(revoke)
    group.command("lists")(lists)
    application.add_typer(group, name="office")


def show(office: Office, config: Config = Path()) -> None:
    """显示给一个下级机关签发过的证书，以及是否暂停或吊销。"""
    view = run(_show(config, office))
    print(f"{view.name}（{view.office}）：{phrases.STANDINGS[view.standing]}")
    if view.since is not None:
        print(f"  {moment(view.since)} 起，理由：{view.reason}")
    for one in view.certificates:
        print(
            f"  {KINDS[one.kind]} {one.serial}：{phrases.STANDINGS[one.standing]}，"
            f"{moment(one.issued_at)} 签发，{moment(one.not_after)} 到期"
        )


def suspend(
    office: Office,
    reason: Reason,
    compromised_since: Since = None,
    config: Config = Path(),
) -> None:
    """暂停一个下级机关：不收不发，查明后可以恢复。"""
    run(_bar(config, office, reason, compromised_since, for_good=False))
    print(f"已暂停 {office}，不再收发其消息；运行中的收发进程随即通告各机关。")
    print(f"恢复：zhitong office resume {office}　吊销：zhitong office revoke {office}")


def resume(office: Office, config: Config = Path()) -> None:
    """恢复暂停的下级机关；吊销的不能恢复。"""
    run(_resume(config, office))
    print(f"已恢复 {office}，暂停期间双方积压的消息会自动补发。")


def revoke(
    office: Office,
    reason: Reason,
    compromised_since: Since = None,
    config: Config = Path(),
) -> None:
    """吊销给一个下级机关签发的全部证书，不能恢复；须换新密钥重新办理准入。"""
    run(_bar(config, office, reason, compromised_since, for_good=True))
    print(f"已吊销 {office} 的全部证书，不再收发其消息；运行中的收发进程随即通告各机关。")


def lists(config: Config = Path()) -> None:
    """列出本机关已知的吊销名单。"""
    for view in run(_lists(config)):
        print(
            f"{view.issuer}，第 {view.number} 号，{moment(view.issued_at)} 签发，"
            f"{moment(view.next_update)} 前应有下一份，共 {len(view.revoked)} 份证书"
        )
        for one in view.revoked:
            state = "暂停" if one.hold else "吊销"
            print(f"  {one.node} {one.serial} {moment(one.at)} {state}：{one.reason}")


async def _show(config: Path, office: str) -> StandingView:
    async with desk(config) as opened:
        return await standing.show(opened, operator(opened), office)


async def _bar(
    config: Path, office: str, reason: str, since: str | None, *, for_good: bool
) -> None:
    compromised_since = None if since is None else _time(since)
    deed = standing.revoke if for_good else standing.suspend
    async with desk(config) as opened:
        await deed(opened, operator(opened), office, reason, compromised_since)


async def _resume(config: Path, office: str) -> None:
    async with desk(config) as opened:
        await standing.resume(opened, operator(opened), office)


async def _lists(config: Path) -> Sequence[ListView]:
    async with desk(config) as opened:
        return await revocation_lists.views(opened, operator(opened))


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{text!r} is no time such as 2026-11-26T08:00") from error
    return at if at.tzinfo is not None else at.replace(tzinfo=OFFICE_TIME)
