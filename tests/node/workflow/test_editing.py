"""Editors make editions of their own; the author's text stays, and nobody overwrites anybody."""

from __future__ import annotations

import itertools
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from node.desk_errors import ClaimedError, StaleError, UnchangedError, UnknownEditionError
from node.errors import ForbiddenError, InputError, PhrasesError, TooLongError
from node.storage.files import Attachment
from node.workflow import decisions, editing, forwarding, purges, reading
from node.workflow.desk import Actor
from node.workflow.editing import Rewriting
from protocol.errors import LifecycleError
from protocol.lifecycle import Action
from tests.node.chain import Chain
from tests.node.rooms import CONTENT, Room, contents
from tests.node.workflow.deeds import DEEDS, item_after


async def edit(room: Room, item: UUID, *, by: Actor | None = None, **content: Any) -> int:
    """The editor makes an edition of the newest one."""
    newest = (await reading.view(room.desk, room.editor, item)).edition
    given = {"based_on": newest.number, "title": newest.title, "body": newest.body, "why": "改字"}
    wanted = Rewriting.model_validate(given | content)
    return await editing.edit(room.desk, by or room.editor, item, wanted)


async def test_an_edition_says_who_made_it_when_and_why_and_the_authors_text_stays(
    county: Room,
) -> None:
    item = await county.registered()
    number = await edit(county, item, body="改过的正文。", why="压缩篇幅", urgency="urgent")
    assert number == 2

    first, second = await editing.history(county.desk, county.reviewer, item)
    assert (first.body, first.editor, first.base) == (CONTENT["body"], None, None)
    assert (second.body, second.editor, second.base) == ("改过的正文。", county.editor.name, 1)
    assert (second.why, second.submitted_at) == ("压缩篇幅", first.submitted_at)
    assert second.edited_at is not None
    view = await reading.view(county.desk, county.editor, item)
    assert (view.item.state, view.item.edition, view.item.urgency) == ("editing", 2, "urgent")
    assert view.edition.authors[0]["name"] == "林晓雨"
    assert view.timeline[-1].sentence == "编辑存为第 2 稿：压缩篇幅。"
    mine = await reading.view(county.desk, county.lin, item)
    assert [entry.kind for entry in mine.timeline] == ["submitted", "registered"]


async def test_two_editions_are_compared_by_sentence(leaf: Room) -> None:
    item = await leaf.registered(body="路灯坏了。请尽快修。")
    await edit(leaf, item, title="路灯损坏", body="路灯坏了。建议尽快修。")
    found = await editing.compare(leaf.desk, leaf.signer, item, 1, 2)
    assert [(part.kind, part.after) for part in found.body] == [
        ("equal", "路灯坏了。"),
        ("changed", "建议尽快修。"),
    ]
    assert found.after.title == "路灯损坏"
    with pytest.raises(UnknownEditionError):
        await editing.compare(leaf.desk, leaf.signer, item, 1, 3)


async def test_whoever_worked_on_an_older_edition_is_told_who_changed_it_and_loses_nothing(
    leaf: Room,
) -> None:
    item = await leaf.registered()
    await edit(leaf, item, title="新标题", why="改标题")
    before = await contents(leaf.database)
    with pytest.raises(StaleError, match=r"编辑已于.*存为第 2 稿：改标题"):
        await edit(leaf, item, based_on=1, title="另一标题")
    assert await contents(leaf.database) == before


async def test_a_new_edition_of_the_author_is_told_to_an_editor_who_had_the_old_one(
    leaf: Room,
) -> None:
    item = await item_after(leaf, Action.RETURN, Action.RESUBMIT, Action.REGISTER)
    with pytest.raises(StaleError, match="第 2 稿来自撰稿人"):
        await edit(leaf, item, based_on=1, title="另一标题")


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ({}, UnchangedError),
        ({"body": "长" * 3001}, TooLongError),
        ({"body": "绝密★启用前"}, PhrasesError),
        ({"classification": "public"}, InputError),
    ],
)
async def test_what_does_not_fit_changes_nothing(
    leaf: Room, content: dict[str, Any], error: type[Exception]
) -> None:
    item = await leaf.registered()
    before = await contents(leaf.database)
    with pytest.raises(error):
        await edit(leaf, item, **content)
    assert await contents(leaf.database) == before


@pytest.mark.parametrize("content", [{"why": ""}, {"title": ""}, {"body": "字\x00"}, {"more": 1}])
async def test_an_edition_needs_a_reason_a_title_and_a_clean_text(content: dict[str, Any]) -> None:
    given = {"based_on": 1, "title": "标题", "body": "正文", "why": "改字"}
    with pytest.raises(ValidationError):
        Rewriting.model_validate(given | content)


async def test_what_was_declined_is_not_edited_and_authors_edit_nothing(leaf: Room) -> None:
    item = await item_after(leaf, Action.DECLINE)
    with pytest.raises(LifecycleError, match="cannot edit: the item is declined"):
        await edit(leaf, item, title="新标题")
    for actor in (leaf.lin, leaf.signer, leaf.admin):
        with pytest.raises(ForbiddenError):
            await edit(leaf, item, by=actor, title="新标题")


async def test_an_edition_has_the_files_of_the_one_before(leaf: Room) -> None:
    item = await leaf.registered()
    async with leaf.database.writing.begin() as session:
        session.add(
            Attachment(
                item_id=item,
                edition=1,
                position=0,
                digest="ab" * 32,
                name="照片.png",
                media_type="image/png",
                size=3,
                pieces=["ab" * 32],
            )
        )
    await edit(leaf, item, title="新标题")
    async with leaf.database.reading() as session:
        names = await session.execute(select(Attachment.edition, Attachment.name))
    assert sorted(tuple(row) for row in names) == [(1, "照片.png"), (2, "照片.png")]


async def test_a_purge_leaves_no_word_of_an_edition(county: Room) -> None:
    item = await county.registered()
    await edit(county, item, body="不该留下的话。", why="为何不该留下")
    await purges.purge(county.desk, county.security, item, "误报")
    kept = str(await contents(county.database))
    assert "不该留下" not in kept


async def test_what_an_editor_made_goes_up_with_the_signed_message_of_the_office_below(
    chain: Chain,
) -> None:
    item = await chain.county.registered()
    line = [chain.rooms[office] for office in chain.line]
    for room, above in itertools.pairwise(line):
        if room is not chain.county:
            await decisions.register(room.desk, room.editor, item)
        await edit(room, item, title=f"{room.desk.office.name}的标题")
        await forwarding.forward_up(room.desk, room.editor, item)
        await chain.deliver()
        view = await reading.view(above.desk, above.editor, item)
        assert view.item.title == f"{room.desk.office.name}的标题"
        assert view.edition.authors[0]["name"] == "林晓雨"


async def test_an_edition_from_below_takes_another_number_where_an_editor_had_that_one(
    pair: Chain,
) -> None:
    county, city = pair.county, pair.above
    item = await county.registered()
    await forwarding.forward_up(county.desk, county.editor, item)
    await pair.deliver()
    await decisions.register(city.desk, city.editor, item)
    await edit(city, item, title="市里的标题")
    await DEEDS[Action.RETURN](city.desk, city.editor, item)
    await pair.deliver()
    await DEEDS[Action.RESUBMIT](county.desk, county.lin, item)
    await forwarding.forward_up(county.desk, county.editor, item)
    await pair.deliver()

    editions = await editing.history(city.desk, city.editor, item)
    assert [(one.number, one.title) for one in editions] == [
        (1, CONTENT["title"]),
        (2, "市里的标题"),
        (3, CONTENT["title"]),
    ]
    view = await reading.view(city.desk, city.editor, item)
    assert (view.item.edition, view.edition.body) == (3, "改过的正文。")
    assert view.item.state == "submitted"


async def test_nobody_edits_what_somebody_else_is_working_on(leaf: Room) -> None:
    item = await leaf.registered()
    await edit(leaf, item, title="新标题")
    with pytest.raises(ClaimedError, match=r"编辑自.*起办理"):
        await edit(leaf, item, by=leaf.reviewer, title="另一标题")
