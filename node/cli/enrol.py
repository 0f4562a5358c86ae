"""`zhitong init` and `zhitong certify`: setting up an office and its place below another."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from yarl import URL

from node.bootstrap import enrolment
from node.bootstrap.desk import system_clock
from node.cli.common import Config, run, settings
from node.config import OfficeSettings
from node.errors import ConfigurationError
from node.storage.database import Database
from protocol.messages.event import brief


def register(application: typer.Typer) -> None:
    """Add the commands."""
    application.command("init")(init)
    application.command("certify")(certify)


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
    database: Annotated[str | None, typer.Option(help="数据库地址，默认 SQLite")] = None,
    passphrase_file: Annotated[
        Path | None, typer.Option(help="密钥口令文件（仅本人可读），密钥将加密保存")
    ] = None,
    welcome: Annotated[Path | None, typer.Option(help="装入上级发回的准入文件")] = None,
) -> None:
    """新建一个机关的数据文件夹、配置和密钥；再次运行并加 --welcome 装入上级发回的准入文件。"""
    if welcome is not None:
        with _writing(folder):
            enrolment.accept(folder, enrolment.read_welcome(_read(welcome)))
        print(f"已装入准入文件。可以启动：zhitong serve {folder}")
        return
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
        content["hub"] = {"broker": broker}
        if management is not None:
            content["hub"]["management"] = management
    if passphrase_file is not None:
        content["keys"] = {"passphrase_file": str(passphrase_file.absolute())}
    with _writing(folder):
        enrolment.prepare(folder, office, content)
        if top:
            enrolment.make_root(folder, office, system_clock())
            print(f"已建立根证书。可以启动：zhitong serve {folder}")
            return
        request = enrolment.make_request(folder, office, hub=hub or broker is not None)
        file = folder / "request.json"
        file.write_text(request.model_dump_json(indent=2), "utf-8")
    print(f"已生成申请文件 {file}。请送上级机关运行 zhitong certify，再用 --welcome 装入回文。")


def certify(
    request: Annotated[Path, typer.Argument(help="下级机关的申请文件 request.json")],
    output: Annotated[Path, typer.Option("--output", "-o", help="写入准入文件，- 为标准输出")],
    config: Config = Path(),
    broker: Annotated[
        str | None, typer.Option(help="下级拨入的 RabbitMQ 地址（含其账号）", show_default=False)
    ] = None,
) -> None:
    """为下级机关签发证书并登记，写出准入文件。"""
    asked = enrolment.read_request(_read(request))
    if str(output) != "-" and not output.parent.is_dir():
        raise ConfigurationError(f"there is no folder {output.parent}")
    run(_certify(config, asked, output, broker))
    if str(output) != "-":
        print(f"已为{asked.office.name}签发证书，准入文件 {output} 请妥善送达（内含账号）。")


async def _certify(
    config: Path, asked: enrolment.Request, output: Path, broker: str | None
) -> None:
    own = settings(config)
    address = broker or (_without_account(own.hub.broker) if own.hub else None)
    database = Database(own.database_url)
    try:
        welcome = await enrolment.certify(own, database, asked, broker=address, now=system_clock())
    finally:
        await database.close()
    text = welcome.model_dump_json(indent=2)
    if str(output) == "-":
        print(text)
        return
    with _writing(output):
        # The file may name a broker account: for its owner alone.
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)


@contextmanager
def _writing(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigurationError(f"cannot write {place}: {error.strerror}") from error


def _without_account(address: str) -> str:
    # The hub's own account may do everything on its broker: it is not for a child.
    return str(URL(address).with_user(None))


def _read(path: Path) -> str:
    if str(path) == "-":
        return sys.stdin.read()
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"cannot read {path}: {error}") from error
