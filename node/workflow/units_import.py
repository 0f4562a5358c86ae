"""Rows of a spreadsheet that become units. A unit may stand below one that the same file brings."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import select

from node.storage.people import Unit
from node.workflow import audit, phrases, units
from node.workflow.calendar import day_of
from node.workflow.imports import Kind, Work
from node.workflow.spreadsheets import Column, Row
from node.workflow.units import NewUnit

COLUMNS = (
    Column("代码", "code", "最多 40 个字，不能重复，以后不能改", "ZW03", True),
    Column("名称", "name", "必填，一行文字", "提案委员会", True),
    Column("类别", "kind", "、".join(phrases.UNIT_KINDS.values()) + " 之一", "专委会", True),
    Column("上级代码", "parent", "上一级单位的代码，可以在同一个表里；没有就不填", "ZW"),
)
BY_FIELD = {column.field: column for column in COLUMNS}
_KINDS = {word: kind for kind, word in phrases.UNIT_KINDS.items()}


async def compare(work: Work) -> Callable[[], Awaitable[None]]:
    """Find every mistake; returns what writes the rest."""
    here = {unit.code: unit for unit in await work.session.scalars(select(Unit).with_for_update())}
    given: dict[str, tuple[Row, NewUnit]] = {}
    for row in work.rows:
        unit = _given(work, row, here)
        if unit is None:
            continue
        if unit.code in given:
            work.wrong(row, BY_FIELD["code"], f"与第{given[unit.code][0].number}行重复")
            continue
        given[unit.code] = (row, unit)
    parents = _parents(here) | {code: unit.parent for code, (_, unit) in given.items()}
    for code, (row, unit) in given.items():
        if not _has_parent(work, row, unit, here, parents):
            continue
        known = here.get(code)
        if known is None:
            work.added += 1
        elif _differs(known, unit, here):
            work.changed += 1
        else:
            work.unchanged += 1
    return lambda: _write(work, [unit for _, unit in given.values()], here)


def _given(work: Work, row: Row, here: Mapping[str, Unit]) -> NewUnit | None:
    content: dict[str, Any] = {"code": "", "name": "", "kind": ""}
    known = here.get(row.cells.get("code", ""))
    if known is not None:
        above = next((u.code for u in here.values() if u.id == known.parent_id), None)
        content = {"code": known.code, "name": known.name, "kind": known.kind, "parent": above}
        if known.closed_on is not None:
            work.wrong(row, BY_FIELD["code"], "这个单位已停用")
    content |= row.cells
    content["kind"] = _KINDS.get(content["kind"], content["kind"])
    missing = [name for name in ("code", "name", "kind") if not content[name]]
    for name in missing:
        work.wrong(row, BY_FIELD[name], "没有填写")
    if missing:
        return None
    try:
        return NewUnit.model_validate(content)
    except ValidationError as error:
        for one in error.errors(include_url=False, include_input=False):
            column = BY_FIELD[str(one["loc"][0])]
            work.wrong(row, column, f"不符合要求：{column.rule}")
        return None


def _parents(here: Mapping[str, Unit]) -> dict[str, str | None]:
    codes = {unit.id: code for code, unit in here.items()}
    return {code: codes[u.parent_id] if u.parent_id else None for code, u in here.items()}


def _has_parent(
    work: Work,
    row: Row,
    unit: NewUnit,
    here: Mapping[str, Unit],
    parents: Mapping[str, str | None],
) -> bool:
    """Whether the unit can stand where it is to stand; tells what is wrong otherwise."""
    column = BY_FIELD["parent"]
    mistakes = len(work.mistakes)
    if unit.parent is None:
        return True
    if unit.parent not in parents:
        work.wrong(row, column, f"没有代码为“{unit.parent}”的单位")
    elif unit.parent in here and here[unit.parent].closed_on is not None:
        work.wrong(row, column, f"单位“{unit.parent}”已停用")
    else:
        above: str | None = unit.parent
        passed = {unit.code}
        while above is not None and above not in passed:
            passed.add(above)
            above = parents.get(above)
        if above is not None:
            work.wrong(row, column, "单位不能在自己的下面")
    return len(work.mistakes) == mistakes


def _differs(known: Unit, unit: NewUnit, here: Mapping[str, Unit]) -> bool:
    parent = here.get(unit.parent) if unit.parent else None
    same_parent = known.parent_id == parent.id if parent else not (known.parent_id or unit.parent)
    return (known.name, known.kind) != (unit.name, unit.kind) or not same_parent


async def _write(work: Work, given: list[NewUnit], here: dict[str, Unit]) -> None:
    session, now = work.session, work.now
    changed = [
        unit for unit in given if unit.code in here and _differs(here[unit.code], unit, here)
    ]
    ids: dict[str, UUID] = {code: unit.id for code, unit in here.items()}
    new = [unit for unit in given if unit.code not in here]
    ids |= {unit.code: work.desk.new_id() for unit in new}
    for unit in new:
        session.add(
            Unit(
                id=ids[unit.code],
                code=unit.code,
                name=unit.name,
                kind=unit.kind,
                parent_id=ids[unit.parent] if unit.parent else None,
                version=1,
            )
        )
        audit.note(session, now, actor=work.actor, action="unit_added", subject=unit.code)
    for unit in changed:
        row = here[unit.code]
        if row.name != unit.name:
            await units.rename(session, row, unit.name, day_of(now))
        row.name, row.kind, row.version = unit.name, unit.kind, row.version + 1
        row.parent_id = ids[unit.parent] if unit.parent else None
        audit.note(session, now, actor=work.actor, action="unit_changed", subject=unit.code)


UNITS = Kind("units", COLUMNS, compare)
