"""Drafts of a new edition: begun with what was returned, saved as they grow, handed in once."""

from __future__ import annotations

import asyncio
import re
from typing import Any
from uuid import UUID

import pytest

from node.draft_errors import DraftChangedError, UnknownDraftError
from node.errors import InputError, UnknownFileError, UnknownItemError
from node.workflow import drafts, files, issues, purges, reading, revisions, submissions
from node.workflow.drafts import Sketch
from node.workflow.issues import NewIssue
from protocol.errors import LifecycleError
from protocol.lifecycle import Action
from tests.files import chunks, digest, pdf
from tests.node.browser import problem, send, visit
from tests.node.chain import Chain
from tests.node.rooms import CONTENT, Room, contents, draft
from tests.node.workflow.deeds import do, item_after

ONE, TWO = pdf(3_000), pdf(4_000, 2)


async def returned(room: Room, **content: Any) -> UUID:
    item = await room.registered(**content)
    await do(room, Action.RETURN, item)
    return item


async def brought(room: Room, content: bytes, name: str) -> dict[str, str]:
    stored = await files.store(room.desk, room.lin, name, chunks(content))
    return {"digest": stored.digest, "name": name}


async def test_it_begins_with_the_edition_that_was_returned_and_becomes_the_next_one(
    county: Room,
) -> None:
    item = await returned(county, tags=["电梯"], urgency="urgent")
    begun = await revisions.open_draft(county.desk, county.lin, item)
    assert (begun.item_id, begun.content.title) == (item, CONTENT["title"])
    assert (begun.content.tags, begun.content.urgency) == (("电梯",), "urgent")
    assert await revisions.open_draft(county.desk, county.lin, item) == begun
    sketch = begun.content.model_copy(update={"body": "补充了数据：六十七个小区。"})
    saved = await drafts.save(county.desk, county.lin, begun.id, begun.version, sketch)
    made = await drafts.submit(county.desk, county.lin, saved.id, saved.version)
    assert made == item
    view = await reading.view(county.desk, county.lin, item)
    assert (view.item.state, view.edition.number) == ("submitted", 2)
    assert view.edition.body == "补充了数据：六十七个小区。"
    assert (await drafts.list_drafts(county.desk, county.lin)).total == 0
    with pytest.raises(UnknownDraftError):
        await drafts.view(county.desk, county.lin, saved.id)


async def test_however_often_it_is_handed_in_there_is_one_new_edition(county: Room) -> None:
    item = await returned(county)
    begun = await revisions.open_draft(county.desk, county.lin, item)
    made = await asyncio.gather(
        *(drafts.submit(county.desk, county.lin, begun.id, begun.version) for _ in range(3))
    )
    assert [*made, await drafts.submit(county.desk, county.lin, begun.id, 1)] == [item] * 4
    assert (await reading.view(county.desk, county.lin, item)).edition.number == 2
    with pytest.raises(UnknownDraftError):
        await drafts.submit(county.desk, county.chen, begun.id, 1)
    # Returned once more, it begins anew.
    for action in (Action.REGISTER, Action.RETURN):
        await do(county, action, item)
    assert (await revisions.open_draft(county.desk, county.lin, item)).id != begun.id


async def test_files_of_the_returned_edition_stay_and_new_ones_are_added(county: Room) -> None:
    first = await brought(county, ONE, "一.pdf")
    item = await returned(county, attachments=[first])
    begun = await revisions.open_draft(county.desk, county.lin, item)
    assert [file.name for file in begun.content.attachments] == ["一.pdf"]
    both = [first, await brought(county, TWO, "二.pdf")]
    sketch = drafts.sketch(begun.content.model_dump(mode="json") | {"attachments": both})
    saved = await drafts.save(county.desk, county.lin, begun.id, begun.version, sketch)
    await drafts.submit(county.desk, county.lin, saved.id, saved.version)
    view = await reading.view(county.desk, county.lin, item)
    assert [file.name for file in view.files] == ["一.pdf", "二.pdf"]


@pytest.mark.parametrize(
    "actions", [(), (Action.REGISTER,), (Action.DECLINE,)], ids=["new", "registered", "declined"]
)
async def test_what_was_not_returned_is_not_rewritten(
    county: Room, actions: tuple[Action, ...]
) -> None:
    item = await item_after(county, *actions)
    before = await contents(county.database)
    with pytest.raises(LifecycleError):
        await revisions.open_draft(county.desk, county.lin, item)
    with pytest.raises(UnknownItemError):
        await revisions.open_draft(county.desk, county.chen, item)
    assert await contents(county.database) == before


async def test_a_draft_of_an_item_that_somebody_else_handed_in_meanwhile_stays(
    county: Room,
) -> None:
    item = await returned(county)
    begun = await revisions.open_draft(county.desk, county.lin, item)
    await submissions.resubmit(county.desk, county.editor, item, draft(body="编辑代改。"))
    with pytest.raises(LifecycleError):
        await drafts.submit(county.desk, county.lin, begun.id, begun.version)
    assert (await drafts.view(county.desk, county.lin, begun.id)).content == begun.content


async def test_a_second_window_overwrites_nothing(county: Room) -> None:
    item = await returned(county)
    begun = await revisions.begin(county.desk, county.lin, item, Sketch(title="第一个窗口"))
    with pytest.raises(DraftChangedError) as told:
        await revisions.begin(county.desk, county.lin, item, Sketch(title="第二个窗口"))
    assert told.value.stored["content"]["title"] == "第一个窗口"
    found = await revisions.find(county.desk, county.lin, item)
    assert found == begun
    with pytest.raises(InputError, match="还没有填写：正文、领域"):
        await drafts.submit(county.desk, county.lin, begun.id, begun.version)


async def test_what_the_office_above_returned_is_rewritten_from_a_draft_too(pair: Chain) -> None:
    item = await pair.county.submit()
    await pair.climb(item)
    await do(pair.above, Action.RETURN, item)
    await pair.deliver()
    county = pair.county
    begun = await revisions.open_draft(county.desk, county.lin, item)
    await drafts.submit(county.desk, county.lin, begun.id, begun.version)
    view = await reading.view(county.desk, county.lin, item)
    assert (view.edition.number, view.timeline[-1].kind) == (2, "revised")


async def test_a_purge_takes_the_draft_of_a_new_edition(county: Room) -> None:
    item = await returned(county)
    begun = await revisions.open_draft(county.desk, county.lin, item)
    sketch = begun.content.model_copy(update={"body": "不该在这里的话。"})
    await drafts.save(county.desk, county.lin, begun.id, begun.version, sketch)
    await purges.purge(county.desk, county.security, item, "误报。")
    said = str(await contents(county.database))
    assert "不该在这里的话" not in said
    assert CONTENT["body"].split("\n")[0] not in said


async def test_two_drafts_may_name_one_file_and_both_are_handed_in(county: Room) -> None:
    file = await brought(county, ONE, "一.pdf")
    both = [
        await drafts.begin(
            county.desk,
            county.lin,
            Sketch.model_validate(CONTENT | {"title": title, "attachments": [file]}),
        )
        for title in ("甲", "乙")
    ]
    for one in both:
        item = await drafts.submit(county.desk, county.lin, one.id, one.version)
        view = await reading.view(county.desk, county.lin, item)
        assert [found.digest for found in view.files] == [digest(ONE)]
    # Named by nobody any more, it opens nothing.
    with pytest.raises(UnknownFileError):
        await county.submit(attachments=[file])


async def test_a_purge_takes_the_title_of_an_issue_that_holds_the_item_alone(leaf: Room) -> None:
    alone, shared, other = [await leaf.registered() for _ in range(3)]
    made = []
    for title, items in (("老旧小区充电难", (alone,)), ("第三期", (shared, other))):
        wanted = NewIssue(
            series="special_report", title=title, primary_recipients=("县长",), items=items
        )
        made.append(await issues.begin(leaf.desk, leaf.editor, wanted))
    for item in (alone, shared):
        await purges.purge(leaf.desk, leaf.security, item, "误报。")
    titles = [(await issues.view(leaf.desk, leaf.editor, one)).issue.title for one in made]
    assert titles == ["（内容已清除）", "第三期"]


@pytest.mark.usefixtures("quick_passwords")
async def test_it_is_saved_while_one_writes_and_handed_in_from_the_page(leaf: Room) -> None:
    item = await returned(leaf)
    page = f"/items/{item}/resubmit"
    content = {"title": CONTENT["title"], "body": "写到一半。", "topic": "city", "item": str(item)}
    async with visit(leaf, "lin") as client:
        first = (await client.get(page)).text
        assert 'name="draft"' not in first
        saved = await send(client, "/write/save", content)
        assert saved.headers["location"] == f"{page}?done=draft"
        shown = (await client.get(page)).text
        assert "写到一半。" in shown
        hidden = dict(re.findall(r'name="(draft|draft_version)" value="([^"]+)"', shown))
        listed = (await client.get("/write")).text
        assert f"/write?draft={hidden['draft']}" in listed
        to_page = await client.get("/write", params={"draft": hidden["draft"]})
        assert to_page.headers["location"] == page
        whole = content | hidden | {"body": "写完了。"}
        done = await send(client, page, whole)
        assert done.headers["location"] == f"/items/{item}?done=resubmit"
    view = await reading.view(leaf.desk, leaf.lin, item)
    assert (view.edition.number, view.edition.body) == (2, "写完了。")


@pytest.mark.usefixtures("quick_passwords")
async def test_it_is_opened_over_the_api(leaf: Room) -> None:
    item = await returned(leaf)
    async with visit(leaf, "lin") as client:
        begun = (await client.post(f"/api/v1/items/{item}/draft")).json()
        assert (begun["item_id"], begun["version"]) == (str(item), 1)
        path = f"/api/v1/drafts/{begun['id']}/submit"
        assert (await client.post(path, json={"version": 1})).json() == {"id": str(item)}
        problem(await client.post(f"/api/v1/items/{item}/draft"), 409, "item.state")
