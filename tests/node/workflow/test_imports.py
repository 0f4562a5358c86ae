"""People and units from spreadsheets: all of a file or nothing, and a second time nothing new."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from node.errors import ForbiddenError
from node.people_errors import MistakesError, SpreadsheetError, WrongPasswordError
from node.storage.audit import AuditRow
from node.storage.people import Membership, Person, Unit
from node.workflow import imports, memberships, spreadsheets, templates, units
from node.workflow.calendar import day_of
from node.workflow.imports import Kind, Outcome
from node.workflow.people_import import PEOPLE
from node.workflow.units import NewUnit
from node.workflow.units_import import UNITS
from protocol.identifiers import digest
from tests.node.rooms import Room, contents
from tests.node.workflow import test_people as peoples

HEADINGS = ("用户名", "姓名", "工号", "角色", "类别", "单位", "署名单位", "手机")
LIU = ("liu", "刘敏", "A1", "撰稿人", "信息员", "提案委员会", "", "13800000000")
MA = ("ma", "马静", "A2", "编辑、审核", "", "", "", "")


def table(*rows: Sequence[str], headings: Sequence[str] = HEADINGS) -> bytes:
    """A file with these rows."""
    return "\n".join(",".join(row) for row in (headings, *rows)).encode()


async def bring(
    room: Room, *rows: Sequence[str], kind: Kind = PEOPLE, dry_run: bool = False, **given: Any
) -> Outcome:
    """The security administrator imports these rows."""
    data = table(*rows, **given)
    return await imports.carry_out(room.desk, room.security, kind, "a.csv", data, dry_run=dry_run)


async def people(room: Room) -> dict[str, Person]:
    async with room.database.reading() as session:
        return {person.username: person for person in await session.scalars(select(Person))}


async def committee(room: Room, code: str = "Z1", name: str = "提案委员会") -> None:
    given = NewUnit(code=code, name=name, kind="special_committee")
    await units.add(room.desk, room.security, given)


async def test_rows_become_people_with_a_unit_and_without_a_password(county: Room) -> None:
    await committee(county)
    outcome = await bring(county, LIU, MA)
    assert (outcome.rows, outcome.added, outcome.changed, outcome.unchanged) == (2, 2, 0, 0)
    assert outcome.done
    found = await people(county)
    liu, ma = found["liu"], found["ma"]
    assert (liu.name, liu.roles, liu.kind, liu.unit, liu.phone, liu.version) == (
        "刘敏",
        ["author"],
        "informant",
        "提案委员会",
        "13800000000",
        1,
    )
    assert (ma.roles, ma.kind, ma.unit) == (["editor", "reviewer"], None, None)
    with pytest.raises(WrongPasswordError):
        await peoples.log_in(county, "liu", "")
    async with county.database.reading() as session:
        [one] = await memberships.of(session, liu.id)
        query = select(AuditRow).where(AuditRow.actor == "security").order_by(AuditRow.id)
        rows = (await session.scalars(query)).all()
    assert (one.unit, one.main, one.since) == ("Z1", True, day_of(county.clock()))
    assert [row.action for row in rows[1:]] == ["person_added", "person_added", "people_imported"]
    assert rows[-1].detail == {
        "digest": digest(table(LIU, MA)),
        "rows": 2,
        "added": 2,
        "changed": 0,
    }


async def test_the_same_file_a_second_time_changes_nothing(county: Room) -> None:
    await committee(county)
    await bring(county, LIU, MA)
    before = await contents(county.database)
    outcome = await bring(county, LIU, MA)
    assert (outcome.added, outcome.changed, outcome.unchanged) == (0, 0, 2)
    after = await contents(county.database)
    assert after | {"audit": None} == before | {"audit": None}


async def test_a_later_file_changes_what_differs_and_empty_cells_leave_what_is_there(
    county: Room,
) -> None:
    await committee(county)
    await committee(county, "Z2", "经济委员会")
    await bring(county, LIU, MA)
    county.clock.move(timedelta(days=3))
    moved = ("liu", "刘敏", "A1", "撰稿人、编辑", "", "Z2", "", "")
    outcome = await bring(county, moved, MA)
    assert (outcome.added, outcome.changed, outcome.unchanged) == (0, 1, 1)
    liu = (await people(county))["liu"]
    assert (liu.roles, liu.kind, liu.unit, liu.phone, liu.version) == (
        ["author", "editor"],
        "informant",
        "经济委员会",
        "13800000000",
        2,
    )
    today = day_of(county.clock())
    async with county.database.reading() as session:
        found = await memberships.of(session, liu.id)
    assert [(one.unit, one.since, one.until) for one in found] == [
        ("Z2", today, None),
        ("Z1", today - timedelta(days=3), today - timedelta(days=1)),
    ]
    # A mistake that is mended on the same day is no move.
    await bring(county, (*moved[:5], "Z1", "", ""))
    async with county.database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(Membership)) == 2


async def test_a_dry_run_tells_what_would_be_and_changes_nothing(leaf: Room) -> None:
    await committee(leaf)
    before = await contents(leaf.database)
    outcome = await bring(leaf, LIU, MA, dry_run=True)
    assert (outcome.added, outcome.done, outcome.mistakes) == (2, False, ())
    outcome = await bring(leaf, LIU, ("", "", "", "", "", "", "", ""), LIU, dry_run=True)
    assert [(one.where, one.message) for one in outcome.mistakes] == [
        ("第4行“用户名”列", "与第2行重复"),
        ("第4行“工号”列", "与第2行重复"),
    ]
    assert await contents(leaf.database) == before


MISTAKES: dict[str, tuple[tuple[str, ...], str, str]] = {
    "unknown unit": ((*LIU[:5], "门房", "", ""), "单位", "没有登记单位“门房”"),
    "ambiguous unit": ((*LIU[:5], "办公室", "", ""), "单位", "有几个单位都叫“办公室”，请填代码"),
    "closed unit": ((*LIU[:5], "C", "", ""), "单位", "单位“C”已停用"),
    "no unit": ((*LIU[:5], "", "", ""), "单位", "撰稿人必须填写单位或署名单位"),
    "no kind": ((*LIU[:4], "", *LIU[5:]), "类别", "撰稿人必须填写类别"),
    "wrong kind": ((*LIU[:4], "诗人", *LIU[5:]), "类别", "不符合要求：撰稿人必填：政协委员、"),
    "wrong role": ((*LIU[:3], "国王", *LIU[4:]), "角色", "不符合要求：撰稿人、编辑"),
    "administrator": ((*LIU[:3], "安全管理员", *LIU[4:]), "角色", "管理员不能用表格导入"),
    "no name": (("liu", "", *LIU[2:]), "姓名", "没有填写"),
    "wrong phone": ((*LIU[:7], "打给我"), "手机", "不符合要求：数字、空格和短横"),
    "long user name": (("l" * 61, *LIU[1:]), "用户名", "不符合要求：登录用，最多 60 个字"),
    "zero byte": (("liu", "刘\x00敏", *LIU[2:]), "姓名", "不符合要求：必填，一行文字"),
    "another user name": (("lou", *LIU[1:2], "B1", *LIU[3:]), "用户名", "用户名是“old”，不能改"),
}


@pytest.mark.parametrize("case", MISTAKES)
async def test_one_mistake_is_told_with_its_cell_and_nothing_is_imported(
    leaf: Room, case: str
) -> None:
    await committee(leaf)
    for code, name in (("A", "办公室"), ("B", "办公室"), ("C", "旧委员会")):
        await committee(leaf, code, name)
    async with leaf.database.writing.begin() as session:
        closed = await session.scalar(select(Unit).where(Unit.code == "C"))
        assert closed is not None
        closed.closed_on = day_of(leaf.clock())
    await peoples.added(leaf, username="old", employee_number="B1", password=None)
    before = await contents(leaf.database)
    row, column, said = MISTAKES[case]
    with pytest.raises(MistakesError, match="共 1 处错误") as error:
        await bring(leaf, MA, row)
    [(where, message)] = error.value.found
    assert where == f"第3行“{column}”列"
    assert said in message
    assert await contents(leaf.database) == before


@pytest.mark.parametrize(
    ("username", "said"), [("admin", "管理员账号不能用表格修改"), ("chen", "这个人已经离开")]
)
async def test_administrators_and_whoever_left_are_not_changed_by_a_file(
    leaf: Room, username: str, said: str
) -> None:
    async with leaf.database.writing.begin() as session:
        (await session.get_one(Person, leaf.chen.id)).left_on = day_of(leaf.clock())
    with pytest.raises(MistakesError) as error:
        await bring(leaf, (username, "某人", "", "编辑", "", "", "", ""))
    assert said in error.value.found[0][1]


async def test_units_come_with_those_they_stand_below_in_any_order(county: Room) -> None:
    rows = [
        ("B", "办公室", "内设部门", "A"),
        ("A", "机关", "内设部门", ""),
        ("C", "界一", "界别", ""),
    ]
    headings = ("代码", "名称", "类别", "上级代码")
    outcome = await bring(county, *rows, kind=UNITS, headings=headings)
    assert (outcome.added, outcome.done) == (3, True)
    before = await contents(county.database)
    again = await bring(county, *rows, kind=UNITS, headings=headings)
    assert again.unchanged == 3
    after = await contents(county.database)
    assert after | {"audit": None} == before | {"audit": None}

    changed = await bring(
        county, ("B", "综合办公室", "内设部门", "C"), kind=UNITS, headings=headings
    )
    assert changed.changed == 1
    found = {one.code: one for one in await units.list_units(county.desk, county.security)}
    assert (found["B"].name, found["B"].parent_id) == ("综合办公室", found["C"].id)

    before = await contents(county.database)
    wrong = [
        ("A", "机关", "内设部门", "D"),
        ("D", "丁", "内设部门", "A"),
        ("E", "戊", "部落", ""),
        ("F", "己", "界别", "X"),
        ("F", "", "界别", ""),
    ]
    with pytest.raises(MistakesError) as error:
        await bring(county, *wrong, kind=UNITS, headings=headings)
    assert error.value.found == (
        ("第2行“上级代码”列", "单位不能在自己的下面"),
        ("第3行“上级代码”列", "单位不能在自己的下面"),
        ("第4行“类别”列", f"不符合要求：{UNITS.columns[2].rule}"),
        ("第5行“上级代码”列", "没有代码为“X”的单位"),
        ("第6行“名称”列", "没有填写"),
    )
    assert await contents(county.database) == before


async def test_thousands_of_people_come_at_once(county: Room) -> None:
    await committee(county)
    many = [(f"p{n}", f"某{n}", f"N{n}", *LIU[3:]) for n in range(2_000)]
    assert (await bring(county, *many)).added == 2_000
    assert (await bring(county, *many)).unchanged == 2_000


async def test_only_the_security_administrator_imports_and_only_whole_files(leaf: Room) -> None:
    before = await contents(leaf.database)
    for actor in (leaf.editor, leaf.admin, leaf.lin):
        with pytest.raises(ForbiddenError):
            await imports.carry_out(leaf.desk, actor, PEOPLE, "a.csv", table(), dry_run=False)
    with pytest.raises(SpreadsheetError):
        await imports.carry_out(
            leaf.desk, leaf.security, PEOPLE, "a.xlsx", table(LIU), dry_run=False
        )
    assert await contents(leaf.database) == before


@pytest.mark.parametrize("kind", [PEOPLE, UNITS], ids=lambda kind: kind.name)
def test_a_template_is_a_table_without_rows_that_can_be_read_back(kind: Kind) -> None:
    data = templates.make(kind, "模板")
    assert spreadsheets.read("a.xlsx", data, kind.columns) == spreadsheets.Table((), ())
