"""`zhitong audit`: the log, whether its chain holds, and what neighbours are known to have sealed.

As with `zhitong link`, no account is asked for. `verify` exits with 1 when anything is wrong.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from node.cli.common import OFFICE_TIME, Config, desk, moment, operator, run
from node.errors import InputError
from node.relay import verification, witnesses
from node.relay.verification import Flaw, Verified
from node.relay.witnesses import Compared, Known
from node.storage import dump
from node.workflow import access, audit, testimony
from node.workflow.audit import Entry
from node.workflow.desk import Desk
from node.workflow.testimony import Said
from protocol.messages.links import AuditHead

LOOK_AGAIN = 0.5
READ_OUT = re.compile(r"(\d{1,15}):([0-9a-f]{16,64})(?:@(\d{1,15}))?", re.ASCII)
FLAWS = {
    "gap": "第 {seal} 节之前缺少一节或几节。",
    "removed": "第 {seal} 节应有 {rows} 条记录，现有 {found} 条：有记录被删除。",
    "added": "第 {seal} 节应有 {rows} 条记录，现有 {found} 条：有记录被添加。",
    "changed": "第 {seal} 节与封存时不符：其中的记录或封存值被改动。",
    "stray": "有记录注明属于第 {seal} 节，但没有这一节：封存值被删除。",
    "overdue": "有记录超过一小时仍未封存：请检查收发进程是否在运行。",
}

At = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])]


def register(application: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="审计记录。", no_args_is_help=True)
    group.command("list")(list_)
    group.command("verify")(verify)
    group.command("heads")(heads)
    application.add_typer(group, name="audit")


def list_(
    subject: Annotated[str | None, typer.Option(help="对象：信息编号、机关、用户名")] = None,
    actor: Annotated[str | None, typer.Option(help="谁：用户名、机关，或 system")] = None,
    since: At = None,
    until: At = None,
    before: Annotated[int | None, typer.Option(min=1, help="只列这个序号之前的")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="最多列几条")] = audit.PAGE,
    config: Config = Path(),
) -> None:
    """列出审计记录，最新的在前：何时、何人、从何处、对何对象、做了什么。"""
    found = run(_list(config, subject, actor, _local(since), _local(until), before, limit))
    table = Table("序号", "时间", "何人", "从何处", "做了什么", "对象", "详情", "节", box=None)
    for row in found:
        table.add_row(
            str(row.id),
            moment(row.at),
            row.actor,
            row.came_from or "—",
            row.action,
            row.subject or "—",
            json.dumps(row.detail, ensure_ascii=False) if row.detail else "",
            "—" if row.seal is None else str(row.seal),
        )
    Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 240).print(table)


def verify(
    ask: Annotated[bool, typer.Option("--ask", help="先询问各邻居机关，等待答复后核对")] = False,
    wait: Annotated[int, typer.Option(min=0, help="等待答复多少秒")] = 60,
    head: Annotated[
        list[str] | None,
        typer.Option(help="邻居机关电话里念出的“节号:封存值”（封存值至少念 16 位），可多次给出"),
    ] = None,
    config: Config = Path(),
) -> None:
    """核对全部审计记录：有无改动、删除、添加，并与邻居机关留存的封存值比对。"""
    told = [_told(text) for text in head or ()]
    chain, compared, said = run(_verify(config, told, wait if ask else None))
    print(f"已核对 {chain.seals} 节、{chain.rows} 条记录，至第 {chain.number} 节 {chain.hash}")
    for epoch in chain.epochs:
        print(
            f"第 {epoch.seal} 节起是从备份恢复之后的记录，恢复前至第 {epoch.after} 节：属正常情况。"
        )
    wrong = chain.flaw is not None
    if chain.flaw is not None:
        print(f"有问题：{_sentence(chain.flaw)}")
    for name, verdicts in compared.items():
        wrong |= _print_compared(name, verdicts)
    for one in said:
        wrong |= _print_unproven(one)
    if not compared:
        print("未与任何邻居机关比对：如果最新的记录被整节删除，仅凭本机发现不了。请加 --ask。")
    if wrong:
        sys.exit(1)
    print("审计记录完好。")


def heads(
    proof: Annotated[
        str | None, typer.Option(help="机关节点名：输出它签名的回执原文，作为凭证")
    ] = None,
    config: Config = Path(),
) -> None:
    """列出本机关留存的各邻居机关最新封存值，供其核对时在电话里念出。"""
    found = run(_heads(config))
    if proof is not None:
        for one in found:
            if one.peer == proof and one.token is not None:
                print(one.token.decode())
                return
        raise InputError(f"there is no receipt of {proof} that names a seal")
    for one in found:
        since_restore = f"@{one.incarnation}" if one.incarnation > 1 else ""
        print(f"{one.peer}\t{moment(one.seen_at)}\t{one.seal}:{one.hash}{since_restore}")


async def _list(
    config: Path,
    subject: str | None,
    actor: str | None,
    since: datetime | None,
    until: datetime | None,
    before: int | None,
    limit: int,
) -> Sequence[Entry]:
    async with desk(config) as opened:
        return await audit.entries(
            opened,
            operator(opened, access.AUDITOR),
            subject=subject,
            actor=actor,
            since=since,
            until=until,
            before=before,
            limit=limit,
        )


async def _heads(config: Path) -> Sequence[Known]:
    async with desk(config) as opened, opened.database.reading() as session:
        return await witnesses.newest(session)


async def _verify(
    config: Path, told: Sequence[AuditHead], wait: int | None
) -> tuple[Verified, dict[str, list[Compared]], Sequence[Said]]:
    async with desk(config) as opened:
        asked = None
        if wait is not None:
            asked = await testimony.ask(opened, operator(opened, access.AUDITOR))
            await _answered(opened, asked, wait)
        with Console(stderr=True).status("…") as status:
            async with dump.snapshot(opened.database) as session:
                chain = await verification.verify(
                    session, lambda seals, rows: status.update(f"{seals} 节，{rows} 条")
                )
                if chain.flaw is None:
                    chain.flaw = await verification.overdue(session, opened.clock())
                said = await testimony.read(session, opened)
                if asked is not None:
                    # Answers that were there before might be old ones that somebody put back.
                    said = [one for one in said if one.question in asked]
                seen = {
                    f"{one.peer} {moment(one.answered_at)} 的答复": one.heads
                    for one in said
                    if one.answered_at is not None and one.code is None
                }
                if told:
                    seen["电话里念出的封存值"] = tuple(told)
                compared = {
                    name: await witnesses.compare(session, seals) for name, seals in seen.items()
                }
        return chain, compared, said


async def _answered(opened: Desk, asked: Sequence[UUID], seconds: int) -> None:
    print(f"已询问 {len(asked)} 个邻居机关，等待答复（由运行中的收发进程收发）……", file=sys.stderr)
    for _ in range(int(seconds / LOOK_AGAIN)):
        async with opened.database.reading() as session:
            said = await testimony.read(session, opened)
        if all(one.answered_at for one in said if one.question in asked):
            return
        await asyncio.sleep(LOOK_AGAIN)


def _sentence(flaw: Flaw) -> str:
    return FLAWS[flaw.kind].format(seal=flaw.seal, rows=flaw.rows, found=flaw.found)


def _print_compared(name: str, compared: Sequence[Compared]) -> bool:
    """Print how our chain stands to what one neighbour has seen; whether something is wrong."""
    of = {
        verdict: sorted(one.head.seal for one in compared if one.verdict == verdict)
        for verdict in ("fits", "lost", "cut", "differs")
    }
    if not compared:
        print(f"{name}：对方还没有收到过本机关的封存值。")
    if of["fits"]:
        print(f"{name}：{len(of['fits'])} 节一致，最新是第 {of['fits'][-1]} 节。")
    if of["lost"]:
        print(f"{name}：对方见过第 {_list_of(of['lost'])} 节，已随从备份恢复前的磁盘丢失。")
    if of["cut"]:
        print(f"有问题：{name}：对方见过第 {_list_of(of['cut'])} 节，本机没有：最新的记录被删除。")
    if of["differs"]:
        print(
            f"有问题：{name}：第 {_list_of(of['differs'])} 节与对方见过的不同：曾被改写或重新封存。"
        )
    return bool(of["cut"] or of["differs"])


def _list_of(seals: Sequence[int]) -> str:
    return str(seals[0]) if len(seals) == 1 else f"{seals[0]} 至 {seals[-1]}"


def _print_unproven(said: Said) -> bool:
    if said.code is not None:
        print(f"有问题：{said.peer} 的答复不能验证（{said.code}）：请重新询问。")
        return True
    if said.answered_at is None:
        print(f"{said.peer}：{moment(said.asked_at)} 询问，尚未答复。")
    return False


def _told(text: str) -> AuditHead:
    if (found := READ_OUT.fullmatch(text)) is None:
        raise InputError(f"{text} is not as `zhitong audit heads` prints it: SEAL:HASH")
    seal, beginning, incarnation = found.groups()
    return AuditHead.model_construct(
        seal=int(seal), hash=beginning, incarnation=int(incarnation or 1)
    )


def _local(at: datetime | None) -> datetime | None:
    return None if at is None else at.replace(tzinfo=OFFICE_TIME)
