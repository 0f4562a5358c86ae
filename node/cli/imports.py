"""`zhitong people`, `zhitong units`, `zhitong items`: spreadsheets, lists, contact data."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from node.cli.common import Config, desk, operator, run, settings
from node.errors import InputError
from node.people_errors import MistakesError
from node.storage.people import Unit
from node.workflow import access, departures, imports, people, phrases, templates, units
from node.workflow.imports import Kind, Outcome
from node.workflow.items_import import ITEMS
from node.workflow.people_import import PEOPLE
from node.workflow.spreadsheets import MOST_BYTES
from node.workflow.units_import import UNITS

FILE = Annotated[Path, typer.Argument(help="表格文件，.xlsx 或 .csv")]
DRY_RUN = Annotated[bool, typer.Option("--dry-run", help="只检查，不导入")]
TARGET = Annotated[Path, typer.Argument(help="写到这个 .xlsx 文件")]


def register(application: typer.Typer) -> None:
    """Add the commands."""
    persons = typer.Typer(help="人员。", no_args_is_help=True)
    persons.command("import")(import_people)
    persons.command("template")(people_template)
    persons.command("erase")(erase)
    application.add_typer(persons, name="people")
    group = typer.Typer(help="单位。", no_args_is_help=True)
    group.command("list")(list_units)
    group.command("import")(import_units)
    group.command("template")(units_template)
    application.add_typer(group, name="units")
    items = typer.Typer(help="代为登记的信息。", no_args_is_help=True)
    items.command("import")(import_items)
    items.command("template")(items_template)
    application.add_typer(items, name="items")


def import_people(file: FILE, dry_run: DRY_RUN = False, config: Config = Path()) -> None:
    """从表格导入人员：有一处错误就一个也不导入。导入的人没有密码，由管理员另设。"""
    _import(PEOPLE, file, dry_run, config)


def import_units(file: FILE, dry_run: DRY_RUN = False, config: Config = Path()) -> None:
    """从表格导入单位：有一处错误就一个也不导入。"""
    _import(UNITS, file, dry_run, config)


def import_items(
    file: FILE,
    editor: Annotated[str, typer.Option("--as", help="由哪个编辑账号登记")],
    dry_run: DRY_RUN = False,
    config: Config = Path(),
) -> None:
    """从表格登记来信来电等信息：有一处错误就一件也不登记。"""
    _import(ITEMS, file, dry_run, config, editor)


def items_template(target: TARGET) -> None:
    """写一个信息导入模板，附填写说明。"""
    _write(target, templates.make(ITEMS, "信息"))


def people_template(target: TARGET) -> None:
    """写一个人员导入模板，附填写说明。"""
    _write(target, templates.make(PEOPLE, "人员"))


def units_template(target: TARGET) -> None:
    """写一个单位导入模板，附填写说明。"""
    _write(target, templates.make(UNITS, "单位"))


def list_units(config: Config = Path()) -> None:
    """列出所有单位。"""
    found = run(_units(config))
    codes = {unit.id: unit.code for unit in found}
    for unit in found:
        above = f"（属 {codes[unit.parent_id]}）" if unit.parent_id else ""
        closed = f"，{unit.closed_on} 起停用" if unit.closed_on else ""
        print(f"{unit.code}  {unit.name}  {phrases.UNIT_KINDS[unit.kind]}{above}{closed}")
    if not found:
        print("还没有登记单位。")


def erase(config: Config = Path()) -> None:
    """清除离开已满年限的人员的联系方式；姓名和署名保留。运行中的节点每天自己做。"""
    years = settings(config).people.keep_contact_years
    run(_erase(config, years))
    print(f"离开已满 {years} 年的人员，联系方式已经清除。")


def _import(
    kind: Kind, file: Path, dry_run: bool, config: Path, username: str | None = None
) -> None:
    data = _read(file)
    try:
        outcome = run(_carry_out(config, kind, file.name, data, dry_run, username))
    except MistakesError as error:
        for where, message in error.found:
            print(f"{where}：{message}", file=sys.stderr)
        raise
    for mistake in outcome.mistakes:
        print(f"{mistake.where}：{mistake.message}")
    would = "已导入" if outcome.done else "检查完毕，没有导入"
    print(
        f"{would}：共 {outcome.rows} 行，新增 {outcome.added}，更改 {outcome.changed}，"
        f"不变 {outcome.unchanged}。"
    )
    if outcome.mistakes:
        sys.exit(1)


async def _carry_out(
    config: Path, kind: Kind, name: str, data: bytes, dry_run: bool, username: str | None
) -> Outcome:
    async with desk(config) as opened:
        actor = operator(opened, access.SECURITY_ADMINISTRATOR)
        if username is not None:
            async with opened.database.reading() as session:
                actor = people.actor_of(await people.by_username(session, username))
        return await imports.carry_out(opened, actor, kind, name, data, dry_run=dry_run)


async def _units(config: Path) -> list[Unit]:
    async with desk(config) as opened:
        actor = operator(opened, access.SECURITY_ADMINISTRATOR)
        return list(await units.list_units(opened, actor))


async def _erase(config: Path, years: int) -> None:
    async with desk(config) as opened:
        while await departures.erase_due(opened, years):
            pass


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            # One byte more than is allowed says that it is too much.
            return stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror}") from error


def _write(target: Path, data: bytes) -> None:
    try:
        target.write_bytes(data)
    except OSError as error:
        raise InputError(f"cannot write {target}: {error.strerror}") from error
    print(f"已写入 {target}。")
