"""Drafts on the pages: what they said before, and going back to it without losing anything."""

from __future__ import annotations

from uuid import UUID

from node.workflow import drafts
from node.workflow.drafts import Sketch
from tests.browser import things
from tests.node.browser import send, visit
from tests.node.rooms import Room


async def save(room: Room, draft: UUID, version: int, **content: object) -> None:
    sketch = Sketch.model_validate(content)
    await drafts.save(room.desk, room.lin, draft, version, sketch)


async def test_an_earlier_version_is_shown_beside_the_present_and_taken_over(leaf: Room) -> None:
    draft = await things.rewritten_by_lin(leaf)
    page = f"/drafts/{draft}/versions"
    async with visit(leaf, "lin") as client:
        assert f'href="{page}"' in (await client.get(f"/write?draft={draft}")).text
        listed = (await client.get(page)).text
        assert f"{len(things.SKETCH.body)} 字" in listed
        shown = (await client.get(f"{page}?version=1")).text
        assert "<del>居民私拉电线。</del>" in shown
        assert "<ins>居民从楼上拉线充电。</ins>" in shown
        assert "加急" in shown
        assert "消防" in shown

        sent = {"version": "2", "wanted": "1"}
        taken = await send(client, f"/drafts/{draft}/take-over", sent)
        assert taken.headers["location"] == f"/write?draft={draft}&done=take-over"
        form = (await client.get(taken.headers["location"])).text
        assert "居民私拉电线。" in form
        assert 'name="draft_version" value="3"' in form
        # Nothing was lost, though nobody waited a minute.
        assert "居民从楼上拉线充电。" in (await client.get(f"{page}?version=2")).text


async def test_what_was_saved_meanwhile_is_shown_and_not_replaced(leaf: Room) -> None:
    draft = await things.rewritten_by_lin(leaf)
    await save(leaf, draft, 2, title="在别处又写了")
    async with visit(leaf, "lin") as client:
        sent = {"version": "2", "wanted": "1"}
        answer = await send(client, f"/drafts/{draft}/take-over", sent)
    assert answer.status_code == 409
    assert "在别处又保存过" in answer.text
    assert 'name="version" value="3"' in answer.text
    assert (await drafts.view(leaf.desk, leaf.lin, draft)).content.title == "在别处又写了"


async def test_nobody_else_sees_what_a_draft_said(leaf: Room) -> None:
    draft = await things.rewritten_by_lin(leaf)
    for username in ("chen", "editor"):
        async with visit(leaf, username) as client:
            page = f"/drafts/{draft}/versions"
            answers = [await client.get(page), await client.get(f"{page}?version=1")]
            sent = {"version": "2", "wanted": "1"}
            answers.append(await send(client, f"/drafts/{draft}/take-over", sent))
            assert [one.status_code for one in answers] == [404, 404, 404]


async def test_a_draft_that_could_not_be_handed_in_is_still_the_same_draft(leaf: Room) -> None:
    draft = await things.drafted_by_lin(leaf)
    sent = {"draft": str(draft), "draft_version": "1", "title": "还没有正文"}
    async with visit(leaf, "lin") as client:
        refused = await send(client, "/write", sent)
        long = await send(client, "/write/save", sent | {"title": "长" * 300})
    for answer in (refused, long):
        assert answer.status_code == 422
        assert f'name="draft" value="{draft}"' in answer.text
    assert "草稿没有保存" not in refused.text
    assert (await drafts.list_drafts(leaf.desk, leaf.lin)).total == 1


async def test_a_text_that_met_a_newer_draft_is_saved_beside_it(leaf: Room) -> None:
    draft = await things.rewritten_by_lin(leaf)
    sent = {"draft": str(draft), "draft_version": "1", "title": "第二个窗口里写的"}
    async with visit(leaf, "lin") as client:
        answer = await send(client, "/write/save", sent)
        assert answer.status_code == 409
        assert f'name="draft" value="{draft}"' not in answer.text
        await send(client, "/write/save", {"title": "第二个窗口里写的"})
    listed = await drafts.list_drafts(leaf.desk, leaf.lin)
    assert {one.content.title for one in listed.rows} >= {"第二个窗口里写的"}
    assert listed.total == 2
