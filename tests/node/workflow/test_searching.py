"""Searching: what is found, in which order, by whom, and that bad questions change nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from node.errors import ForbiddenError, InputError
from node.search import finding, index
from node.workflow import decisions, searching, submissions
from node.workflow.calendar import day_of
from node.workflow.desk import Actor
from node.workflow.searching import Found, Wanted
from tests.node.browser import visit
from tests.node.chain import Chain
from tests.node.rooms import Room, contents, draft
from tests.node.workflow.test_assignments import answered, given, with_bureau


async def search(
    room: Room,
    query: str = "",
    *,
    who: Actor | None = None,
    offset: int = 0,
    limit: int = 20,
    **w: Any,
) -> Found:
    """What the editor, or someone else, finds once everything is indexed."""
    while await index.step(room.database):
        pass
    wanted = Wanted(**w)
    return await searching.search(
        room.desk, who or room.editor, query, wanted, offset=offset, limit=limit
    )


async def ids(room: Room, query: str = "", **given: Any) -> list[UUID]:
    """The items that are found."""
    return [hit.item.id for hit in (await search(room, query, **given)).hits]


async def test_words_are_found_in_title_body_authors_and_unit_and_the_number_alone(
    county: Room,
) -> None:
    co_author = {"name": "沈立群", "kind": "member", "unit": "恒泰铸造厂"}
    item = await county.registered(
        title="加装电梯的建议", body="低层住户意见不一。", co_authors=[co_author]
    )
    other = draft(title="别的事情", body="与此无关。")
    await submissions.submit(county.desk, county.chen, other)
    for query in (
        "电梯",
        "加装电梯",
        "梯",
        "低层 住户",
        "沈立群",
        "恒泰铸造",
        "林晓雨",
        "团结街道",
    ):
        assert await ids(county, query) == [item], query
    number = (await search(county, "电梯")).hits[0].item.number
    assert number is not None
    assert await ids(county, f" {number} ") == [item]
    assert await ids(county, "停车") == []


async def test_what_has_the_words_in_its_title_comes_first_then_the_newest(county: Room) -> None:
    old = await county.submit(title="电梯困人", body="救援太慢。")
    body = await county.submit(title="别的事情", body="顺带提到电梯。")
    new = await county.submit(title="加装电梯", body="意见不一。")
    assert await ids(county, "电梯") == [new, old, body]
    assert await ids(county, "电梯 救援") == [old]
    assert await ids(county, "梯") == [new, old, body]


async def test_pages_follow_one_another_and_say_how_many_there_are(county: Room) -> None:
    items = [await county.submit(title=f"电梯之{number}") for number in range(5)]
    pages = [await search(county, "电梯", offset=offset, limit=2) for offset in (0, 2, 4, 6)]
    assert [hit.item.id for page in pages for hit in page.hits] == items[::-1]
    assert {page.total for page in pages} == {5}


async def test_of_very_many_matches_the_newest_are_ranked_and_it_is_said(
    county: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "MOST", 3)
    items = [await county.submit(title=f"电梯之{number}") for number in range(5)]
    found = await search(county, "电梯")
    assert [hit.item.id for hit in found.hits] == items[:1:-1]
    assert (found.total, found.more) == (3, True)


async def test_an_author_finds_his_own_items_and_an_administrator_none(county: Room) -> None:
    mine = await county.submit(title="加装电梯")
    both = await county.submit(title="电梯维保", co_authors=[{"username": "chen"}])
    assert set(await ids(county, "电梯", who=county.lin)) == {mine, both}
    assert await ids(county, "电梯", who=county.chen) == [both]
    number = await decisions.register(county.desk, county.editor, mine)
    assert await ids(county, number, who=county.chen) == []
    assert await ids(county, topic="city", who=county.chen) == [both]
    with pytest.raises(ForbiddenError):
        await search(county, "电梯", who=county.admin)


async def test_filters_narrow_what_is_found(county: Room) -> None:
    city = await county.registered(title="电梯之一", topic="city", urgency="urgent")
    await decisions.adopt(county.desk, county.editor, city, manner="single", issue=None)
    county.clock.move(timedelta(days=3))
    economy = await county.submit(title="电梯之二", topic="economy")
    today = county.clock().date()
    assert await ids(county, "电梯", state="adopted") == [city]
    assert await ids(county, "电梯", state="submitted") == [economy]
    assert await ids(county, "电梯", topic="economy") == [economy]
    assert await ids(county, "电梯", urgency="urgent") == [city]
    assert await ids(county, "电梯", adopted="county") == [city]
    assert await ids(county, "电梯", adopted="province") == []
    assert await ids(county, "电梯", source="donghu") == [economy, city]
    assert await ids(county, "电梯", source="xishan") == []
    assert await ids(county, "电梯", since=today) == [economy]
    assert await ids(county, "电梯", until=today) == [economy, city]
    assert await ids(county, "电梯", until=today - timedelta(days=1)) == [city]
    assert await ids(county, "电梯", topic="economy", state="adopted") == []


async def test_without_words_the_newest_that_are_as_wanted_are_found(county: Room) -> None:
    first = await county.submit(topic="city")
    second = await county.submit(topic="city")
    await county.submit(topic="economy")
    assert await ids(county, "  ", topic="city") == [second, first]


async def test_an_item_from_below_is_found_by_its_source_and_by_who_adopted_it(
    pair: Chain,
) -> None:
    item = await pair.county.submit(title="加装电梯")
    await pair.climb(item)
    city = pair.above
    await decisions.adopt(city.desk, city.editor, item, manner="single", issue=None)
    await pair.deliver()
    assert await ids(city, "电梯", source="donghu") == [item]
    assert await ids(city, "电梯", source="yunzhou") == []
    assert await ids(city, "电梯", adopted="city") == [item]
    assert await ids(pair.county, "电梯", adopted="city") == [item]
    assert await ids(pair.county, "电梯", adopted="county") == []


async def test_the_words_are_marked_in_plain_text(county: Room) -> None:
    body = "前情提要。" * 40 + "居民盼望加装<b>电梯</b>，ＢＩＭ图纸已有。" + "后话。" * 40
    await county.submit(title="加装电梯", body=body)
    (hit,) = (await search(county, "电梯 bim")).hits
    shown = {
        part: (excerpt.text, [excerpt.text[start:end] for start, end in excerpt.marks])
        for part, excerpt in hit.excerpts
    }
    assert shown["title"] == ("加装电梯", ["电梯"])
    text, marked = shown["body"]
    assert marked == ["电梯", "ＢＩＭ"]
    assert text in body
    assert len(text) <= 120
    assert "authors" not in shown


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("", "请输入"),
        (" \n\t", "请输入"),
        ("！？*", "没有可以检索"),
        ("\0\x01\u202e\u200b", "没有可以检索"),
        ('"" () * AND'.replace("AND", ""), "没有可以检索"),
        ("字" * 201, "最多 200 字"),
        ("字" * 5_000_000, "最多 200 字"),
    ],
    ids=["empty", "blank", "signs", "unseen", "syntax", "long", "5 MB"],
)
async def test_a_question_that_asks_for_nothing_is_refused_and_changes_nothing(
    county: Room, query: str, why: str
) -> None:
    await county.submit(title="加装电梯")
    before = await contents(county.database)
    with pytest.raises(InputError, match=why):
        await searching.search(county.desk, county.editor, query)
    assert await contents(county.database) == before


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ('"电梯"', True),
        ("(电梯)", True),
        ("电梯*", True),
        ("-电梯", True),
        ("!电梯", True),
        ("title:电梯", False),
        ("电梯 AND 加装", False),
        ("电梯 OR 停车", False),
        ("电梯 NOT 停车", False),
        ("NEAR(电梯 加装, 5)", False),
        ("电梯 <-> 加装", True),
        ("电梯:*", True),
        ("电梯' & '加装", True),
        ("电梯\\", True),
        ('电梯"; DROP TABLE items; --', False),
        ("%电梯%", True),
        ("_梯", True),
        ("电\u202e梯", True),
        ("\u2066电梯\u2069", True),
        ("电梯\0", True),
        ("\x1b[2J 电梯", False),
        ("电\u200b梯", True),
    ],
)
async def test_no_sign_of_a_query_has_a_meaning_of_its_own(
    county: Room, query: str, is_found: bool
) -> None:
    item = await county.submit(title="加装电梯")
    assert await ids(county, query) == ([item] if is_found else [])


async def test_words_that_look_like_syntax_are_found_where_they_stand(county: Room) -> None:
    item = await county.submit(title="R AND D 投入不足", body="NOT NULL OR NEAR")
    for query in ("AND", "r and d", "NOT", "near", "null or"):
        assert await ids(county, query) == [item], query


async def test_items_whose_work_is_overdue_are_found_by_that(leaf: Room) -> None:
    await with_bureau(leaf)
    today = day_of(leaf.clock())
    late, _ = await given(leaf, due=today + timedelta(days=1))
    in_time, _ = await given(leaf, due=today + timedelta(days=9))
    answered_late, assignment = await given(leaf, due=today + timedelta(days=1))
    await answered(leaf, assignment)
    await leaf.registered()

    async def overdue() -> list[UUID]:
        found = await searching.search(leaf.desk, leaf.editor, "", Wanted(overdue=True))
        return [hit.item.id for hit in found.hits]

    assert await overdue() == []
    leaf.clock.move(timedelta(days=2))
    assert await overdue() == [late]
    async with visit(leaf, "editor") as client:
        page = (await client.get("/items", params={"overdue": "1"})).text
        asked = (await client.get("/api/v1/search", params={"overdue": True})).json()
    assert str(late) in page
    assert not any(str(other) in page for other in (in_time, answered_late))
    assert asked["total"] == 1
