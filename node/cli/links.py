"""`zhitong link`: how the links to the neighbours stand; pause, resume, probe.

As with `zhitong quarantine`, no account is asked for, and the running relay carries it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from node.cli import files
from node.cli.common import Config, desk, moment, operator, run, time_of
from node.errors import InputError
from node.workflow import accounts, ceilings, endings, links, phrases, recovery
from node.workflow.links import LinkView, RefusalPage
from protocol.messages.items import LEVELS, ClassificationName

MOST_REFUSALS = 50

Peer = Annotated[str, typer.Argument(help="对方机关的节点名，如 yunzhou")]


def register(application: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="与上级和下级机关的收发。", no_args_is_help=True)
    group.command("list")(list_)
    group.command("show")(show)
    group.command("pause")(pause)
    group.command("resume")(resume)
    group.command("probe")(probe)
    group.command("limit")(limit)
    group.command("end")(end)
    group.command("reconcile")(reconcile)
    group.command("waive")(waive)
    files.register(group)
    application.add_typer(group, name="link")


def list_(config: Config = Path()) -> None:
    """列出所有机关的收发情况。"""
    _print(run(_list(config)))


def show(peer: Peer, config: Config = Path()) -> None:
    """显示与一个机关的收发情况，以及被对方拒收的消息。"""
    view, refused = run(_show(config, peer))
    _print_one(view)
    _print_refused(refused)


def pause(
    peer: Peer,
    reason: Annotated[str, typer.Option(help="暂停的理由")],
    config: Config = Path(),
) -> None:
    """暂停向对方发送业务消息；回执和吊销名单照发，来件照收。"""
    if not reason.strip():
        raise InputError("a pause needs a reason")
    run(_pause(config, peer, reason.strip()))
    print(f"已暂停向 {peer} 发送。恢复：zhitong link resume {peer}")


def resume(peer: Peer, config: Config = Path()) -> None:
    """恢复发送。"""
    run(_resume(config, peer))
    print(f"已恢复向 {peer} 发送。")


def probe(peer: Peer, config: Config = Path()) -> None:
    """不等下一次重试，现在就试一次。"""
    run(_probe(config, peer))
    print(f"已登记，由运行中的收发进程立即向 {peer} 重试。")


def limit(
    peer: Peer,
    level: Annotated[str, typer.Argument(help="internal（内部）或 public（公开）")],
    config: Config = Path(),
) -> None:
    """设定这条线路只传公开的信息，还是也传内部的。"""
    if level not in LEVELS:
        raise InputError(f"a level is {' or '.join(LEVELS)}, not {level!r}")
    run(_limit(config, peer, level))
    print(f"与 {peer} 的线路可传范围：{phrases.CLASSIFICATIONS[level]}")


def end(
    peer: Peer,
    on: Annotated[str | None, typer.Option(help="到哪一天结束，如 2026-12-31；不写为现在")] = None,
    force: Annotated[bool, typer.Option("--force", help="还有未收到回执的消息也结束")] = False,
    config: Config = Path(),
) -> None:
    """划转之后结束与原上级的线路；在原上级一方，结束与已划走的下级的线路。"""
    at = run(_end(config, peer, on, force=force))
    print(f"与 {peer} 的线路到 {moment(at)} 结束，此后不再收发。")


def reconcile(peer: Peer, config: Config = Path()) -> None:
    """与对方对账：比对每天收发的消息，缺的自动补发。"""
    days = run(_reconcile(config, peer))
    print(
        f"已提出对账，共 {days} 天。结果：zhitong link show {peer}"
        if days
        else "没有需要对账的日期。"
    )


def waive(
    peer: Peer,
    reason: Annotated[str, typer.Option(help="不再等待的理由")],
    config: Config = Path(),
) -> None:
    """从备份恢复后，不再等待对方的答复，先行办理业务。"""
    run(_waive(config, peer, reason))
    print(f"不再等待 {peer} 的答复；对方恢复后，其留存的往来信息仍会取回。")


async def _limit(config: Path, peer: str, level: ClassificationName) -> None:
    async with desk(config) as opened:
        await ceilings.limit(opened, operator(opened), peer, level)


async def _end(config: Path, peer: str, on: str | None, *, force: bool) -> datetime:
    at = None if on is None else time_of(on)
    async with desk(config) as opened:
        return await endings.end(opened, operator(opened), peer, on=at, force=force)


async def _reconcile(config: Path, peer: str) -> int:
    async with desk(config) as opened:
        return await accounts.reconcile(opened, operator(opened), peer)


async def _waive(config: Path, peer: str, reason: str) -> None:
    async with desk(config) as opened:
        await recovery.waive(opened, operator(opened), peer, reason)


async def _list(config: Path) -> Sequence[LinkView]:
    async with desk(config) as opened:
        return await links.list_links(opened, operator(opened))


async def _show(config: Path, peer: str) -> tuple[LinkView, RefusalPage]:
    async with desk(config) as opened:
        actor = operator(opened)
        return (
            await links.show(opened, actor, peer),
            await links.refusals(opened, actor, peer, limit=MOST_REFUSALS),
        )


async def _pause(config: Path, peer: str, reason: str) -> None:
    async with desk(config) as opened:
        await links.pause(opened, operator(opened), peer, reason)


async def _resume(config: Path, peer: str) -> None:
    async with desk(config) as opened:
        await links.resume(opened, operator(opened), peer)


async def _probe(config: Path, peer: str) -> None:
    async with desk(config) as opened:
        await links.probe(opened, operator(opened), peer)


def _print(views: Sequence[LinkView]) -> None:
    table = Table("机关", "关系", "情况", "待发", "待回执", "被拒", "已收", "最久", box=None)
    for view in views:
        backlog = view.backlog
        table.add_row(
            f"{view.name}（{view.peer}）",
            phrases.RELATIONS[view.relation],
            _standing(view),
            str(backlog.pending),
            str(backlog.sent),
            str(backlog.refused_temporary + backlog.refused_permanent),
            str(backlog.received),
            moment(backlog.oldest_at),
        )
    Console(highlight=False).print(table)


def _print_one(view: LinkView) -> None:
    backlog = view.backlog
    lines = {
        "机关": f"{view.name}（{view.peer}），{phrases.RELATIONS[view.relation]}",
        "情况": _standing(view),
        "待发": f"{backlog.pending}（另有回执等 {backlog.receipts}）",
        "已发待回执": str(backlog.sent),
        "对方已收": str(backlog.received),
        "经消息服务器确认": str(backlog.confirmed),
        "被拒": f"暂时 {backlog.refused_temporary}，不再重发 {backlog.refused_permanent}",
        "最久一份": moment(backlog.oldest_at),
        "最近来件": moment(view.heard_at),
        "下次重试": moment(view.next_attempt_at),
        "最近导出": moment(view.exported_at),
        "对方证书到期": moment(view.certificate_until),
        "可传范围": phrases.CLASSIFICATIONS[view.highest_level],
        "对账": _agreement(view),
        "对方审计链": f"第 {view.audit.seal} 节，{view.audit.hash}" if view.audit else "—",
    }
    if view.barred is not None:
        barred = view.barred
        standing = phrases.STANDINGS[barred.standing].removeprefix("已")
        lines[f"证书{standing}"] = f"{moment(barred.at)}：{barred.reason}"
    if view.paused is not None:
        lines["暂停"] = f"{view.paused.by}，{moment(view.paused.at)}：{view.paused.reason}"
    for name, value in lines.items():
        print(f"{name}：{value}")


def _print_refused(page: RefusalPage) -> None:
    for row in page.rows:
        again = "不再重发" if row.permanent else f"将于 {moment(row.next_attempt_at)} 重发"
        print(f"\n被拒：{row.id}（{row.name}）{row.code}，{again}\n  {row.advice}")
    if page.total > len(page.rows):
        print(f"\n另有 {page.total - len(page.rows)} 份被拒的消息未列出。")


def _agreement(view: LinkView) -> str:
    found = view.agreement
    text = f"发出至 {found.sent_until or '—'} 一致，收到至 {found.received_until or '—'} 一致"
    return f"{text}，有 {found.differing} 天不一致" if found.differing else text


def _standing(view: LinkView) -> str:
    if view.barred is not None:
        return f"证书{phrases.STANDINGS[view.barred.standing]}"
    if view.ends_at is not None:
        return f"到 {moment(view.ends_at)} 结束"
    if view.paused is not None:
        return "已暂停"
    if view.silent_since is not None:
        return f"{moment(view.silent_since)} 起没有回音"
    return "正常"
