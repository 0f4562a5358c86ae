"""Notices: an author is told of every fact, once, and of nothing else."""

from __future__ import annotations

from node.workflow import reading
from protocol.lifecycle import Action
from tests.node.rooms import Room
from tests.node.workflow.deeds import do, item_after


async def test_notices_are_the_authors_own_the_newest_first(county: Room) -> None:
    first = await item_after(county, Action.REGISTER)
    second = await item_after(county, Action.REGISTER, Action.ADOPT)

    page = await reading.notices(county.desk, county.lin)
    assert [notice.item_id for notice in page.rows] == [second, second, first]
    assert (page.total, {notice.read for notice in page.rows}) == (3, {False})
    assert (await reading.notices(county.desk, county.chen)).total == 0
    assert (await reading.notices(county.desk, county.editor)).total == 0


async def test_handing_in_and_handing_in_again_are_no_news_to_the_author(county: Room) -> None:
    await item_after(county, Action.RETURN, Action.RESUBMIT)
    assert await county.told_of(county.lin) == ["东湖县政协退回修改，意见：请补充数据。"]


async def test_marking_notices_read_marks_ones_own_and_later_ones_are_new(county: Room) -> None:
    item = await county.submit(co_authors=[{"username": "chen"}])
    await do(county, Action.REGISTER, item)
    await reading.mark_read(county.desk, county.lin)
    await do(county, Action.ADOPT, item)

    assert [notice.read for notice in await county.told(county.lin)] == [True, False]
    assert [notice.read for notice in await county.told(county.chen)] == [False, False]


async def test_a_page_of_notices_says_how_many_there_are_in_all(county: Room) -> None:
    await item_after(county, Action.REGISTER, Action.ADOPT, Action.INSTRUCT)
    page = await reading.notices(county.desk, county.lin, limit=2)
    assert ([notice.sentence for notice in page.rows], page.total) == (
        ["县长周明远批示：请研究。", "东湖县政协单篇采用。"],
        3,
    )
