"""`zhitong evidence`: an item's evidence as a file, and what such a file proves.

Exporting reads the node's key, as the relay does. Verifying needs the file and the root
certificate, and no office: it prints the path of every signer, and whom to believe is for its
reader to say.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from node.cli.common import Config, item_id, reader, run, settings, write_private
from node.cli.verdict import print_verdict
from node.errors import ConfigurationError, InputError
from node.keys import file as keys
from protocol import bundle
from protocol.bundle import Bundle
from protocol.errors import BundleError
from protocol.trust import Chains


def register(application: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="凭证：一件信息的全部签名消息，任何人都能核验。", no_args_is_help=True)
    group.command("export")(export)
    group.command("verify")(verify)
    application.add_typer(group, name="evidence")


def export(
    item: Annotated[str, typer.Argument(help="信息的编号（UUID），在提交它的机关")],
    file: Annotated[Path, typer.Argument(help="写入的文件，如 evidence.json")],
    config: Config = Path(),
) -> None:
    """把一件信息的报送、回执和各级办理记录连同签名写入一个文件。"""
    exported = run(_export(config, item_id(item)))
    write_private(file, bundle.write(exported))
    print(
        f"已写入 {file}：本机关签名 {len(exported.sent)} 份，上级签名 {len(exported.received)} 份。"
    )
    print("文件含信息全文。核验：zhitong evidence verify 文件 --root 根证书")


def verify(
    file: Annotated[Path, typer.Argument(help="zhitong evidence export 写出的文件")],
    root: Annotated[
        list[Path], typer.Option(help="根证书（PEM），从可靠的途径取得；换过根证书的，逐个写明")
    ],
) -> None:
    """逐条说明凭证证明了什么、没有证明什么；有任何差错时退出码为 1。"""
    content = _read(file)
    chains = _chains(root)
    try:
        verdict = bundle.verify(bundle.read(content), chains)
    except BundleError as error:
        print(f"✗ 规则 1：这不是可以核验的凭证（{error.detail}）")
        sys.exit(1)
    print_verdict(verdict)
    if verdict.flaws:
        sys.exit(1)


async def _export(config: Path, item: UUID) -> Bundle:
    # Who verifies has no node, and need not wait for one to load.
    from node.bootstrap import evidence
    from node.bootstrap import node as bootstrap

    node = bootstrap.build(settings(config))
    try:
        return await evidence.export(node, reader(node.desk), item)
    finally:
        await node.desk.database.close()


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as source:
            # One byte more than allowed is enough to be refused.
            return source.read(bundle.MAXIMUM_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror}") from error


def _chains(files: Sequence[Path]) -> Chains:
    roots = []
    for file in files:
        found = keys.read_certificates(file)
        if not found:
            raise ConfigurationError(f"{file} holds no certificate")
        roots += found
    return Chains(roots)
