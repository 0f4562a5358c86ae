"""`zhitong backup` and `zhitong restore`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from node.bootstrap import archive, restoration
from node.bootstrap.desk import system_clock
from node.cli.common import Config, run, settings
from node.errors import PassphraseError
from node.storage.database import Database

Passphrase = Annotated[
    Path,
    typer.Option(
        "--passphrase-file",
        envvar="ZHITONG_PASSPHRASE_FILE",
        help="保存口令的文件（不少于 12 个字符），备份中的密钥和配置用它加密",
    ),
]


def register(application: typer.Typer) -> None:
    """Add the commands."""
    application.command("backup")(backup)
    application.command("restore")(restore)


def backup(
    file: Annotated[Path, typer.Argument(help="备份文件，不得已存在")],
    passphrase: Passphrase,
    config: Config = Path(),
) -> None:
    """备份一个节点：数据库、配置和密钥。节点可以照常运行。"""
    rows = run(_backup(config, file, _read(passphrase)))
    print(f"已备份到 {file}：{sum(rows.values())} 行，信息 {rows['items']} 件")


def restore(
    file: Annotated[Path, typer.Argument(help="备份文件")],
    folder: Annotated[Path, typer.Argument(help="恢复到哪个文件夹，必须为空或不存在")],
    passphrase: Passphrase,
) -> None:
    """从备份恢复一个节点。启动后它先向上下级取回备份之后的往来信息，取齐之前不办理业务。"""
    with archive.Backup(file) as opened:
        run(_restore(opened, folder, _read(passphrase)))
        print(f"已恢复 {opened.office}（备份于 {opened.at:%Y-%m-%d %H:%M} UTC）到 {folder}")
    print("原来的机器不得再启动。请用 zhitong serve 启动，取齐往来信息后即可办理业务。")


async def _backup(config: Path, file: Path, passphrase: str) -> dict[str, int]:
    office = settings(config)
    database = Database(office.database_url)
    try:
        with _Progress() as progress:
            return await archive.write(
                office,
                database,
                file,
                passphrase=passphrase,
                now=system_clock(),
                progress=progress,
            )
    finally:
        await database.close()


async def _restore(opened: archive.Backup, folder: Path, passphrase: str) -> None:
    with _Progress() as progress:
        await restoration.restore(
            opened, folder, passphrase=passphrase, now=system_clock(), progress=progress
        )


class _Progress:
    """One line on standard error that says which table is under way."""

    def __init__(self) -> None:
        self._status = Console(stderr=True).status("…")

    def __enter__(self) -> _Progress:
        self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._status.stop()

    def __call__(self, table: str, rows: int) -> None:
        if rows % 500 == 0:
            self._status.update(f"{table}：{rows} 行")


def _read(passphrase: Path) -> str:
    try:
        return passphrase.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise PassphraseError(f"cannot read the passphrase from {passphrase}") from error
