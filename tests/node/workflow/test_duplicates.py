"""Similar items: who is told what, since when they are known, and that nothing is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from node.errors import ForbiddenError, PurgedItemError, TooLongError, UnknownItemError
from node.search import index
from node.storage.messages import Incoming
from node.workflow import decisions, duplicates, purges, submissions
from node.workflow.desk import Actor
from node.workflow.duplicates import PERIOD, Duplicates, Hint
from protocol import envelope
from tests.node.chain import Chain
from tests.node.rooms import Room, contents, draft
from tests.node.search import labelled

PAIRS = [pair for pair in labelled.pairs(("city_lifts",)) if pair.kind == "copied"]
TITLE, BODY = PAIRS[0].first.title, PAIRS[0].first.body
COPY = PAIRS[0].second.body
OTHER = PAIRS[2].first.body


async def like(room: Room, who: Actor, body: str = COPY) -> Duplicates:
    """What the person is told of a draft, once everything is indexed."""
    while await index.step(room.database):
        pass
    return await duplicates.of_draft(room.desk, who, "低层住户意见", body)


async def test_an_editor_sees_every_similar_item_and_the_words_that_agree(county: Room) -> None:
    item = await county.submit(title=TITLE, body=BODY)
    await county.submit(title="另一件", body=OTHER)
    found = await like(county, county.editor)
    (similar,) = found.similar
    assert (similar.item.id, similar.signed, found.hints) == (item, False, ())
    assert similar.share > 0.8
    whole = f"{TITLE}\n{BODY}"
    assert sum(len(one.text) for one in similar.agreements) > len(BODY) * 0.8
    for one in similar.agreements:
        assert whole[one.start :].startswith(one.text)


async def test_an_author_is_told_of_his_own_items_and_of_others_only_that_there_are_some(
    county: Room,
) -> None:
    await county.submit(title=TITLE, body=BODY)
    day = county.clock().date()
    own = await like(county, county.lin)
    assert ([one.item.title for one in own.similar], own.hints) == ([TITLE], ())
    foreign = await like(county, county.chen)
    assert foreign == Duplicates((), (Hint(day, "county"),))
    # Several of the same day and level are one hint: how many there are is not his to know.
    await county.submit(title="又一件", body=BODY)
    assert await like(county, county.chen) == foreign


async def test_whoever_may_not_hand_anything_in_is_told_nothing(county: Room) -> None:
    await county.submit(title=TITLE, body=BODY)
    with pytest.raises(ForbiddenError):
        await like(county, county.admin)


async def test_an_item_is_compared_with_all_but_itself(county: Room) -> None:
    first = await county.submit(title=TITLE, body=BODY)
    second = await submissions.submit(county.desk, county.chen, draft(title="照抄", body=COPY))
    await like(county, county.editor)
    found = await duplicates.of_item(county.desk, county.editor, second)
    assert [one.item.id for one in found.similar] == [first]
    told = await duplicates.of_item(county.desk, county.chen, second)
    assert (told.similar, len(told.hints)) == ((), 1)
    for who, item in ((county.chen, first), (county.editor, county.desk.new_id())):
        with pytest.raises(UnknownItemError):
            await duplicates.of_item(county.desk, who, item)


async def test_what_came_in_more_than_two_years_ago_is_left_out(county: Room) -> None:
    await county.submit(title=TITLE, body=BODY)
    county.clock.move(PERIOD - timedelta(minutes=1))
    assert len((await like(county, county.editor)).similar) == 1
    county.clock.move(timedelta(minutes=2))
    assert await like(county, county.editor) == Duplicates((), ())


async def test_a_purged_item_is_no_longer_similar_to_anything(county: Room) -> None:
    item = await county.submit(title=TITLE, body=BODY)
    assert (await like(county, county.editor)).similar
    await purges.purge(county.desk, county.admin, item, "误报")
    assert await like(county, county.editor) == Duplicates((), ())
    with pytest.raises(PurgedItemError):
        await duplicates.of_item(county.desk, county.editor, item)


async def test_of_an_item_from_below_the_first_signature_says_since_when_it_is_known(
    pair: Chain,
) -> None:
    item = await pair.county.submit(title=TITLE, body=BODY)
    written = pair.clock.now
    pair.clock.move(timedelta(days=2))
    await pair.climb(item)
    city = pair.above
    await decisions.return_(city.desk, city.editor, item, "请补充。")
    await pair.deliver()
    pair.clock.move(timedelta(days=3))
    changed = draft(title=TITLE, body=COPY)
    await submissions.resubmit(pair.county.desk, pair.county.lin, item, changed)
    await pair.climb(item)

    (similar,) = (await like(city, city.editor, BODY)).similar
    async with city.database.reading() as session:
        tokens = await session.scalars(
            select(Incoming.token).where(Incoming.name == "submission", Incoming.subject == item)
        )
        assert similar.first_at == envelope.signed_at(tokens.one())
    assert similar.signed
    assert similar.item.edition == 2
    assert similar.first_at - written >= timedelta(days=1, hours=23)
    (own,) = (await like(pair.county, pair.county.lin, BODY)).similar
    assert (own.signed, own.first_at.date()) == (False, written.date())


async def test_asking_keeps_nothing_and_handing_in_a_copy_is_not_refused(county: Room) -> None:
    await county.submit(title=TITLE, body=BODY)
    await like(county, county.chen)
    before = await contents(county.database)
    await like(county, county.chen)
    assert await contents(county.database) == before
    assert await submissions.submit(county.desk, county.chen, draft(title=TITLE, body=BODY))


async def test_a_text_longer_than_the_office_takes_is_not_compared(county: Room) -> None:
    with pytest.raises(TooLongError):
        await like(county, county.editor, "字" * 20_000)


@pytest.mark.parametrize("body", ["梯", "！！！", "建议。", "\0\u202e", "'; --", '" AND *'])
async def test_a_text_with_next_to_nothing_in_it_is_like_nothing(county: Room, body: str) -> None:
    await county.submit(title=TITLE, body=BODY)
    while await index.step(county.database):
        pass
    found = await duplicates.of_draft(county.desk, county.editor, "事", body)
    assert found == Duplicates((), ())
