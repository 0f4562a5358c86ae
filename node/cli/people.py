"""`zhitong user`: accounts, at the machine itself."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from node.cli.common import Config, desk, operator, run
from node.workflow import access, people


def register(application: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="账号。", no_args_is_help=True)
    group.command("add")(add)
    application.add_typer(group, name="user")


def add(
    username: Annotated[str, typer.Argument(help="用户名")],
    name: Annotated[str, typer.Option(help="姓名")],
    role: Annotated[
        list[str],
        typer.Option(
            help="author（撰稿人）、editor（编辑）、reviewer（审核）、signer（签发）、leader（领导）、"
            "handler（承办人），可以重复；或 system_administrator（系统管理员）、"
            "security_administrator（安全管理员）、auditor（审计管理员）之一，不与其他角色兼任"
        ),
    ],
    kind: Annotated[
        str | None, typer.Option(help="撰稿人类别：member、informant、party_group…")
    ] = None,
    unit: Annotated[str | None, typer.Option(help="撰稿人署名的单位")] = None,
    one_time: Annotated[
        bool, typer.Option("--one-time", help="一次性密码，第一次登录后必须修改")
    ] = False,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="从标准输入读取密码，不提问")
    ] = False,
    config: Config = Path(),
) -> None:
    """新建账号。密码在提示后输入，不出现在命令行里。"""
    if password_stdin:
        password = sys.stdin.readline().rstrip("\n")
    else:
        password = typer.prompt("密码", hide_input=True, confirmation_prompt="再输一次")
    content = {"username": username, "name": name, "roles": role, "kind": kind, "unit": unit}
    run(_add(config, people.newcomer(content), password, one_time))
    print(f"已新建账号 {username}（{name}）。")


async def _add(config: Path, given: people.Newcomer, password: str, one_time: bool) -> None:
    async with desk(config) as opened:
        actor = operator(opened, access.SECURITY_ADMINISTRATOR)
        await people.add(opened, actor, given, password, one_time=one_time)
