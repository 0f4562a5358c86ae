"""Items come in at the office where they are written."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from node.errors import ForbiddenError, InputError, TooLongError
from node.people_errors import UnknownPersonError
from node.storage.items import ItemAuthor
from node.workflow import decisions, reading, submissions
from protocol.errors import LifecycleError
from tests.node.chain import Chain
from tests.node.rooms import Room, contents, draft

OUTSIDER = {"name": "沈立群", "kind": "member", "unit": "恒泰铸造厂"}


async def test_a_new_item_stands_as_submitted_with_its_text_and_its_author(county: Room) -> None:
    item = await county.submit(title="标题一", body="第一段。\n第二段。")

    view = await reading.view(county.desk, county.lin, item)
    assert (view.item.state, view.item.number, view.item.source) == ("submitted", None, None)
    assert (view.edition.number, view.edition.body) == (1, "第一段。\n第二段。")
    assert [author["name"] for author in view.edition.authors] == ["林晓雨"]
    assert view.item.origin["id"] == "donghu"
    assert [entry.kind for entry in view.timeline] == ["submitted"]


async def test_a_co_author_with_an_account_sees_the_item_and_is_told_as_the_author_is(
    county: Room,
) -> None:
    item = await county.submit(co_authors=[{"username": "chen"}, OUTSIDER])
    await decisions.register(county.desk, county.editor, item)

    view = await reading.view(county.desk, county.chen, item)
    assert [author["name"] for author in view.edition.authors] == ["林晓雨", "陈波", "沈立群"]
    assert await county.told_of(county.lin) == await county.told_of(county.chen)
    assert len(await county.told_of(county.chen)) == 1


async def test_naming_a_co_author_twice_or_oneself_changes_nothing(county: Room) -> None:
    item = await county.submit(
        co_authors=[{"username": "chen"}, {"username": "lin"}, {"username": "chen"}]
    )

    view = await reading.view(county.desk, county.lin, item)
    assert [author["name"] for author in view.edition.authors] == ["林晓雨", "陈波"]
    async with county.database.reading() as session:
        assert len((await session.scalars(select(ItemAuthor))).all()) == 2


async def test_an_unknown_co_author_is_refused_and_nothing_is_handed_in(county: Room) -> None:
    before = await contents(county.database)
    with pytest.raises(UnknownPersonError, match="there is no account nobody"):
        await county.submit(co_authors=[{"username": "nobody"}])
    assert await contents(county.database) == before


async def test_a_co_author_without_an_account_needs_name_kind_and_unit(county: Room) -> None:
    before = await contents(county.database)
    with pytest.raises(InputError, match="每位撰稿人都须有姓名、身份和单位"):
        await county.submit(co_authors=[{"name": "沈立群", "kind": "member"}])
    assert await contents(county.database) == before


async def test_an_administrator_hands_in_nothing(county: Room) -> None:
    before = await contents(county.database)
    with pytest.raises(ForbiddenError, match="system_administrator may not submit"):
        await submissions.submit(county.desk, county.admin, draft())
    assert await contents(county.database) == before


async def test_texts_as_long_as_the_office_allows_are_taken(leaf: Room) -> None:
    limits = leaf.desk.limits
    item = await leaf.submit(
        title="题" * limits.title_characters, body="文" * limits.body_characters
    )
    assert await leaf.state(item) == "submitted"


@pytest.mark.parametrize(
    ("field", "said"),
    [("title", "标题有 61 字，最多 60 字"), ("body", "正文有 3001 字，最多 3000 字")],
)
async def test_a_text_over_the_offices_limit_is_refused_and_nothing_is_handed_in(
    leaf: Room, field: str, said: str
) -> None:
    too_long = "字" * (61 if field == "title" else 3001)
    before = await contents(leaf.database)
    with pytest.raises(TooLongError, match=said):
        await leaf.submit(**{field: too_long})
    assert await contents(leaf.database) == before


async def test_a_new_edition_over_the_limit_leaves_the_old_one_as_it_was(leaf: Room) -> None:
    item = await leaf.registered()
    await decisions.return_(leaf.desk, leaf.editor, item, "请精简。")
    before = await contents(leaf.database)
    with pytest.raises(TooLongError):
        await submissions.resubmit(leaf.desk, leaf.lin, item, draft(body="字" * 3001))
    assert await contents(leaf.database) == before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"title": ""}, "title"),
        ({"title": "两\n行"}, "title: Value error, must be a single line"),
        ({"body": " \n "}, "body"),
        ({"body": "铃\x07"}, "control characters are not allowed"),
        ({"topic": ""}, "topic"),
        ({"urgency": "yesterday"}, "urgency"),
        ({"classification": "inside"}, "classification"),
        ({"colour": "red"}, "colour"),
        ({"co_authors": [{"nickname": "陈"}]}, "co_authors.0.nickname"),
    ],
)
def test_a_draft_that_does_not_fit_says_where(content: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        draft(**content)


async def test_an_office_above_does_not_rewrite_an_item_that_came_from_below(pair: Chain) -> None:
    item = await pair.county.submit()
    await pair.climb(item, to=pair.line[1])
    await decisions.return_(pair.above.desk, pair.above.editor, item, "请补充数据。")
    before = await contents(pair.above.database)

    with pytest.raises(LifecycleError, match="only the office where it was written"):
        await submissions.resubmit(pair.above.desk, pair.above.editor, item, draft(body="改写。"))

    assert await contents(pair.above.database) == before


async def test_shares_of_authors_that_make_up_the_whole_climb_with_the_item(pair: Chain) -> None:
    item = await pair.county.submit(
        share="1/2", co_authors=[{"username": "chen", "share": "1/3"}, OUTSIDER | {"share": "1/6"}]
    )
    await pair.climb(item)
    for office in pair.line:
        room = pair.rooms[office]
        view = await reading.view(room.desk, room.editor, item)
        assert [author["share"] for author in view.edition.authors] == ["1/2", "1/3", "1/6"]


@pytest.mark.parametrize(
    ("own", "other"), [("1/2", None), (None, "1/2"), ("1/2", "1/3"), ("2/3", "2/3")]
)
async def test_shares_that_do_not_make_up_the_whole_are_refused(
    leaf: Room, own: str | None, other: str | None
) -> None:
    before = await contents(leaf.database)
    with pytest.raises(InputError, match="shares must add up to 1"):
        await leaf.submit(share=own, co_authors=[OUTSIDER | {"share": other}])
    assert await contents(leaf.database) == before


@pytest.mark.parametrize("share", ["0.5", "1/0", "0/1", "-1/2", "1/10000", "½", "1 / 2"])
async def test_a_share_is_a_fraction_of_small_whole_numbers(leaf: Room, share: str) -> None:
    with pytest.raises(InputError, match="share"):
        await leaf.submit(share=share)
