"""`zhitong init` and `zhitong enrol`: setting up an office, and its place below another one."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509
from pydantic import ValidationError

from node.bootstrap import enrolment, joining
from node.bootstrap.desk import system_clock
from node.cli.common import Config, read_text, run, write_private
from node.config import OfficeSettings
from node.errors import ConfigurationError, InputError
from protocol.enrolment import Request, Welcome, examine, read_token, root_of, spell
from protocol.identifiers import Digest
from protocol.messages.event import brief

SECONDS_BETWEEN_LOOKS = 2.0
DIGITS = 64


def register(application: typer.Typer) -> None:
    """Add the commands."""
    application.command("init")(init)
    application.command("enrol")(enrol)


def init(
    folder: Annotated[Path, typer.Argument(help="数据文件夹（新建）")],
    id: Annotated[str | None, typer.Option(help="节点名，如 donghu，定下后不再更改")] = None,
    name: Annotated[str | None, typer.Option(help="机关名称，如 东湖县政协")] = None,
    level: Annotated[str | None, typer.Option(help="层级：county、city、province、nation")] = None,
    region_code: Annotated[str | None, typer.Option(help="行政区划代码，6 位")] = None,
    top: Annotated[bool, typer.Option("--top", help="最高一级：自建根证书")] = False,
    hub: Annotated[bool, typer.Option("--hub", help="有下级机关：同时申请签发证书")] = False,
    broker: Annotated[str | None, typer.Option(help="本机关 RabbitMQ 地址（有下级时）")] = None,
    management: Annotated[str | None, typer.Option(help="RabbitMQ 管理接口地址")] = None,
    address: Annotated[
        str | None, typer.Option(help="下级拨入的 RabbitMQ 地址（不含账号），默认同 --broker")
    ] = None,
    database: Annotated[str | None, typer.Option(help="数据库地址，默认 SQLite")] = None,
    passphrase_file: Annotated[
        Path | None, typer.Option(help="密钥口令文件（仅本人可读），密钥将加密保存")
    ] = None,
) -> None:
    """新建一个机关的数据文件夹、配置和密钥；不是最高一级的，再用 zhitong enrol 办理准入。"""
    if not (id and name and level):
        raise ConfigurationError("--id, --name and --level are needed for a new office")
    try:
        office = OfficeSettings.model_validate(
            {"id": id, "name": name, "level": level, "region_code": region_code}
        )
    except ValidationError as error:
        raise ConfigurationError(brief(error)) from error
    content: dict[str, dict[str, object]] = {"web": {"port": 8080, "secure_cookies": True}}
    if database is not None:
        content["database"] = {"url": database}
    if broker is not None:
        given = {"broker": broker, "management": management, "address": address}
        content["hub"] = {key: value for key, value in given.items() if value is not None}
    if passphrase_file is not None:
        content["keys"] = {"passphrase_file": str(passphrase_file.absolute())}
    with _writing(folder):
        enrolment.prepare(folder, office, content, hub=not top and (hub or broker is not None))
        if top:
            enrolment.make_root(folder, office, system_clock())
            print(f"已建立根证书。可以启动：zhitong serve {folder}")
            return
    print(f"已新建 {folder}。请向上级机关索取准入码，再运行 zhitong enrol 网址 --token 准入码。")


def enrol(
    url: Annotated[str | None, typer.Argument(help="上级机关的网址，如 https://…")] = None,
    token: Annotated[str | None, typer.Option(help="上级机关告知的准入码")] = None,
    ca: Annotated[
        Path | None, typer.Option(help="上级网站证书的签发者（PEM），默认用系统的")
    ] = None,
    request: Annotated[
        Path | None, typer.Option(help="不能联网：写出申请文件，- 为标准输出")
    ] = None,
    welcome: Annotated[
        Path | None, typer.Option(help="不能联网：装入上级发回的准入回文，- 为标准输入")
    ] = None,
    root: Annotated[
        str | None, typer.Option(help="上级告知的根证书指纹，与 --welcome 同用")
    ] = None,
    config: Config = Path(),
) -> None:
    """向上级机关办理准入：联网用准入码一次办完；不能联网，写出申请文件，再装入回文。"""
    folder = config if config.is_dir() else config.parent
    if [url, request, welcome].count(None) != 2 or (url is None) != (token is None):
        raise InputError("give an address with --token, or --request, or --welcome")
    if request is not None:
        asked = enrolment.request_of(folder)
        show_request(asked, to_error=str(request) == "-")
        text = asked.model_dump_json(indent=2)
        if str(request) == "-":
            print(text)
        else:
            write_private(request, text.encode())
        return
    if welcome is not None:
        with _writing(folder):
            _tell(
                folder, enrolment.accept(folder, read_text(welcome).strip(), root=digest_of(root))
            )
        return
    assert url is not None
    assert token is not None
    handed = read_token(token)
    asked = enrolment.request_of(folder)
    show_request(asked)
    print("等待上级机关批准。可以中断，以后再运行同一条命令。", flush=True)
    text = run(joining.join(url, handed, asked, authorities=ca, pause=_pause))
    with _writing(folder):
        _tell(folder, enrolment.accept(folder, text, root=handed.root))


def show_request(asked: Request, *, to_error: bool = False) -> None:
    place = sys.stderr if to_error else sys.stdout
    print("申请的密钥指纹，请通过电话与上级机关核对：", file=place)
    print(f"  {spell(examine(asked).fingerprint)}", file=place, flush=True)


def _tell(folder: Path, welcome: Welcome) -> None:
    root = x509.load_pem_x509_certificate(welcome.root.encode())
    print(f"已准入，上级机关是{welcome.parent.name}（{welcome.parent.id}）。根证书指纹：")
    print(f"  {spell(root_of(root))}")
    print(f"可以启动：zhitong serve {folder}")


def digest_of(text: str | None) -> Digest | None:
    """A fingerprint as somebody typed it. Raises `InputError`."""
    if text is None:
        return None
    plain = "".join(text.replace(":", "").split()).lower()
    if len(plain) != DIGITS or set(plain) - set("0123456789abcdef"):
        raise InputError("a fingerprint has 64 hexadecimal digits")
    return Digest(plain)


async def _pause() -> None:
    await asyncio.sleep(SECONDS_BETWEEN_LOOKS)


@contextmanager
def _writing(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigurationError(f"cannot write {place}: {error.strerror}") from error
