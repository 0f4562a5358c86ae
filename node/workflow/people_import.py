"""Rows of a spreadsheet that become people.

A row is about the person with its employee number, or else with its user name. Administrators
neither come from a spreadsheet nor are they changed by one. Nobody gets a password: an
administrator sets a one-time one when it is needed.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import or_, select

from node.errors import InputError
from node.storage import bulk
from node.storage.people import Membership, Person, Unit
from node.workflow import access, audit, people, phrases
from node.workflow.calendar import day_of
from node.workflow.imports import Kind, Work
from node.workflow.people import Newcomer
from node.workflow.spreadsheets import Column, Row

COLUMNS = (
    Column("用户名", "username", "登录用，最多 60 个字，不能重复，导入后不能改", "linxy", True),
    Column("姓名", "name", "必填，一行文字", "林晓雨", True),
    Column("工号", "employee_number", "最多 40 个字，不能重复；填了就按工号认人", "D0231"),
    Column(
        "角色",
        "roles",
        "撰稿人、编辑、审核、签发、领导、承办人，可写几个，用顿号隔开",
        "撰稿人",
        True,
    ),
    Column("类别", "kind", "撰稿人必填：" + "、".join(phrases.AUTHOR_KINDS.values()), "信息员"),
    Column("单位", "unit_code", "已登记单位的代码，或唯一的名称", "团结街道联络组"),
    Column("署名单位", "unit", "信息上署的单位；不填就用“单位”的名称", "东湖县团结街道"),
    Column("手机", "phone", "数字、空格和短横，可以以 + 开头", "138 0000 0000", plus=True),
    Column("邮箱", "email", "有 @ 的电子邮箱地址", "lin@example.cn"),
)
BY_FIELD = {column.field: column for column in COLUMNS}
FIELDS = ("name", "roles", "kind", "unit", "employee_number", "phone", "email")
_BETWEEN = re.compile(r"[、,，;；/\s]+")
_ROLES = {word: role for role, word in phrases.ROLES.items()}
_KINDS = {word: kind for kind, word in phrases.AUTHOR_KINDS.items()}


@dataclass(frozen=True)
class Known:
    """What is here: people by name and number, units, and everybody's main membership."""

    by_name: dict[str, Person]
    by_number: dict[str, Person]
    units: dict[str, Unit]
    ambiguous: frozenset[str]
    main: dict[UUID, Membership]


@dataclass
class Plan:
    """What is to be written."""

    new: list[tuple[UUID, Newcomer]] = field(default_factory=list)
    changes: list[tuple[Person, dict[str, Any]]] = field(default_factory=list)
    moves: list[tuple[UUID, Unit]] = field(default_factory=list)


async def compare(work: Work) -> Callable[[], Awaitable[None]]:
    """Find every mistake; returns what writes the rest."""
    known = await _known(work)
    plan = Plan()
    seen: dict[tuple[str, str], int] = {}
    for row in work.rows:
        mistakes = len(work.mistakes)
        _demand_once(work, row, seen)
        person = _person(work, row, known)
        unit = _unit(work, row, known)
        given = _given(work, row, person, unit)
        if len(work.mistakes) == mistakes and given is not None:
            _decide(work, plan, known, person, given, unit)
    return lambda: _write(work, plan, known)


def _demand_once(work: Work, row: Row, seen: dict[tuple[str, str], int]) -> None:
    for name in ("username", "employee_number"):
        value = row.cells.get(name)
        if value is None:
            continue
        first = seen.setdefault((name, value), row.number)
        if first != row.number:
            work.wrong(row, BY_FIELD[name], f"与第{first}行重复")


def _person(work: Work, row: Row, known: Known) -> Person | None:
    named = known.by_name.get(row.cells.get("username", ""))
    numbered = known.by_number.get(row.cells.get("employee_number", ""))
    person = numbered or named
    if numbered is not None and row.cells.get("username") not in (None, numbered.username):
        message = f"这个工号的用户名是“{numbered.username}”，不能改"
        work.wrong(row, BY_FIELD["username"], message)
    if person is not None and not set(person.roles).isdisjoint(access.ADMINISTRATORS):
        work.wrong(row, None, "管理员账号不能用表格修改")
    if person is not None and person.left_on is not None:
        work.wrong(row, None, "这个人已经离开；如又回来，请先单独办理恢复")
    return person


def _unit(work: Work, row: Row, known: Known) -> Unit | None:
    named = row.cells.get("unit_code")
    if named is None:
        return None
    unit = known.units.get(named)
    if named in known.ambiguous:
        work.wrong(row, BY_FIELD["unit_code"], f"有几个单位都叫“{named}”，请填代码")
    elif unit is None:
        work.wrong(row, BY_FIELD["unit_code"], f"没有登记单位“{named[:60]}”，请先登记或导入单位")
    elif unit.closed_on is not None:
        work.wrong(row, BY_FIELD["unit_code"], f"单位“{named}”已停用")
    return unit


def _given(work: Work, row: Row, person: Person | None, unit: Unit | None) -> Newcomer | None:
    content: dict[str, Any] = {"username": "", "name": "", "roles": ()}
    if person is not None:
        content = {"username": person.username, **{name: getattr(person, name) for name in FIELDS}}
    content |= {k: v for k, v in row.cells.items() if k not in ("unit_code", "roles", "kind")}
    if unit is not None and "unit" not in row.cells:
        content["unit"] = unit.name
    fine = True
    if "kind" in row.cells:
        content["kind"] = _KINDS.get(row.cells["kind"], row.cells["kind"])
    if "roles" in row.cells:
        words = [word for word in _BETWEEN.split(row.cells["roles"]) if word]
        content["roles"] = [_ROLES.get(word, word) for word in words]
    for name in ("username", "name", "roles"):
        if not content[name]:
            work.wrong(row, BY_FIELD[name], "没有填写")
            fine = False
    if not fine:
        return None
    if not set(content["roles"]).isdisjoint(access.ADMINISTRATORS):
        work.wrong(row, BY_FIELD["roles"], "管理员不能用表格导入，请单独办理")
        return None
    try:
        given = Newcomer.model_validate(content)
        access.demand_compatible(given.roles)
        if access.AUTHOR in given.roles and not given.kind:
            work.wrong(row, BY_FIELD["kind"], "撰稿人必须填写类别")
        if access.AUTHOR in given.roles and not given.unit and "unit_code" not in row.cells:
            work.wrong(row, BY_FIELD["unit_code"], "撰稿人必须填写单位或署名单位")
    except ValidationError as error:
        for one in error.errors(include_url=False, include_input=False):
            column = BY_FIELD[str(one["loc"][0])]
            work.wrong(row, column, f"不符合要求：{column.rule}")
        return None
    except InputError:
        work.wrong(row, BY_FIELD["roles"], f"不符合要求：{BY_FIELD['roles'].rule}")
        return None
    return given


def _decide(
    work: Work,
    plan: Plan,
    known: Known,
    person: Person | None,
    given: Newcomer,
    unit: Unit | None,
) -> None:
    if person is None:
        id = work.desk.new_id()
        plan.new.append((id, given))
        work.added += 1
    else:
        id = person.id
        new = given.model_dump(include=set(FIELDS)) | {"roles": sorted(set(given.roles))}
        differing = {k: v for k, v in new.items() if getattr(person, k) != v}
        moves = unit is not None and _moves(known, id, unit)
        if differing or moves:
            plan.changes.append((person, differing))
            work.changed += 1
        else:
            work.unchanged += 1
    if unit is not None and _moves(known, id, unit):
        plan.moves.append((id, unit))


def _moves(known: Known, person: UUID, unit: Unit) -> bool:
    main = known.main.get(person)
    return main is None or main.unit_id != unit.id


async def _known(work: Work) -> Known:
    session, today = work.session, day_of(work.now)
    everybody = (await session.scalars(select(Person).with_for_update())).all()
    by_code: dict[str, Unit] = {}
    names: dict[str, list[Unit]] = {}
    for unit in await session.scalars(select(Unit)):
        by_code[unit.code] = unit
        if unit.closed_on is None:
            names.setdefault(unit.name, []).append(unit)
    single = {name: found[0] for name, found in names.items() if len(found) == 1}
    main = await session.scalars(
        select(Membership).where(
            Membership.main, or_(Membership.until.is_(None), Membership.until >= today)
        )
    )
    return Known(
        by_name={person.username: person for person in everybody},
        by_number={p.employee_number: p for p in everybody if p.employee_number},
        units=single | by_code,
        ambiguous=frozenset(n for n, found in names.items() if len(found) > 1) - set(by_code),
        main={membership.person_id: membership for membership in main},
    )


async def _write(work: Work, plan: Plan, known: Known) -> None:
    session, now, today = work.session, work.now, day_of(work.now)
    for id, given in plan.new:
        bulk.insert(
            session,
            Person,
            id=id,
            **given.model_dump(exclude={"roles"}),
            roles=sorted(set(given.roles)),
            created_at=now,
        )
        audit.note(
            session,
            now,
            actor=work.actor,
            action="person_added",
            subject=given.username,
            roles=sorted(set(given.roles)),
        )
    for person, differing in plan.changes:
        before = person.roles
        for name, value in differing.items():
            setattr(person, name, value)
        person.version += 1
        if person.roles != before:
            await people.end_sessions(session, person)
        people.note(
            session,
            now,
            work.actor,
            person,
            "person_changed",
            fields=sorted(differing),
            roles=person.roles,
        )
    for id, unit in plan.moves:
        _move(work, known, id, unit, today)


def _move(work: Work, known: Known, person: UUID, unit: Unit, today: date) -> None:
    main = known.main.get(person)
    if main is not None and main.since >= today:
        # It was entered today: a correction, and no history.
        main.unit_id = unit.id
        return
    if main is not None:
        main.until = today - timedelta(days=1)
    bulk.insert(
        work.session,
        Membership,
        id=work.desk.new_id(),
        person_id=person,
        unit_id=unit.id,
        main=True,
        since=today,
        until=None,
    )


PEOPLE = Kind("people", COLUMNS, compare)
