"""Merging items and taking apart what was merged, at one office and across levels."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest

from node.errors import ForwardedError, InputError, NotCombinedError, TooLongError
from node.workflow import composing, decisions, forwarding, merging, reading
from node.workflow.desk import Actor
from protocol.errors import LifecycleError
from protocol.lifecycle import Action
from tests.factories import make_author
from tests.node.chain import Chain
from tests.node.rooms import Room, contents
from tests.node.workflow.deeds import DEEDS, do, item_after


async def merged(room: Room, items: Sequence[UUID], **content: Any) -> UUID:
    wanted = merging.combination({"items": items} | content)
    return await merging.merge(room.desk, room.editor, wanted)


async def two(room: Room) -> list[UUID]:
    return [await room.registered(title=title, body=f"{title}的情况。") for title in ("甲", "乙")]


async def test_a_combined_item_is_written_out_of_several_and_its_originals_leave_the_list(
    county: Room,
) -> None:
    items = await two(county)
    combined = await merged(county, items)

    view = await reading.view(county.desk, county.editor, combined)
    assert (view.item.title, view.item.state) == ("甲等2件信息的综合反映", "registered")
    assert view.edition.body == "一、甲\n甲的情况。\n\n二、乙\n乙的情况。"
    assert [author["name"] for author in view.edition.authors] == ["林晓雨"]
    page = await reading.list_items(county.desk, county.editor)
    assert [item.id for item in page.rows] == [combined]
    parts = await merging.view(county.desk, county.editor, combined)
    assert [part.item.id for part in parts.originals] == items
    for item in items:
        assert await county.state(item) == "merged"
    mine = await reading.list_items(county.desk, county.lin)
    assert {item.id for item in mine.rows} == set(items)
    number = view.item.number
    assert (await county.told_of(county.lin))[-1] == (
        f"东湖县政协将这件信息与其他信息合并编写，合并稿编号 {number}。此后的办理情况以合并稿为准。"
    )


async def test_what_is_decided_about_the_combined_item_is_told_of_every_original(
    county: Room,
) -> None:
    items = await two(county)
    combined = await merged(county, items)
    before = len(await county.told_of(county.lin))

    await decisions.adopt(county.desk, county.editor, combined, issue="第46期")
    await do(county, Action.INSTRUCT, combined)

    told = (await county.told_of(county.lin))[before:]
    assert (
        told
        == ["合并稿：东湖县政协综合采用，刊于第46期。"] * 2
        + ["合并稿：县长周明远批示：请研究。"] * 2
    )
    assert [await county.state(item) for item in items] == ["merged", "merged"]


async def test_an_original_is_not_decided_by_itself(pair: Chain) -> None:
    county = pair.county
    items = await two(county)
    await merged(county, items)
    before = await contents(county.database)
    for action in DEEDS:
        with pytest.raises(LifecycleError):
            await do(county, action, items[0])
    assert await contents(county.database) == before
    assert (await reading.view(county.desk, county.editor, items[0])).actions == ()


async def test_what_was_merged_is_taken_apart_and_stands_where_it_stood(county: Room) -> None:
    items = [await county.registered(), await item_after(county, Action.REGISTER, Action.ADOPT)]
    combined = await merged(county, items)
    await merging.take_apart(county.desk, county.editor, combined)

    assert [await county.state(item) for item in items] == ["registered", "adopted"]
    assert await county.state(combined) == "dissolved"
    assert (await county.told_of(county.lin))[-1] == "东湖县政协撤销合并，这件信息恢复单独办理。"
    again = await merged(county, items)
    assert again != combined
    parts = await merging.view(county.desk, county.editor, items[0])
    assert [part.ended_at is None for part in parts.combined] == [False, True]


async def test_a_combined_item_may_be_part_of_another_one(county: Room) -> None:
    items = await two(county)
    inner = await merged(county, items)
    outer = await merged(county, [inner, await county.registered()])
    with pytest.raises(LifecycleError, match="the item is merged"):
        await merging.take_apart(county.desk, county.editor, inner)
    await merging.take_apart(county.desk, county.editor, outer)
    assert [await county.state(item) for item in (*items, inner)] == [
        "merged",
        "merged",
        "registered",
    ]
    await merging.take_apart(county.desk, county.editor, inner)
    assert [await county.state(item) for item in items] == ["registered", "registered"]


async def test_what_somebody_else_has_is_not_taken_apart(county: Room) -> None:
    combined = await merged(county, await two(county))
    await decisions.adopt(county.desk, county.editor, combined)
    before = await contents(county.database)
    with pytest.raises(LifecycleError, match="cannot take_apart"):
        await merging.take_apart(county.desk, county.editor, combined)
    with pytest.raises(NotCombinedError):
        await merging.take_apart(county.desk, county.editor, await county.registered())
    assert (await contents(county.database))["lineages"] == before["lineages"]


async def test_a_combined_item_is_returned_to_nobody(county: Room) -> None:
    combined = await merged(county, await two(county))
    with pytest.raises(LifecycleError, match="has no author"):
        await decisions.return_(county.desk, county.editor, combined, "请补充。")
    assert "return" not in (await reading.view(county.desk, county.editor, combined)).actions


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"items": [UUID(int=1)]}, "items"),
        ({"items": [UUID(int=1), UUID(int=1)]}, "Value error, an item stands there twice"),
        ({"items": [UUID(int=1), UUID(int=2)], "shares": "given"}, "parts belong"),
        (
            {"items": [UUID(int=1), UUID(int=2)], "shares": "given", "parts": ["1/2", "1/3"]},
            "add up to 1",
        ),
    ],
    ids=["one", "itself", "no parts", "parts"],
)
def test_what_is_asked_for_must_make_sense(content: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        merging.combination(content)


@pytest.mark.parametrize(
    "actions",
    [(), (Action.DECLINE,), (Action.WITHDRAW,), (Action.REGISTER, Action.CLOSE)],
    ids=["submitted", "declined", "withdrawn", "closed"],
)
async def test_what_is_not_at_hand_is_not_merged(leaf: Room, actions: Sequence[Action]) -> None:
    other = await leaf.registered()
    item = await item_after(leaf, *actions)
    before = await contents(leaf.database)
    with pytest.raises(LifecycleError, match="cannot merge"):
        await merged(leaf, [other, item])
    assert await contents(leaf.database) == before


async def test_a_lower_classification_and_a_long_text_are_refused(leaf: Room) -> None:
    items = await two(leaf)
    before = await contents(leaf.database)
    with pytest.raises(InputError, match="密级不能低于"):
        await merged(leaf, items, classification="public")
    with pytest.raises(TooLongError):
        await merged(leaf, items, body="字" * (leaf.desk.limits.body_characters + 1))
    assert await contents(leaf.database) == before


def test_authors_are_united_with_exact_shares() -> None:
    one = [make_author(name="甲", share="2/3"), make_author(name="乙", share="1/3")]
    other = [make_author(name="乙"), make_author(name="丙")]
    equal = composing.unite([one, other], None)
    assert [(a.name, a.share) for a in equal] == [("甲", None), ("乙", None), ("丙", None)]
    shared = composing.unite([one, other], [Fraction(1, 2)] * 2)
    assert [(a.name, a.share) for a in shared] == [("甲", "1/3"), ("乙", "5/12"), ("丙", "1/4")]
    with pytest.raises(InputError, match="分得太细"):
        composing.unite([one, other], [Fraction(1, 9999), Fraction(9998, 9999)])
    with pytest.raises(InputError, match="51 位作者"):
        composing.unite([[make_author(name=f"甲{n}") for n in range(51)]], None)


# Across levels. ---------------------------------------------------------------------------------


async def sent_up(room: Room, title: str) -> UUID:
    item = await room.registered(title=title)
    await forwarding.forward_up(room.desk, room.editor, item)
    return item


async def test_the_decision_above_reaches_every_author_through_the_combined_item(
    chain: Chain,
) -> None:
    county, city = chain.county, chain.above
    items = [await sent_up(county, title) for title in ("甲", "乙")]
    await chain.deliver()
    for item in items:
        await decisions.register(city.desk, city.editor, item)
    combined = await merged(city, items)
    above = [chain.rooms[office] for office in chain.line[2:]]
    for room in (city, *above):
        if room is not city:
            await decisions.register(room.desk, room.editor, combined)
        if room is not chain.top:
            await forwarding.forward_up(room.desk, room.editor, combined)
            await chain.deliver()
    await decisions.adopt(chain.top.desk, chain.top.editor, combined, issue="第3期")
    await chain.deliver()

    name = chain.top.desk.office.name
    manner = "综合采用" if chain.top is city else "单篇采用"
    wanted = f"合并稿：{name}{manner}，刊于第3期。"
    assert (await county.told_of(county.lin)).count(wanted) == 2
    with pytest.raises(ForwardedError):
        await merged(county, items)


async def test_a_county_hears_that_its_items_were_merged_and_taken_apart(pair: Chain) -> None:
    county, city = pair.county, pair.above
    items = [await sent_up(county, title) for title in ("甲", "乙")]
    await pair.deliver()
    for item in items:
        await decisions.register(city.desk, city.editor, item)
    combined = await merged(city, items)
    await pair.deliver()
    await merging.take_apart(city.desk, city.editor, combined)
    await pair.deliver()
    for item in items:
        view = await reading.view(county.desk, county.lin, item)
        assert view.item.standings[city.desk.node]["state"] == "registered"
        assert [e.kind for e in view.timeline if e.office == city.desk.node] == [
            *("registered", "merged", "unmerged")
        ]


async def test_only_editors_merge(leaf: Room) -> None:
    items = await two(leaf)
    wanted = merging.combination({"items": items})
    before = await contents(leaf.database)
    people: tuple[Actor, ...] = (leaf.lin, leaf.admin, leaf.security, leaf.auditor)
    for person in people:
        with pytest.raises(Exception, match="may not merge"):
            await merging.merge(leaf.desk, person, wanted)
    assert await contents(leaf.database) == before
