"""`zhitong keys`: what this office's keys and certificates are, encrypting them, renewing them.

Key material is never shown. Renewing is carried out by the running relay.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509

from node.bootstrap import keyring
from node.bootstrap.desk import system_clock
from node.cli.common import Config, desk, moment, operator, run, settings
from node.errors import KeyPassphraseError
from node.keys import file
from node.relay import expiry
from node.workflow import certificates
from protocol.trust import issuing_office

RENEWALS = {
    "wanted": "等待收发进程办理",
    "asked": "已向上级申请，等待答复",
    "arrived": "新证书已到，正在启用",
}
WARNED_DAYS = max(expiry.THRESHOLDS)


def register(application: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="本机关的密钥和证书。", no_args_is_help=True)
    group.command("show")(show)
    group.command("encrypt")(encrypt)
    group.command("decrypt")(decrypt)
    group.command("rotate")(rotate)
    application.add_typer(group, name="keys")


def show(config: Config = Path()) -> None:
    """列出密钥文件、证书指纹和到期时间；不显示密钥本身。"""
    ring, now = keyring.of(settings(config)), system_clock()
    for path in ring.keys:
        state = "已加密" if file.is_encrypted(path) else "未加密"
        print(f"密钥 {path}：{state}")
    for name, path in (
        ("证书", ring.node_chain),
        ("签发证书", ring.issuing_chain),
        ("根证书", ring.root),
    ):
        if path.exists():
            _print_chain(name, path, now)
    renewal = run(_renewal(config))
    if renewal is not None:
        state, since = renewal
        print(f"换发：{RENEWALS[state]}（{moment(since)} 提出）")


def encrypt(config: Config = Path()) -> None:
    """用配置的口令加密全部密钥文件。运行中的节点须能取得同一口令。"""
    ring = keyring.of(settings(config))
    if ring.passphrase is None:
        raise KeyPassphraseError("no passphrase is configured: set passphrase_file in [keys]")
    for path in ring.keys:
        if file.is_encrypted(path):
            file.read_private_key(path, ring.passphrase)
            print(f"{path} 已是加密的。")
        else:
            file.rewrite_private_key(path, None, ring.passphrase)
            print(f"{path} 已加密。")


def decrypt(
    sure: Annotated[bool, typer.Option("--yes", help="确认密钥将以明文保存")] = False,
    config: Config = Path(),
) -> None:
    """解除全部密钥文件的加密，例如更换口令之前。"""
    ring = keyring.of(settings(config))
    if not sure:
        raise KeyPassphraseError("the keys would lie in the clear: say --yes")
    for path in ring.keys:
        if file.is_encrypted(path):
            file.rewrite_private_key(path, ring.passphrase, None)
            print(f"{path} 已解除加密。")


def rotate(config: Config = Path()) -> None:
    """换发本机关的证书和密钥：由运行中的收发进程向上级申请，批复后自动启用，无需停机。"""
    run(_rotate(config))
    print("已登记，由运行中的收发进程办理。进展：zhitong keys show")


def _print_chain(name: str, path: Path, now: datetime) -> None:
    chain = file.read_certificates(path)
    first = expiry.ends_first(chain)
    days = expiry.days_left(first, now)
    print(f"{name} {path}\n  密钥指纹：{_fingerprint(chain[0])}")
    print(f"  有效期至：{moment(chain[0].not_valid_after_utc)}")
    if first != chain[0]:
        print(f"  证书链有效期至：{moment(first.not_valid_after_utc)}（上级须先换发）")
    if days < 0:
        print("  已经到期：消息不会被对方接受。")
    elif days < WARNED_DAYS:
        print(f"  还有 {days} 天到期：请运行 zhitong keys rotate。")


def _fingerprint(certificate: x509.Certificate) -> str:
    return issuing_office(certificate).key


async def _renewal(config: Path) -> tuple[str, datetime] | None:
    async with desk(config) as opened, opened.database.reading() as session:
        renewal = await certificates.open_renewal(session)
        return None if renewal is None else (renewal.state, renewal.wanted_at)


async def _rotate(config: Path) -> None:
    async with desk(config) as opened:
        await certificates.renew(opened, operator(opened))
