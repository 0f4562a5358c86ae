"""An office sends an item back to be improved: the revision climbs and stands as edition 2."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select

from node.storage.messages import Outgoing
from node.workflow import decisions, forwarding, reading, submissions
from protocol.errors import LifecycleError
from tests.node.chain import Chain
from tests.node.rooms import Room, contents, draft

WISH = "请补充去年的数字。"


async def test_a_revision_climbs_to_the_office_that_asked_for_it(chain: Chain) -> None:
    item = await _returned_by(chain, chain.line[-1])
    await _revise(chain.county, item)
    for office in chain.line[:-1]:
        room = chain.rooms[office]
        assert await room.state(item) == "registered"
        await forwarding.forward_up(room.desk, room.editor, item)
        await chain.deliver()

    for office in chain.line:
        room = chain.rooms[office]
        view = await reading.view(room.desk, room.editor, item)
        assert (view.item.edition, view.edition.number) == (2, 2)
        assert (view.item.title, view.edition.body) == ("改过的标题", "改过的正文。")
    assert await chain.top.state(item) == "submitted"
    assert (await chain.top.timeline(item))[-1] == (chain.line[-1], "resubmitted")


async def test_the_author_reads_who_wants_what_improved(chain: Chain) -> None:
    item = await _returned_by(chain, chain.line[-1])
    office = chain.top.desk.office.name
    assert (await chain.county.told_of(chain.county.lin))[-1] == f"{office}退回修改，意见：{WISH}"
    view = await reading.view(chain.county.desk, chain.county.lin, item)
    assert view.actions == ("revise", "withdraw")


async def test_the_office_that_asked_takes_the_new_edition_up_under_the_old_number(
    pair: Chain,
) -> None:
    item = await _returned_by(pair, "yunzhou")
    number = (await reading.view(pair.above.desk, pair.above.editor, item)).item.number
    await _revise(pair.county, item)
    await forwarding.forward_up(pair.county.desk, pair.county.editor, item)
    await pair.deliver()

    assert await decisions.register(pair.above.desk, pair.above.editor, item) == number
    await decisions.adopt(pair.above.desk, pair.above.editor, item)
    await pair.deliver()

    assert (await pair.county.timeline(item))[-2:] == [
        ("yunzhou", "registered"),
        ("yunzhou", "adopted"),
    ]


async def test_a_new_edition_that_nobody_asked_for_is_refused(pair: Chain) -> None:
    item = await pair.county.registered()
    await forwarding.forward_up(pair.county.desk, pair.county.editor, item)
    await pair.deliver()
    before = await contents(pair.county.database)

    with pytest.raises(LifecycleError, match="cannot resubmit: the item is registered"):
        await _revise(pair.county, item)

    assert await contents(pair.county.database) == before


async def test_a_new_edition_travels_as_a_revision_of_the_first(pair: Chain) -> None:
    item = await _returned_by(pair, "yunzhou")
    await _revise(pair.county, item)
    await forwarding.forward_up(pair.county.desk, pair.county.editor, item)
    async with pair.county.database.reading() as session:
        sent = await session.scalars(select(Outgoing.name).order_by(Outgoing.created_at))
        assert list(sent) == ["submission", "revision"]


async def test_an_item_may_be_returned_again_and_comes_as_its_third_edition(pair: Chain) -> None:
    item = await _returned_by(pair, "yunzhou")
    for edition in (2, 3):
        await _revise(pair.county, item)
        await forwarding.forward_up(pair.county.desk, pair.county.editor, item)
        await pair.deliver()
        view = await reading.view(pair.above.desk, pair.above.editor, item)
        assert (view.item.state, view.item.edition) == ("submitted", edition)
        await decisions.return_(pair.above.desk, pair.above.editor, item, WISH)
        await pair.deliver()


async def _returned_by(chain: Chain, office: str) -> UUID:
    item = await chain.county.submit()
    await chain.climb(item, to=office)
    room = chain.rooms[office]
    await decisions.return_(room.desk, room.editor, item, WISH)
    await chain.deliver()
    return item


async def _revise(room: Room, item: UUID) -> None:
    new = draft(title="改过的标题", body="改过的正文。")
    await submissions.resubmit(room.desk, room.lin, item, new)
