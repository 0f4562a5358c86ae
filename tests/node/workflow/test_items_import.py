"""Items from a spreadsheet: all of a file or nothing, and a second time nothing new."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from node.errors import ForbiddenError
from node.people_errors import MistakesError, SpreadsheetError
from node.workflow import imports, items_import, reading, templates
from node.workflow.imports import Outcome
from node.workflow.items_import import ITEMS
from node.workflow.spreadsheets import read
from tests.node.browser import visit
from tests.node.rooms import Room, contents

HEADINGS = ("标题", "正文", "领域", "反映人", "身份", "单位", "渠道", "标签")
ROAD = ("道路积水", "雨后积水。", "城建城管", "沈立群", "社会征集", "城关镇", "来信", "民生、道路")
BUS = ("公交太少", "一小时一班。", "city", "周琴", "社会征集", "团结街道", "12345热线", "")


def table(*rows: Sequence[str], headings: Sequence[str] = HEADINGS) -> bytes:
    return "\n".join(",".join(row) for row in (headings, *rows)).encode()


async def bring(room: Room, *rows: Sequence[str], dry_run: bool = False) -> Outcome:
    return await imports.carry_out(
        room.desk, room.editor, ITEMS, "a.csv", table(*rows), dry_run=dry_run
    )


def changed(row: Sequence[str], **cells: str) -> tuple[str, ...]:
    return tuple(cells.get(heading, cell) for heading, cell in zip(HEADINGS, row, strict=True))


async def test_rows_become_items_of_those_who_wrote_or_called(county: Room) -> None:
    outcome = await bring(county, ROAD, BUS)
    assert (outcome.rows, outcome.added, outcome.unchanged, outcome.done) == (2, 2, 0, True)
    listed = (await reading.list_items(county.desk, county.editor)).rows
    assert {item.title: item.channel for item in listed} == {
        "道路积水": "letter",
        "公交太少": "hotline",
    }
    (road,) = [item for item in listed if item.title == "道路积水"]
    seen = await reading.view(county.desk, county.editor, road.id)
    assert [author["name"] for author in seen.edition.authors] == ["沈立群"]
    assert (seen.item.state, set(seen.tags)) == ("submitted", {"民生", "道路"})
    assert seen.item.entered_by == county.editor.id


async def test_the_same_file_again_changes_nothing(county: Room) -> None:
    await bring(county, ROAD)
    outcome = await bring(county, ROAD, BUS)
    assert (outcome.added, outcome.unchanged) == (1, 1)
    assert (await reading.list_items(county.desk, county.editor)).total == 2


async def test_a_dry_run_tells_the_mistakes_and_writes_nothing(county: Room) -> None:
    before = await contents(county.database)
    outcome = await bring(county, ROAD, changed(BUS, 渠道="飞鸽"), dry_run=True)
    assert [(one.row, one.heading) for one in outcome.mistakes] == [(3, "渠道")]
    assert (outcome.added, outcome.done) == (1, False)
    assert await contents(county.database) == before


@pytest.mark.parametrize(
    ("cells", "where"),
    [
        ({"标题": ""}, "第3行“标题”列"),
        ({"标题": "长" * 61}, "第3行"),
        ({"领域": "天气"}, "第3行“领域”列"),
        ({"身份": "诗人"}, "第3行“身份”列"),
        ({"标签": "长" * 21}, "第3行“标签”列"),
        ({"正文": "=1+1"}, "第3行“正文”列"),
        ({"正文": "这是绝密。"}, "第3行"),
        ({"正文": "反\u202e写"}, "第3行“正文”列"),
        ({"标题": ROAD[0], "正文": ROAD[1]}, "第3行"),
    ],
)
async def test_one_mistake_keeps_the_whole_file_out(
    leaf: Room, cells: dict[str, str], where: str
) -> None:
    before = await contents(leaf.database)
    with pytest.raises(MistakesError) as refused:
        await bring(leaf, ROAD, changed(BUS, **cells))
    assert [found for found, _ in refused.value.found] == [where]
    assert await contents(leaf.database) == before


async def test_what_is_confirmed_to_be_no_secret_is_taken(leaf: Room) -> None:
    data = table((*changed(ROAD, 正文="这不涉密。"), "是"), headings=(*HEADINGS, "确认不涉密"))
    outcome = await imports.carry_out(leaf.desk, leaf.editor, ITEMS, "a.csv", data, dry_run=False)
    assert outcome.added == 1


async def test_too_many_rows_are_refused(leaf: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(items_import, "MOST", 1)
    with pytest.raises(SpreadsheetError, match="一次最多导入 1 件"):
        await bring(leaf, ROAD, BUS)


async def test_only_editors_import_items(leaf: Room) -> None:
    for actor in (leaf.lin, leaf.security, leaf.reviewer):
        with pytest.raises(ForbiddenError):
            await imports.carry_out(leaf.desk, actor, ITEMS, "a.csv", table(ROAD), dry_run=True)


def test_the_template_can_be_read_back() -> None:
    assert read("信息.xlsx", templates.make(ITEMS, "信息"), ITEMS.columns).rows == ()


@pytest.mark.usefixtures("quick_passwords")
async def test_items_are_imported_over_http(leaf: Room) -> None:
    async with visit(leaf, "editor") as editor:
        template = await editor.get("/api/v1/imports/items/template")
        assert template.content.startswith(b"PK")
        done = await editor.post(
            "/api/v1/imports/items", params={"name": "a.csv"}, content=table(ROAD)
        )
        assert (done.status_code, done.json()["added"]) == (200, 1)
