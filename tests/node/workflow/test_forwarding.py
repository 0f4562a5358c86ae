"""An item is sent up: the newest edition, once, to the office above."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from node.errors import AlreadyForwardedError, MessageTooLargeError, NoOfficeAboveError
from node.storage.messages import Outgoing
from node.workflow import forwarding, outbox, reading
from protocol.errors import LifecycleError
from protocol.lifecycle import Action
from tests.node.chain import Chain
from tests.node.rooms import Room, contents
from tests.node.workflow.deeds import do


async def test_what_arrives_above_is_what_the_author_wrote(chain: Chain) -> None:
    item = await chain.county.submit(
        title="标题", body="第一段。\n第二段。", urgency="urgent", co_authors=[{"username": "chen"}]
    )
    await chain.climb(item)

    for office in chain.line[1:]:
        room = chain.rooms[office]
        view = await reading.view(room.desk, room.editor, item)
        assert (view.item.title, view.edition.body) == ("标题", "第一段。\n第二段。")
        assert (view.item.urgency, view.item.origin["id"]) == ("urgent", "donghu")
        assert [author["name"] for author in view.edition.authors] == ["林晓雨", "陈波"]
        assert view.item.source == chain.line[chain.line.index(office) - 1]


async def test_another_county_never_hears_of_the_item(pair: Chain) -> None:
    item = await pair.county.submit()
    await pair.climb(item)
    elsewhere = pair.rooms["xishan"]
    assert (await reading.list_items(elsewhere.desk, elsewhere.editor)).total == 0


async def test_a_most_urgent_item_leaves_before_an_older_one(pair: Chain) -> None:
    county = pair.county
    for urgency in ("normal", "urgent", "most_urgent"):
        item = await county.registered(urgency=urgency)
        await forwarding.forward_up(county.desk, county.editor, item)
    async with county.database.reading() as session:
        rows = await session.scalars(select(Outgoing).order_by(Outgoing.priority))
        assert [row.payload.count(b"most_urgent") for row in rows] == [1, 0, 0]


async def test_one_edition_is_forwarded_once(pair: Chain) -> None:
    county = pair.county
    item = await county.registered()
    await forwarding.forward_up(county.desk, county.editor, item)
    before = await contents(county.database)

    with pytest.raises(AlreadyForwardedError):
        await forwarding.forward_up(county.desk, county.editor, item)

    assert await contents(county.database) == before


async def test_the_top_office_has_nobody_to_forward_to(pair: Chain) -> None:
    item = await pair.county.submit()
    await pair.climb(item)
    before = await contents(pair.top.database)

    with pytest.raises(NoOfficeAboveError):
        await forwarding.forward_up(pair.top.desk, pair.top.editor, item)

    assert await contents(pair.top.database) == before
    assert "forward_up" not in (await reading.view(pair.top.desk, pair.top.editor, item)).actions


async def test_an_item_that_was_not_taken_up_is_not_forwarded(pair: Chain) -> None:
    item = await pair.county.submit()
    before = await contents(pair.county.database)
    with pytest.raises(LifecycleError, match="the item is submitted"):
        await do(pair.county, Action.FORWARD_UP, item)
    assert await contents(pair.county.database) == before


async def test_what_no_neighbour_could_carry_on_is_not_forwarded_and_the_editor_is_told(
    pair: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    county = pair.county
    item = await county.registered()
    before = await contents(county.database)
    with monkeypatch.context() as patch:
        patch.setattr(outbox, "MOST_BYTES", 500)
        with pytest.raises(MessageTooLargeError):
            await forwarding.forward_up(county.desk, county.editor, item)
    assert await contents(county.database) == before
    await forwarding.forward_up(county.desk, county.editor, item)


async def test_an_office_above_that_is_away_loses_nothing(pair: Chain) -> None:
    county: Room = pair.county
    items = [await county.registered(title=f"第{n}件") for n in range(3)]
    for item in items:
        await forwarding.forward_up(county.desk, county.editor, item)
    await pair.deliver(without=["yunzhou"])
    assert (await reading.list_items(pair.above.desk, pair.above.editor)).total == 0

    await pair.deliver()

    assert (await reading.list_items(pair.above.desk, pair.above.editor)).total == 3
