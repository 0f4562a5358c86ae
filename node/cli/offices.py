"""`zhitong office`: how the offices below stand; suspend, resume, revoke.

As with `zhitong link`, no account is asked for. The link is barred at once; the running relay signs
the revocation list and tells the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from node.cli.common import (
    Config,
    desk,
    moment,
    operator,
    read_text,
    run,
    settings,
    time_of,
    write_private,
)
from node.cli.enrol import digest_of, show_request
from node.errors import InputError
from node.workflow import phrases, revocation_lists, standing
from node.workflow.revocation_lists import ListView
from node.workflow.standing import StandingView
from protocol.identifiers import Digest
from protocol.offices import OfficeReference

KINDS = {"node": "节点证书", "issuing": "签发证书"}

Office = Annotated[str, typer.Argument(help="下级机关的节点名，如 donghu")]
Reason = Annotated[str, typer.Option(help="理由，一行，会随名单告知各机关")]
Since = Annotated[
    str | None,
    typer.Option(help="密钥从何时起可能已失窃，如 2026-11-26T08:00；此前的消息仍有效"),
]


def register(application: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="下级机关证书的暂停、恢复和吊销；本机关划转。", no_args_is_help=True)
    group.command("show")(show)
    group.command("suspend")(suspend)
    group.command("resume")(resume)
    group.command("revoke")(revoke)
    group.command("lists")(lists)
    group.command("move")(move)
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


def move(
    request: Annotated[
        Path | None, typer.Option(help="写出申请文件，送新的上级机关审批，- 为标准输出")
    ] = None,
    welcome: Annotated[
        Path | None, typer.Option(help="装入新的上级发回的准入回文，- 为标准输入")
    ] = None,
    root: Annotated[str | None, typer.Option(help="根证书不同时：新的上级告知的根证书指纹")] = None,
    config: Config = Path(),
) -> None:
    """把本机关划归另一个上级，或在最高一级之上新设上级；与原上级的线路继续办完旧事。"""
    from node.bootstrap import moving

    if (request is None) == (welcome is None):
        raise InputError("give --request or --welcome")
    if request is not None:
        asked = moving.request_of(settings(config))
        show_request(asked, to_error=str(request) == "-")
        text = asked.model_dump_json(indent=2, exclude_none=True)
        if str(request) == "-":
            print(text)
        else:
            write_private(request, text.encode())
        return
    assert welcome is not None
    parent = run(_move(config, read_text(welcome).strip(), digest_of(root)))
    print(f"已划归{parent.name}（{parent.id}）。请立即重新启动：zhitong serve")
    print("此前报给原上级的信息仍由原上级办理；办完后运行 zhitong link end 结束线路。")


async def _move(config: Path, text: str, root: Digest | None) -> OfficeReference:
    from node.bootstrap import moving

    async with desk(config) as opened:
        actor = operator(opened)
    return (await moving.move(settings(config), actor, text, root=root)).parent


async def _show(config: Path, office: str) -> StandingView:
    async with desk(config) as opened:
        return await standing.show(opened, operator(opened), office)


async def _bar(
    config: Path, office: str, reason: str, since: str | None, *, for_good: bool
) -> None:
    compromised_since = None if since is None else time_of(since)
    deed = standing.revoke if for_good else standing.suspend
    async with desk(config) as opened:
        await deed(opened, operator(opened), office, reason, compromised_since)


async def _resume(config: Path, office: str) -> None:
    async with desk(config) as opened:
        await standing.resume(opened, operator(opened), office)


async def _lists(config: Path) -> Sequence[ListView]:
    async with desk(config) as opened:
        return await revocation_lists.views(opened, operator(opened))
