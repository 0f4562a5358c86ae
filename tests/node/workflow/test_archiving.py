"""Archiving: what is done with for good, who is told, and that nothing is changed after it."""

from __future__ import annotations

import zipfile
from datetime import date, timedelta
from io import BytesIO
from typing import Any

import pytest

from node.errors import ForbiddenError, UnknownItemError
from node.workflow import (
    archiving,
    assignments,
    casefile,
    checks,
    decisions,
    merging,
    notes,
    purges,
    ratings,
    reading,
    record,
    retention,
    tags,
    triage,
)
from node.workflow.assignments import Order
from protocol.errors import ArchivedError, LifecycleError
from protocol.lifecycle import Action
from tests.node.browser import problem, send, visit
from tests.node.chain import Chain
from tests.node.rooms import Room, contents
from tests.node.workflow.deeds import DEEDS, do, item_after
from tests.node.workflow.test_assignments import given, with_bureau


async def listed(room: Room) -> list[Any]:
    page = await archiving.waiting(room.desk, room.editor)
    assert page.total == len(page.rows)
    return [row.item_id for row in page.rows]


async def test_what_is_done_with_waits_to_be_archived_the_longest_first(county: Room) -> None:
    declined = await item_after(county, Action.DECLINE)
    county.clock.move(timedelta(hours=1))
    closed = await item_after(county, Action.REGISTER, Action.ADOPT, Action.CLOSE)
    for actions in ((), (Action.REGISTER,), (Action.RETURN,), (Action.REGISTER, Action.ADOPT)):
        await item_after(county, *actions)
    purged = await item_after(county, Action.DECLINE)
    await purges.purge(county.desk, county.security, purged, "误报。")
    assert await listed(county) == [declined, closed]
    await archiving.archive(county.desk, county.editor, declined)
    assert await listed(county) == [closed]


async def test_an_archived_item_says_until_when_it_is_kept_by_what_became_of_it(
    county: Room,
) -> None:
    year = county.clock().year
    adopted = await item_after(county, Action.REGISTER, Action.ADOPT, Action.CLOSE)
    declined = await item_after(county, Action.DECLINE)
    # The period begins with the year after it was done with, not after it was put away.
    county.clock.move(timedelta(days=400))
    for item, years in ((adopted, 30), (declined, 10)):
        until = await archiving.archive(county.desk, county.editor, item)
        assert until == date(year + years, 12, 31)
        view = await reading.view(county.desk, county.lin, item)
        assert view.timeline[-1].sentence == f"东湖县政协归档，保管 {years} 年，到 {until}。"
        assert view.actions == ()
        assert (await county.told_of(county.lin))[-1] == view.timeline[-1].sentence


async def test_nothing_that_people_do_changes_an_archived_item(pair: Chain) -> None:
    county = pair.county
    item = await item_after(county, Action.REGISTER, Action.CLOSE, Action.ARCHIVE)
    desk, editor = county.desk, county.editor
    before = await contents(county.database)
    others = (
        lambda: notes.write(desk, editor, item, "请看。", "above"),
        lambda: tags.set_tags(desk, editor, item, ("电梯",)),
        lambda: triage.claim(desk, editor, item),
        lambda: triage.assign(desk, editor, item, "editor"),
        lambda: assignments.assign(desk, editor, item, Order(office="x", text="办。")),
        lambda: ratings.rate(desk, county.lin, item, ratings.Given(score=5)),
        lambda: checks.note(
            desk, editor, item, edition=1, kind="factual", passed=True, opinion=None
        ),
    )
    for action in DEEDS:
        with pytest.raises(ArchivedError, match=f"cannot {action}: the item is archived"):
            await do(county, action, item)
    for other in others:
        with pytest.raises(ArchivedError):
            await other()
    assert await contents(county.database) == before


@pytest.mark.parametrize(
    "actions",
    [(), (Action.REGISTER,), (Action.REGISTER, Action.ADOPT), (Action.RETURN,)],
    ids=["submitted", "registered", "adopted", "returned"],
)
async def test_what_is_not_done_with_is_not_archived(
    county: Room, actions: tuple[Action, ...]
) -> None:
    item = await item_after(county, *actions)
    before = await contents(county.database)
    with pytest.raises(LifecycleError, match="cannot archive: the item is"):
        await archiving.archive(county.desk, county.editor, item)
    assert await contents(county.database) == before


async def test_an_item_with_open_work_is_neither_listed_nor_archived(leaf: Room) -> None:
    await with_bureau(leaf)
    item, _ = await given(leaf)
    await decisions.close(leaf.desk, leaf.editor, item)
    assert await listed(leaf) == []
    with pytest.raises(LifecycleError, match="还有交办的工作没有办完"):
        await archiving.archive(leaf.desk, leaf.editor, item)


async def test_the_office_below_and_the_author_are_told_and_what_comes_later_still_arrives(
    pair: Chain,
) -> None:
    item = await pair.county.submit()
    await pair.climb(item)
    above = pair.above
    await do(above, Action.CLOSE, item)
    await archiving.archive(above.desk, above.editor, item)
    await pair.deliver()
    told = await pair.county.told_of(pair.county.lin)
    assert told[-1].startswith("云州市政协归档，保管 10 年")
    # The county has put nothing away: it goes on.
    await do(pair.county, Action.ADOPT, item)
    await do(pair.county, Action.CLOSE, item)
    await archiving.archive(pair.county.desk, pair.county.editor, item)
    view = await reading.view(pair.county.desk, pair.county.editor, item)
    kept = [record.standing_of(view.item, node) for node in view.item.standings]
    assert all(one is not None and one.archived for one in kept)


async def test_an_original_is_archived_with_the_combined_item(county: Room) -> None:
    parts = [await county.registered(title=title) for title in ("甲", "乙")]
    wanted = merging.combination({"items": parts, "title": "合"})
    combined = await merging.merge(county.desk, county.editor, wanted)
    await do(county, Action.CLOSE, combined)
    assert await listed(county) == [combined]
    await archiving.archive(county.desk, county.editor, combined)
    for part in parts:
        view = await reading.view(county.desk, county.editor, part)
        assert archiving.is_archived(county.desk, view.item)
        assert view.timeline[-1].sentence.startswith("合并稿：东湖县政协归档")


async def test_what_was_declined_and_archived_is_kept_for_its_period_too(county: Room) -> None:
    item = await item_after(county, Action.DECLINE)
    other = await item_after(county, Action.DECLINE)
    await archiving.archive(county.desk, county.editor, item)
    county.clock.move(timedelta(days=366 * 12))
    page = await retention.due(county.desk, county.security)
    assert [row.item_id for row in page.rows] == [item]
    assert other not in [row.item_id for row in page.rows]
    await purges.purge(county.desk, county.security, item, "保管期满。")


async def test_only_editors_archive(county: Room) -> None:
    item = await item_after(county, Action.DECLINE)
    for actor in (county.lin, county.signer, county.security):
        with pytest.raises(ForbiddenError):
            await archiving.archive(county.desk, actor, item)
    with pytest.raises(UnknownItemError):
        await archiving.archive(county.desk, county.editor, county.desk.new_id())


async def test_the_items_file_says_that_it_was_archived(leaf: Room) -> None:
    item = await item_after(leaf, Action.DECLINE)
    for wanted in ("未归档", "东湖县政协归档，保管 10 年"):
        case = await casefile.gather(leaf.desk, leaf.editor, item)
        with zipfile.ZipFile(BytesIO(b"".join(casefile.pack(case)))) as archive:
            assert wanted in archive.read("说明.html").decode()
        if wanted == "未归档":
            await archiving.archive(leaf.desk, leaf.editor, item)


@pytest.mark.usefixtures("quick_passwords")
async def test_it_is_archived_over_http_and_refused_with_a_code_of_its_own(leaf: Room) -> None:
    item = await item_after(leaf, Action.DECLINE)
    async with visit(leaf, "editor") as client:
        assert (await client.get("/api/v1/archive")).json()["items"][0]["item_id"] == str(item)
        path = f"/api/v1/items/{item}/archive"
        assert (await client.post(path)).json() == {"until": f"{leaf.clock().year + 10}-12-31"}
        told = problem(await client.post(path), 409, "item.archived")
        assert told["title"] == "这件信息已经归档，不能再改动。"
        page = await send(client, f"/items/{item}/note", {"to": "above", "text": "补充。"})
    assert (page.status_code, "这件信息已经归档" in page.text) == (409, True)


@pytest.mark.usefixtures("quick_passwords")
async def test_of_several_those_are_archived_that_can_be_and_of_the_rest_is_said_why_not(
    leaf: Room,
) -> None:
    good = [await item_after(leaf, Action.DECLINE) for _ in range(2)]
    bad = await item_after(leaf, Action.REGISTER)
    unknown = leaf.desk.new_id()
    chosen = [str(good[0]), str(bad), str(unknown), str(good[1])]
    async with visit(leaf, "editor") as client:
        answer = await send(client, "/archive", {"item": chosen})
        nothing = await send(client, "/archive", {})
        rest = await send(client, "/archive", {"item": [str(bad)]})
    assert answer.status_code == 409
    assert "有几件没有办成" in answer.text
    assert f'<a href="/items/{bad}">老旧小区电动自行车充电难</a>：这件信息目前的状态' in answer.text
    assert "（没有这件信息）" in answer.text
    assert await listed(leaf) == []
    assert (nothing.status_code, "请先勾选至少 1 件信息" in nothing.text) == (422, True)
    assert "勾选的都没有办成" in rest.text
