"""Topics of the office's own, tags, and items that an editor enters for somebody else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic import TypeAdapter

from node.errors import ForbiddenError, InputError, PhrasesError
from node.topic_errors import TopicError, TopicsChangedError
from node.workflow import (
    decisions,
    editing,
    merging,
    purges,
    reading,
    searching,
    submissions,
    tags,
    topics,
)
from node.workflow.editing import Rewriting
from node.workflow.searching import Wanted
from node.workflow.tags import Tags
from node.workflow.topics import Table
from tests.node.chain import Chain
from tests.node.rooms import CONTENT, Room, contents, draft

CITIZEN = {"name": "沈立群", "kind": "public_submission", "unit": "东湖县城关镇"}
OLD = {"code": "city", "name": "城建城管", "topic": "city", "retired": True}
LIFTS = {"code": "lifts", "name": "电梯", "topic": "city"}
SCHOOLS = {"code": "schools", "name": "教育", "topic": "society"}
TAGS: TypeAdapter[tuple[str, ...]] = TypeAdapter(Tags)


def table(*entries: dict[str, Any], version: int = 0) -> Table:
    return Table.model_validate({"version": version, "topics": entries})


async def set_table(room: Room, *entries: dict[str, Any], version: int = 0) -> int:
    return await topics.set_table(room.desk, room.admin, table(*entries, version=version))


async def test_an_office_without_a_table_has_the_five_that_all_offices_know(county: Room) -> None:
    shown = await topics.show(county.desk, county.lin)
    assert (shown.version, [entry.code for entry in shown.topics]) == (
        0,
        ["economy", "city", "society", "agriculture", "government"],
    )
    item = await county.submit(topic="city")
    seen = await reading.view(county.desk, county.lin, item)
    assert (seen.item.topic, seen.item.topic_code) == ("city", "city")


async def test_an_item_has_the_offices_own_topic_and_is_known_elsewhere_by_the_common_one(
    pair: Chain,
) -> None:
    await set_table(pair.county, OLD, LIFTS)
    item = await pair.county.submit(topic="lifts")
    seen = await reading.view(pair.county.desk, pair.county.lin, item)
    assert (seen.item.topic, seen.edition.topic, seen.item.topic_code) == ("city", "city", "lifts")

    await pair.climb(item)
    above = await reading.view(pair.above.desk, pair.above.editor, item)
    assert (above.item.topic, above.item.topic_code) == ("city", None)


@pytest.mark.parametrize("code", ["city", "weather"])
async def test_a_retired_or_unknown_topic_is_refused_with_those_that_can_be_chosen(
    county: Room, code: str
) -> None:
    await set_table(county, LIFTS, OLD, SCHOOLS)
    before = await contents(county.database)
    with pytest.raises(TopicError, match="电梯（lifts）、教育（schools）") as refused:
        await county.submit(topic=code)
    assert refused.value.found == (("lifts", "电梯"), ("schools", "教育"))
    assert await contents(county.database) == before


async def test_the_table_is_changed_by_its_newest_version_alone(county: Room) -> None:
    assert await set_table(county, LIFTS) == 1
    with pytest.raises(TopicsChangedError, match="现在是第 1 版"):
        await set_table(county, SCHOOLS)
    asked = [set_table(county, LIFTS, SCHOOLS, version=1) for _ in range(2)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["TopicsChangedError", "int"]
    shown = await topics.show(county.desk, county.editor)
    assert (shown.version, shown.set_by) == (2, county.admin.name)


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ((SCHOOLS,), "代码 lifts 可能已经用过，不能删除，可以停用"),
        ((LIFTS, LIFTS), "代码“lifts”出现了不止一次"),
        ((LIFTS, SCHOOLS | {"name": "电梯"}), "名称“电梯”出现了不止一次"),
        ((LIFTS | {"retired": True},), "至少保留一个在用的领域"),
    ],
)
async def test_a_table_that_does_not_fit_is_refused(
    leaf: Room, entries: tuple[dict[str, Any], ...], words: str
) -> None:
    await set_table(leaf, LIFTS)
    with pytest.raises(InputError, match=words):
        await set_table(leaf, *entries, version=1)


async def test_only_the_system_administrator_sets_the_table(leaf: Room) -> None:
    for actor in (leaf.editor, leaf.security, leaf.lin):
        with pytest.raises(ForbiddenError):
            await topics.set_table(leaf.desk, actor, table(LIFTS))


async def test_an_editor_files_an_item_under_another_topic(county: Room) -> None:
    await set_table(county, LIFTS, LIFTS | {"code": "ramps", "name": "坡道"}, OLD)
    item = await county.registered(topic="lifts")
    text = {"based_on": 1, "title": CONTENT["title"], "body": CONTENT["body"], "why": "归类"}
    await editing.edit(
        county.desk, county.editor, item, Rewriting.model_validate(text | {"topic": "ramps"})
    )
    seen = await reading.view(county.desk, county.editor, item)
    assert (seen.item.topic_code, seen.item.topic, seen.item.edition) == ("ramps", "city", 2)
    again = Rewriting.model_validate(text | {"topic": "economy", "based_on": 2})
    with pytest.raises(TopicError):
        await editing.edit(county.desk, county.editor, item, again)


async def test_what_an_item_has_it_keeps_though_it_is_not_to_be_chosen_any_more(
    county: Room,
) -> None:
    await set_table(county, LIFTS, SCHOOLS)
    item = await county.submit(topic="lifts")
    await set_table(county, LIFTS | {"retired": True}, SCHOOLS, version=1)
    seen = await reading.view(county.desk, county.lin, item)
    offered = await topics.choices(county.desk, county.lin, seen.item)
    assert offered == {"lifts": "电梯", "schools": "教育"}
    assert await topics.choices(county.desk, county.lin) == {"schools": "教育"}
    for topic in ("lifts", "city"):
        await decisions.return_(county.desk, county.editor, item, "请补充。")
        await submissions.resubmit(county.desk, county.lin, item, draft(topic=topic))
        seen = await reading.view(county.desk, county.lin, item)
        assert (seen.item.topic_code, seen.edition.topic) == ("lifts", "city")


async def test_a_combined_item_has_the_topic_that_was_chosen_or_that_of_the_first(
    county: Room,
) -> None:
    await set_table(county, LIFTS, SCHOOLS)
    for wanted, code in (({}, "lifts"), ({"topic": "schools"}, "schools")):
        originals = [str(await county.registered(topic=topic)) for topic in ("lifts", "schools")]
        combined = merging.combination({"items": originals} | wanted)
        item = await merging.merge(county.desk, county.editor, combined)
        assert (await reading.view(county.desk, county.editor, item)).item.topic_code == code


async def test_items_are_found_by_the_offices_topic_by_tag_and_by_channel(county: Room) -> None:
    await set_table(county, LIFTS, SCHOOLS)
    lift = await county.submit(topic="lifts", tags=["民生"])
    school = await county.submit(topic="schools")
    letter = await submissions.submit(
        county.desk,
        county.editor,
        draft(topic="schools", channel="letter", co_authors=[CITIZEN]),
    )

    async def found(**wanted: Any) -> list[object]:
        hits = await searching.search(county.desk, county.editor, "", Wanted(**wanted))
        return [hit.item.id for hit in hits.hits]

    assert await found(topic="lifts") == await found(topic="city") == [lift]
    assert await found(topic="society") == [letter, school]
    assert await found(tag="民生") == [lift]
    assert await found(channel="letter") == [letter]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (["  ＡＩ  大模型 ", "ai 大模型"], ("ai 大模型",)),
        (["民生", "就业"], ("民生", "就业")),
    ],
)
def test_a_tag_is_written_in_one_way_and_stands_once(given: list[str], kept: object) -> None:
    assert TAGS.validate_python(given) == kept


@pytest.mark.parametrize(
    "given", [[" "], ["长" * 21], ["两\n行"], ["\u200f反"], ["\x00"], [str(n) for n in range(11)]]
)
def test_tags_that_are_too_long_too_many_or_unseen_are_refused(given: list[str]) -> None:
    with pytest.raises(ValueError, match=r"tags|at (least|most)|single line|control"):
        TAGS.validate_python(given)


async def test_tags_are_set_by_editors_and_kept_when_the_author_names_none(county: Room) -> None:
    item = await county.submit(tags=["一"])
    await tags.set_tags(county.desk, county.editor, item, ["二", "三"])
    await decisions.return_(county.desk, county.editor, item, "请补充。")
    await submissions.resubmit(county.desk, county.lin, item, draft())
    assert set((await reading.view(county.desk, county.lin, item)).tags) == {"二", "三"}
    await decisions.return_(county.desk, county.editor, item, "请补充。")
    await submissions.resubmit(county.desk, county.lin, item, draft(tags=["四"]))
    assert (await reading.view(county.desk, county.lin, item)).tags == ("四",)
    with pytest.raises(ForbiddenError):
        await tags.set_tags(county.desk, county.lin, item, [])


async def test_tags_go_with_the_text_when_an_item_is_purged(county: Room) -> None:
    item = await county.submit(tags=["要害词"])
    await purges.purge(county.desk, county.security, item, "误传")
    assert "要害词" not in str(await contents(county.database))


async def test_phrases_of_secret_documents_are_found_in_tags_too(leaf: Room) -> None:
    with pytest.raises(PhrasesError, match="绝密"):
        await leaf.submit(tags=["绝密"])


async def test_what_came_by_letter_names_its_authors_its_channel_and_who_entered_it(
    county: Room,
) -> None:
    wanted = draft(channel="hotline", co_authors=[CITIZEN, {"username": "chen"}])
    item = await submissions.submit(county.desk, county.editor, wanted)
    seen = await reading.view(county.desk, county.chen, item)
    assert [author["name"] for author in seen.edition.authors] == ["沈立群", "陈波"]
    assert (seen.item.channel, seen.item.entered_by) == ("hotline", county.editor.id)

    own = await county.submit()
    seen = await reading.view(county.desk, county.lin, own)
    assert (seen.item.channel, seen.item.entered_by) == (None, None)


@pytest.mark.parametrize(
    "content",
    [
        {"channel": "letter"},
        {"channel": "letter", "co_authors": [CITIZEN | {"share": "1/2"}], "share": "1/2"},
    ],
)
async def test_what_is_entered_for_others_needs_them_and_no_share_of_the_editor(
    leaf: Room, content: dict[str, Any]
) -> None:
    before = await contents(leaf.database)
    with pytest.raises(InputError, match="代为登记时"):
        await submissions.submit(leaf.desk, leaf.editor, draft(**content))
    assert await contents(leaf.database) == before


async def test_authors_enter_nothing_for_others(leaf: Room) -> None:
    with pytest.raises(ForbiddenError):
        await leaf.submit(channel="letter", co_authors=[CITIZEN])


async def test_how_an_item_came_is_not_changed_by_handing_it_in_again(leaf: Room) -> None:
    item = await leaf.submit()
    await decisions.return_(leaf.desk, leaf.editor, item, "请补充。")
    with pytest.raises(InputError, match="提交之后不能更改"):
        await submissions.resubmit(
            leaf.desk, leaf.editor, item, draft(channel="letter", co_authors=[CITIZEN])
        )
