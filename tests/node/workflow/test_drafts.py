"""Drafts: saved as their author writes, kept for a while, handed in once, seen by nobody else."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from node.draft_errors import (
    DraftChangedError,
    TooManyDraftsError,
    UnknownDraftError,
    UnknownVersionError,
)
from node.errors import (
    ForbiddenError,
    InputError,
    PhrasesError,
    TooLongError,
    UnknownFileError,
)
from node.storage.drafts import Draft, DraftFile, DraftVersion
from node.storage.items import Item
from node.workflow import departures, draft_history, drafts, files, personal, reading
from node.workflow.drafts import DraftView, Sketch
from protocol.errors import ClassifiedError
from tests.node.rooms import CONTENT, Room, contents

LATER = timedelta(minutes=2)


def sketch(**content: Any) -> Sketch:
    return Sketch.model_validate(CONTENT | content)


async def begin(room: Room, **content: Any) -> DraftView:
    return await drafts.begin(room.desk, room.lin, sketch(**content))


async def save(room: Room, draft: DraftView, **content: Any) -> DraftView:
    return await drafts.save(room.desk, room.lin, draft.id, draft.version, sketch(**content))


async def stored(room: Room) -> Any:
    async def chunks() -> Any:
        yield "一段说明。".encode()

    return await files.store(room.desk, room.lin, "说明.txt", chunks())


async def test_a_draft_may_be_empty_and_is_saved_as_it_grows(county: Room) -> None:
    draft = await drafts.begin(county.desk, county.lin, Sketch())
    draft = await save(county, draft, body="第一句。")
    draft = await save(county, draft, body="第一句。第二句。", share="1/2")

    seen = await drafts.view(county.desk, county.lin, draft.id)
    assert (seen.version, seen.content.body, seen.content.share) == (3, "第一句。第二句。", "1/2")
    assert seen.changed_at > seen.created_at


async def test_saving_the_same_again_makes_no_new_version(county: Room) -> None:
    draft = await begin(county)
    assert await save(county, draft) == draft


async def test_a_stale_version_is_shown_what_is_stored_and_changes_nothing(county: Room) -> None:
    draft = await begin(county)
    await save(county, draft, title="第一个窗口")
    before = await contents(county.database)

    with pytest.raises(DraftChangedError, match="已保存到第 2 版，您改的是第 1 版") as refused:
        await save(county, draft, title="第二个窗口")
    assert refused.value.stored["version"] == 2
    assert refused.value.stored["content"]["title"] == "第一个窗口"
    for deed in (
        drafts.discard(county.desk, county.lin, draft.id, 1),
        drafts.submit(county.desk, county.lin, draft.id, 1),
    ):
        with pytest.raises(DraftChangedError):
            await deed
    assert await contents(county.database) == before


async def test_what_was_replaced_is_kept_once_a_minute_at_most(county: Room) -> None:
    draft = await begin(county, title="第1版")
    for number in (2, 3):
        draft = await save(county, draft, title=f"第{number}版")
    county.clock.move(LATER)
    draft = await save(county, draft, title="第4版")

    kept = await draft_history.versions(county.desk, county.lin, draft.id)
    assert [(one.version, one.title) for one in kept] == [(3, "第3版"), (1, "第1版")]
    assert kept[0].characters == len(CONTENT["body"])
    earlier = await draft_history.earlier(county.desk, county.lin, draft.id, 3)
    assert (earlier.version, earlier.content.title) == (3, "第3版")
    for missing in (2, 4, 99):
        with pytest.raises(UnknownVersionError):
            await draft_history.earlier(county.desk, county.lin, draft.id, missing)


async def test_an_earlier_version_is_taken_over_and_what_it_replaces_is_always_kept(
    county: Room,
) -> None:
    draft = await begin(county, title="第1版")
    for number in (2, 3):
        draft = await save(county, draft, title=f"第{number}版")
    taken = await draft_history.take_over(county.desk, county.lin, draft.id, 3, 1)
    assert (taken.version, taken.content.title) == (4, "第1版")
    back = await draft_history.take_over(county.desk, county.lin, draft.id, 4, 3)
    assert (back.version, back.content.title) == (5, "第3版")
    kept = await draft_history.versions(county.desk, county.lin, draft.id)
    assert [one.version for one in kept] == [4, 3, 1]
    with pytest.raises(DraftChangedError):
        await draft_history.take_over(county.desk, county.lin, draft.id, 4, 1)
    with pytest.raises(UnknownVersionError):
        await draft_history.take_over(county.desk, county.lin, draft.id, 5, 2)
    assert (await drafts.view(county.desk, county.lin, draft.id)).version == 5


async def test_a_file_that_was_cleared_away_stays_away_when_its_version_is_taken_over(
    county: Room,
) -> None:
    file = await stored(county)
    draft = await begin(county, attachments=[{"digest": file.digest, "name": "说明.txt"}])
    draft = await save(county, draft, title="没有附件")
    seen = await draft_history.compare(county.desk, county.lin, draft.id, 1)
    assert seen.gone == ()
    county.clock.move(timedelta(days=3))
    await files.clear(county.desk)
    seen = await draft_history.compare(county.desk, county.lin, draft.id, 1)
    assert [one.name for one in seen.gone] == ["说明.txt"]
    taken = await draft_history.take_over(county.desk, county.lin, draft.id, 2, 1)
    assert taken.content == sketch()


async def test_no_more_than_the_newest_versions_are_kept(
    leaf: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts, "MOST_KEPT", 3)
    draft = await begin(leaf, title="第1版")
    for number in range(2, 8):
        leaf.clock.move(LATER)
        draft = await save(leaf, draft, title=f"第{number}版")

    kept = await draft_history.versions(leaf.desk, leaf.lin, draft.id)
    assert [one.version for one in kept] == [6, 5, 4]


async def test_the_list_has_the_last_saved_first_and_nobody_elses(county: Room) -> None:
    first = await begin(county, title="甲")
    second = await begin(county, title="乙")
    await drafts.begin(county.desk, county.chen, Sketch())
    await save(county, first, title="甲改")

    page = await drafts.list_drafts(county.desk, county.lin)
    assert [row.id for row in page.rows] == [first.id, second.id]
    assert page.total == 2
    part = await drafts.list_drafts(county.desk, county.lin, offset=1, limit=1)
    assert ([row.id for row in part.rows], part.total) == ([second.id], 2)


async def test_nobody_else_sees_or_touches_a_draft(county: Room) -> None:
    draft = await begin(county)
    before = await contents(county.database)
    for actor in (county.chen, county.editor):
        assert (await drafts.list_drafts(county.desk, actor)).total == 0
        for deed in (
            drafts.view(county.desk, actor, draft.id),
            draft_history.versions(county.desk, actor, draft.id),
            draft_history.earlier(county.desk, actor, draft.id, 1),
            draft_history.compare(county.desk, actor, draft.id, 1),
            draft_history.take_over(county.desk, actor, draft.id, 2, 1),
            drafts.save(county.desk, actor, draft.id, 1, Sketch()),
            drafts.discard(county.desk, actor, draft.id, 1),
            drafts.submit(county.desk, actor, draft.id, 1),
        ):
            with pytest.raises(UnknownDraftError) as hidden:
                await deed
            assert hidden.value.refused is not None
    with pytest.raises(ForbiddenError):
        await drafts.view(county.desk, county.leader, draft.id)
    assert await contents(county.database) == before


async def test_a_draft_becomes_an_item_under_its_own_id_and_is_gone(county: Room) -> None:
    file = await stored(county)
    named = [{"digest": file.digest, "name": "说明.txt"}]
    draft = await begin(
        county, urgency="urgent", attachments=named, co_authors=[{"username": "chen"}]
    )
    draft = await save(county, draft, title="改过", attachments=named)

    item = await drafts.submit(county.desk, county.lin, draft.id, draft.version)
    assert item == draft.id
    view = await reading.view(county.desk, county.lin, item)
    assert (view.item.title, view.item.state) == ("改过", "submitted")
    assert [one.name for one in view.files] == ["说明.txt"]
    async with county.database.reading() as session:
        for table in (Draft, DraftVersion, DraftFile):
            assert (await session.scalars(select(table))).all() == []


async def test_a_draft_that_is_handed_in_twice_becomes_one_item(county: Room) -> None:
    draft = await begin(county)
    asked = [drafts.submit(county.desk, county.lin, draft.id, 1) for _ in range(3)]
    assert await asyncio.gather(*asked) == [draft.id] * 3
    assert await drafts.submit(county.desk, county.lin, draft.id, 1) == draft.id
    async with county.database.reading() as session:
        assert (await session.scalars(select(Item.id))).all() == [draft.id]
    with pytest.raises(UnknownDraftError):
        await drafts.submit(county.desk, county.chen, draft.id, 1)


async def test_a_draft_that_came_back_with_a_backup_is_not_handed_in_again(county: Room) -> None:
    draft = await begin(county)
    await drafts.submit(county.desk, county.lin, draft.id, 1)
    async with county.database.writing.begin() as session:
        session.add(
            Draft(
                id=draft.id,
                person_id=county.lin.id,
                version=1,
                content=draft.content.model_dump(mode="json"),
                created_at=draft.created_at,
                changed_at=draft.changed_at,
            )
        )
    assert await drafts.submit(county.desk, county.lin, draft.id, 1) == draft.id
    assert (await drafts.list_drafts(county.desk, county.lin)).total == 0


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        ({"title": "", "topic": None}, InputError, "还没有填写：标题、领域"),
        ({"body": ""}, InputError, "还没有填写：正文"),
        ({"title": "长" * 61}, TooLongError, "最多 60 字"),
        ({"body": "这是绝密。"}, PhrasesError, "绝密"),
        ({"co_authors": [{"name": "沈"}]}, InputError, "每位撰稿人都须有姓名、身份和单位"),
    ],
)
async def test_what_cannot_be_handed_in_stays_a_draft(
    leaf: Room, content: dict[str, Any], error: type[Exception], words: str
) -> None:
    draft = await begin(leaf, **content)
    before = await contents(leaf.database)
    with pytest.raises(error, match=words):
        await drafts.submit(leaf.desk, leaf.lin, draft.id, 1)
    assert await contents(leaf.database) == before


async def test_phrases_that_the_author_confirmed_are_handed_in(leaf: Room) -> None:
    draft = await begin(leaf, body="这不涉密。")
    await drafts.submit(leaf.desk, leaf.lin, draft.id, 1, confirmed=True)
    assert await leaf.state(draft.id) == "submitted"


@pytest.mark.parametrize("sign", ["\x00", "\u202e", "\u2066", "\u200e", "\u200f", "\u061c"])
def test_signs_that_nobody_sees_or_that_turn_the_text_are_refused(sign: str) -> None:
    for field in ("title", "body"):
        with pytest.raises(ValueError, match="control characters are not allowed"):
            sketch(**{field: f"电{sign}梯"})


def test_what_claims_to_be_secret_is_not_even_saved() -> None:
    with pytest.raises(ClassifiedError):
        sketch(classification="机密")


async def test_a_file_that_a_draft_names_is_kept_until_the_draft_is_gone(county: Room) -> None:
    file = await stored(county)
    draft = await begin(county, attachments=[{"digest": file.digest, "name": "说明.txt"}])
    place = county.desk.shelf.place(file.digest)

    county.clock.move(timedelta(days=3))
    await files.clear(county.desk)
    assert place.exists()
    await drafts.discard(county.desk, county.lin, draft.id, draft.version)
    await files.clear(county.desk)
    assert not place.exists()


async def test_a_draft_names_only_what_its_author_brought(county: Room) -> None:
    file = await stored(county)
    named = sketch(attachments=[{"digest": file.digest, "name": "说明.txt"}])
    before = await contents(county.database)
    with pytest.raises(UnknownFileError):
        await drafts.begin(county.desk, county.chen, named)
    assert await contents(county.database) == before


async def test_a_person_has_so_many_drafts_and_no_more(
    leaf: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts, "MOST_DRAFTS", 2)
    for _ in range(2):
        await begin(leaf)
    with pytest.raises(TooManyDraftsError):
        await begin(leaf)
    await drafts.begin(leaf.desk, leaf.chen, Sketch())


async def test_the_copy_for_a_person_has_his_drafts_that_for_an_administrator_has_not(
    leaf: Room,
) -> None:
    await begin(leaf, title="没写完的")
    own = await personal.copy_of(leaf.desk, leaf.lin, leaf.lin.id)
    assert [draft["title"] for draft in own["drafts"]] == ["没写完的"]
    assert "drafts" not in await personal.copy_of(leaf.desk, leaf.security, leaf.lin.id)


async def test_drafts_of_somebody_who_left_go_with_his_contact_data(county: Room) -> None:
    await begin(county)
    kept = await drafts.begin(county.desk, county.chen, Sketch())
    today = county.clock().date()
    await departures.leave(
        county.desk, county.security, county.lin.id, 1, on=today, left_for="退休"
    )
    county.clock.move(timedelta(days=800))
    await departures.erase_due(county.desk, 2)
    async with county.database.reading() as session:
        assert (await session.scalars(select(Draft.id))).all() == [kept.id]
