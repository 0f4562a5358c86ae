"""Purging: afterwards the contents are nowhere, at no office that confirms, and never come back."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from node.errors import ForbiddenError, InputError, PurgedItemError, UnknownItemError
from node.search import index
from node.storage.audit import AuditRow
from node.storage.messages import Incoming, Outgoing
from node.storage.purges import Purge
from node.workflow import accounts, decisions, forwarding, links, purges, reading
from protocol import envelope
from protocol.errors import PurgedError
from protocol.lifecycle import Action
from tests.node import erased
from tests.node.chain import Chain
from tests.node.erased import BODY, TITLE
from tests.node.rooms import Room, contents
from tests.node.workflow.deeds import DEEDS, do

WORDS = "请研究。"
REASON = "误报内部事项"


async def written(room: Room) -> list[str]:
    """Where something of the item can still be read."""
    return await erased.written(room.database, TITLE, BODY, WORDS)


async def travelled(chain: Chain) -> UUID:
    """An item that went to the top, on which every office has decided something."""
    item = await chain.county.submit(title=TITLE, body=BODY)
    await chain.climb(item)
    for office in chain.line:
        await do(chain.rooms[office], Action.INSTRUCT, item)
        await chain.deliver()
        while await index.step(chain.rooms[office].database):
            pass
    return item


async def purge(room: Room, item: UUID) -> None:
    """The security administrator purges it."""
    await purges.purge(room.desk, room.security, item, REASON)


async def confirmed(room: Room, item: UUID) -> dict[str, bool]:
    """Which office is known to have purged it."""
    seen = await purges.status(room.desk, room.security, item)
    return {answer.office: answer.purged_at is not None for answer in seen.offices}


@pytest.mark.parametrize("place", [0, 1, -1])
async def test_what_one_office_purges_is_gone_at_every_office_of_its_way(
    chain: Chain, place: int
) -> None:
    item = await travelled(chain)
    for office in chain.line:
        assert "search_text" in await written(chain.rooms[office])
    decider = chain.rooms[chain.line[place]]
    await purge(decider, item)
    assert await written(decider) == []
    await chain.deliver()

    for office in chain.line:
        room = chain.rooms[office]
        assert await written(room) == [], office
        view = await reading.view(room.desk, room.editor, item)
        assert (view.item.title, view.edition.body, view.edition.authors) == (
            "（内容已清除）",
            "（内容已清除）",
            [],
        )
        assert view.actions == ()
    others = set(chain.line) - {decider.desk.node}
    assert await confirmed(decider, item) == dict.fromkeys(others, True)


async def test_the_author_is_told_and_the_timeline_says_what_was_done_and_no_more(
    pair: Chain,
) -> None:
    item = await travelled(pair)
    await purge(pair.above, item)
    await pair.deliver()
    assert "东湖县政协清除了这件信息的内容。" in await pair.county.told_of(pair.county.lin)
    kinds = [kind for _, kind in await pair.county.timeline(item)]
    assert {"registered", "forwarded", "instructed", "purged"} <= set(kinds)


async def test_of_a_token_header_and_signature_are_left_and_it_says_that_it_was_purged(
    pair: Chain,
) -> None:
    item = await travelled(pair)
    async with pair.above.database.reading() as session:
        before = {row.id: row for row in await session.scalars(select(Incoming))}
    await purge(pair.above, item)
    async with pair.above.database.reading() as session:
        rows = (await session.scalars(select(Incoming).where(Incoming.subject == item))).all()
    assert rows
    for row in rows:
        head, payload, signature = row.token.split(b".")
        was = before[row.id]
        assert (head, signature) == tuple(was.token.split(b".")[::2])
        assert (payload, row.digest) == (b"", was.digest)
        with pytest.raises(PurgedError):
            envelope.open_message(
                row.token, chains=pair.above.desk.chains, place=pair.above.desk.place, now=None
            )


async def test_only_the_security_administrator_purges_for_a_reason_what_is_here_and_once(
    leaf: Room,
) -> None:
    item = await leaf.registered()
    before = await contents(leaf.database)
    for actor in (leaf.editor, leaf.lin, leaf.admin, leaf.auditor):
        with pytest.raises(ForbiddenError):
            await purges.purge(leaf.desk, actor, item, REASON)
    with pytest.raises(InputError, match="reason"):
        await purges.purge(leaf.desk, leaf.security, item, "  ")
    with pytest.raises(UnknownItemError):
        await purge(leaf, leaf.desk.new_id())
    with pytest.raises(UnknownItemError, match="was not purged"):
        await purges.status(leaf.desk, leaf.security, item)
    assert await contents(leaf.database) == before

    await purge(leaf, item)
    with pytest.raises(PurgedItemError):
        await purge(leaf, item)
    async with leaf.database.reading() as session:
        noted = select(AuditRow).where(AuditRow.action == "item_purged")
        [row] = (await session.scalars(noted)).all()
    assert (row.actor, row.subject, row.detail) == ("security", str(item), {"reason": REASON})


async def test_nothing_can_be_done_with_a_purged_item(pair: Chain) -> None:
    item = await pair.county.registered()
    await purge(pair.county, item)
    for action in DEEDS:
        with pytest.raises(PurgedItemError):
            await do(pair.county, action, item)


async def test_what_was_never_received_is_given_up_and_what_overtakes_it_is_no_secret(
    pair: Chain,
) -> None:
    item = await pair.county.registered(title=TITLE, body=BODY)
    await forwarding.forward_up(pair.county.desk, pair.county.editor, item)
    await purge(pair.county, item)
    async with pair.county.database.reading() as session:
        [row] = (await session.scalars(select(Outgoing).where(Outgoing.name == "submission"))).all()
    assert (row.payload, row.state, row.code, row.permanent) == (
        b"",
        "refused",
        "item.purged",
        True,
    )
    office = (pair.county.desk, pair.county.admin, "yunzhou")
    assert (await links.refusals(*office)).total == 0, "the neighbour refused nothing"
    assert (await links.show(*office)).backlog.refused_permanent == 0
    await pair.deliver()
    assert await confirmed(pair.county, item) == {"yunzhou": True}
    async with pair.above.database.reading() as session:
        assert (await session.scalars(select(Incoming.name))).all() == ["purge"]


async def test_what_arrives_of_a_purged_item_loses_its_contents_and_its_sender_is_asked(
    pair: Chain,
) -> None:
    item = await pair.county.registered(title=TITLE, body=BODY)
    await forwarding.forward_up(pair.county.desk, pair.county.editor, item)
    # The city purged it in an earlier life, and has forgotten that it told the county.
    async with pair.above.database.writing.begin() as session:
        session.add(Purge(item_id=item, reason=REASON, actor="security", at=pair.clock()))
    await pair.deliver()
    assert await written(pair.above) == []
    assert await written(pair.county) == []
    assert await confirmed(pair.above, item) == {"donghu": True}
    async with pair.county.database.reading() as session:
        [row] = (await session.scalars(select(Outgoing).where(Outgoing.name == "submission"))).all()
    assert row.state == "received"


async def test_an_item_that_never_left_has_a_witness_all_the_same(pair: Chain) -> None:
    item = await pair.county.registered(title=TITLE)
    await purge(pair.county, item)
    await pair.deliver()
    assert await confirmed(pair.county, item) == {"yunzhou": True}


async def test_an_office_below_cannot_have_another_ones_item_purged(pair: Chain) -> None:
    item = await pair.county.registered(title=TITLE, body=BODY)
    await forwarding.forward_up(pair.county.desk, pair.county.editor, item)
    await pair.deliver()
    sibling = pair.rooms["xishan"]
    async with sibling.database.writing.begin() as session:
        session.add(Purge(item_id=item, reason=REASON, actor="security", at=pair.clock()))
        await session.flush()
        await purges.ask(session, sibling.desk, item, "yunzhou", pair.clock())
    await pair.deliver()
    view = await reading.view(pair.above.desk, pair.above.editor, item)
    assert view.item.title == TITLE
    assert view.item.purged_at is None


async def test_both_ends_still_count_the_same_after_a_purge(pair: Chain) -> None:
    item = await travelled(pair)
    await purge(pair.above, item)
    await pair.deliver()
    pair.clock.move(timedelta(hours=2))
    for room, peer in ((pair.county, "yunzhou"), (pair.above, "donghu")):
        await accounts.reconcile(room.desk, room.admin, peer)
    await pair.deliver()
    for room, peer in ((pair.county, "yunzhou"), (pair.above, "donghu")):
        async with room.database.reading() as session:
            agreed = (await accounts.agreements(session, peer))[peer]
        assert agreed.differing == 0
        assert agreed.sent_until is not None


async def test_the_other_items_of_an_office_stay_as_they_are(pair: Chain) -> None:
    other = await pair.county.submit(title="另一件")
    await pair.climb(other)
    item = await travelled(pair)
    await purge(pair.county, item)
    await pair.deliver()
    for room in (pair.county, pair.above):
        assert (await reading.view(room.desk, room.editor, other)).item.title == "另一件"
    await decisions.adopt(pair.above.desk, pair.above.editor, other)
    await pair.deliver()
    assert ("yunzhou", "adopted") in await pair.county.timeline(other)
