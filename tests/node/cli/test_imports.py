"""`zhitong people` and `zhitong units`: spreadsheets at the machine itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.node.cli.conftest import Zhitong
from tests.offices import Hierarchy

UNITS = "代码,名称,类别,上级代码\nA,机关,内设部门,\nB,信息科,内设部门,A\n"
PEOPLE = "用户名,姓名,角色,类别,单位\nliu,刘敏,撰稿人,信息员,信息科\nma,马静,编辑,,\n"
WRONG = PEOPLE + "wu,吴江,撰稿人,诗人,门房\n"


@pytest.fixture
def office(lone: Hierarchy) -> Path:
    """The folder of the county 东湖."""
    return lone.folder / "donghu"


def test_units_and_people_are_imported_listed_and_wrong_files_told_by_row(
    zhitong: Zhitong, office: Path, tmp_path: Path
) -> None:
    files = {"units.csv": UNITS, "people.csv": PEOPLE, "wrong.csv": WRONG}
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")
    at = ("--config", office)

    assert zhitong("units", "list", *at).out == "还没有登记单位。\n"
    done = zhitong("units", "import", tmp_path / "units.csv", *at)
    assert done.out == "已导入：共 2 行，新增 2，更改 0，不变 0。\n"
    listed = zhitong("units", "list", *at).out.splitlines()
    assert listed == ["A  机关  内设部门", "B  信息科  内设部门（属 A）"]

    dry = zhitong("people", "import", tmp_path / "wrong.csv", "--dry-run", *at)
    said = dry.out.splitlines()
    assert (dry.code, said[0][:10]) == (1, "第4行“单位”列：没")
    assert said[1].startswith("第4行“类别”列：不符合要求：撰稿人必填")
    assert said[2] == "检查完毕，没有导入：共 3 行，新增 2，更改 0，不变 0。"
    refused = zhitong("people", "import", tmp_path / "wrong.csv", *at)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.splitlines()[-1].endswith("共 2 处错误 [import.mistakes]")

    assert zhitong("people", "import", tmp_path / "people.csv", *at).code == 0
    again = zhitong("people", "import", tmp_path / "people.csv", *at)
    assert again.out == "已导入：共 2 行，新增 0，更改 0，不变 2。\n"
    assert zhitong("people", "erase", *at).out.startswith("离开已满 2 年的人员")


@pytest.mark.parametrize("what", ["people", "units"])
def test_a_template_is_written_and_can_be_imported_as_it_is(
    zhitong: Zhitong, office: Path, tmp_path: Path, what: str
) -> None:
    target = tmp_path / "模板.xlsx"
    assert zhitong(what, "template", target).out == f"已写入 {target}。\n"
    done = zhitong(what, "import", target, "--config", office)
    assert done.out == "已导入：共 0 行，新增 0，更改 0，不变 0。\n"


def test_files_that_are_not_there_or_cannot_be_written_are_one_line(
    zhitong: Zhitong, office: Path, tmp_path: Path
) -> None:
    nowhere = tmp_path / "nowhere" / "a.xlsx"
    missing = zhitong("people", "import", nowhere, "--config", office)
    assert "cannot read" in missing.mistake
    assert "cannot write" in zhitong("units", "template", nowhere).mistake


def test_items_are_imported_under_the_name_of_an_editor(
    zhitong: Zhitong, office: Path, tmp_path: Path
) -> None:
    file = tmp_path / "items.csv"
    row = "道路积水,雨后积水。,city,沈立群,社会征集,城关镇,来信"
    file.write_text(f"标题,正文,领域,反映人,身份,单位,渠道\n{row}\n", "utf-8")
    command = ("items", "import", file, "-c", office, "--as")
    assert zhitong(*command, "editor").out == "已导入：共 1 行，新增 1，更改 0，不变 0。\n"
    assert "[access.forbidden]" in zhitong(*command, "lin").mistake
