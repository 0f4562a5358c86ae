"""The queues of the desk, and who works on which item."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from node.desk_errors import ClaimedError
from node.errors import ForbiddenError, InputError
from node.people_errors import UnknownPersonError
from node.storage.audit import AuditRow
from node.storage.items import Item
from node.workflow import claims, decisions, forwarding, people, triage
from node.workflow.queues import QUEUES, Queue
from protocol.lifecycle import Action
from tests.node.chain import Chain
from tests.node.rooms import Room, contents
from tests.node.workflow.deeds import DEEDS, item_after


async def titles(room: Room, queue: Queue) -> list[str]:
    page = await triage.show(room.desk, room.editor, queue)
    assert page.total == (await triage.counts(room.desk, room.editor))[queue]
    return [row.item.title for row in page.rows]


async def test_the_most_urgent_stands_first_and_then_what_waits_longest(county: Room) -> None:
    for title, urgency in (("甲", "normal"), ("乙", "urgent"), ("丙", "normal"), ("丁", "urgent")):
        await county.submit(title=title, urgency=urgency)
    assert await titles(county, "to_triage") == ["乙", "丁", "甲", "丙"]
    page = await triage.show(county.desk, county.editor, "to_triage", offset=1, limit=2)
    assert [row.item.title for row in page.rows] == ["丁", "甲"]
    assert page.total == 4


async def test_an_item_goes_from_queue_to_queue(county: Room) -> None:
    item = await county.submit(title="甲")
    assert await titles(county, "to_triage") == ["甲"]
    await decisions.register(county.desk, county.editor, item)
    assert await titles(county, "editing") == ["甲"]
    assert await titles(county, "mine") == []
    await triage.assign(county.desk, county.reviewer, item, "editor")
    assert await titles(county, "mine") == ["甲"]
    await DEEDS[Action.RETURN](county.desk, county.editor, item)
    assert await titles(county, "returned") == ["甲"]
    assert await titles(county, "mine") == []
    counts = await triage.counts(county.desk, county.signer)
    assert counts == {queue: int(queue == "returned") for queue in QUEUES}


async def test_what_the_office_above_returned_lies_in_the_queue_of_what_came_back(
    pair: Chain,
) -> None:
    county, city = pair.county, pair.above
    item = await county.registered(title="甲")
    await forwarding.forward_up(county.desk, county.editor, item)
    await pair.deliver()
    await DEEDS[Action.RETURN](city.desk, city.editor, item)
    await pair.deliver()
    assert await titles(county, "returned") == ["甲"]


async def test_the_most_urgent_come_first_then_what_waits_longest_whatever_state_it_is_in(
    county: Room,
) -> None:
    wanted = {}
    for urgency in ("normal", "urgent", "most_urgent"):
        for state in ("registered", "signed", "registered"):
            title = f"第 {len(wanted)} 件"
            item = await county.registered(title=title, urgency=urgency)
            wanted[item] = title
            async with county.database.writing.begin() as session:
                await session.execute(update(Item).where(Item.id == item).values(state=state))
    words = list(wanted.values())
    ordered = [*words[6:], *words[3:6], *words[:3]]
    assert await titles(county, "candidates") == ordered
    pages = [
        await triage.show(county.desk, county.editor, "candidates", offset=offset, limit=2)
        for offset in range(0, 9, 2)
    ]
    assert [row.item.title for page in pages for row in page.rows] == ordered
    assert {page.total for page in pages} == {9}


async def test_a_claim_keeps_others_off_until_it_ends_or_is_taken_over(county: Room) -> None:
    item = await county.submit()
    held = await triage.claim(county.desk, county.editor, item)
    assert (held.name, held.until - held.since) == (county.editor.name, claims.HOLDS)
    before = await contents(county.database)
    for deed in (
        triage.claim(county.desk, county.reviewer, item),
        triage.give_up(county.desk, county.reviewer, item),
    ):
        with pytest.raises(ClaimedError, match="编辑自"):
            await deed
    assert await contents(county.database) == before
    page = await triage.show(county.desk, county.reviewer, "to_triage")
    assert page.rows[0].claim == held

    county.clock.move(claims.HOLDS)
    taken = await triage.claim(county.desk, county.reviewer, item)
    assert taken.name == county.reviewer.name
    again = await triage.claim(county.desk, county.editor, item, take_over=True)
    assert again.name == county.editor.name
    async with county.database.reading() as session:
        rows = await session.scalars(select(AuditRow).where(AuditRow.action == "claim_taken_over"))
        [noted] = rows.all()
    assert (noted.actor, noted.detail["before"]) == ("editor", "reviewer")


async def test_nothing_is_decided_by_somebody_else_while_an_item_is_claimed(leaf: Room) -> None:
    item = await leaf.submit()
    await triage.claim(leaf.desk, leaf.reviewer, item)
    before = await contents(leaf.database)
    for action in (Action.REGISTER, Action.DECLINE, Action.RETURN):
        with pytest.raises(ClaimedError):
            await DEEDS[action](leaf.desk, leaf.editor, item)
    assert await contents(leaf.database) == before
    await triage.give_up(leaf.desk, leaf.reviewer, item)
    await decisions.register(leaf.desk, leaf.editor, item)


async def test_work_keeps_a_claim_alive(leaf: Room) -> None:
    item = await leaf.submit()
    await triage.claim(leaf.desk, leaf.editor, item)
    leaf.clock.move(claims.HOLDS - timedelta(minutes=1))
    await triage.claim(leaf.desk, leaf.editor, item)
    leaf.clock.move(timedelta(minutes=2))
    with pytest.raises(ClaimedError):
        await triage.claim(leaf.desk, leaf.reviewer, item)


async def test_an_item_is_assigned_to_whoever_edits_and_to_nobody_else(leaf: Room) -> None:
    item = await item_after(leaf, Action.REGISTER)
    await triage.assign(leaf.desk, leaf.editor, item, "reviewer")
    await triage.assign(leaf.desk, leaf.editor, item, None)
    for username, error in (("lin", InputError), ("nobody", UnknownPersonError)):
        with pytest.raises(error):
            await triage.assign(leaf.desk, leaf.editor, item, username)
    for actor in (leaf.lin, leaf.signer, leaf.security):
        with pytest.raises(ForbiddenError):
            await triage.assign(leaf.desk, actor, item, "editor")


async def test_whoever_was_disabled_is_assigned_nothing(leaf: Room) -> None:
    item = await leaf.submit()
    await people.disable(leaf.desk, leaf.security, leaf.reviewer.id, 1, "离岗")
    with pytest.raises(InputError, match="不是在岗的编辑"):
        await triage.assign(leaf.desk, leaf.editor, item, "reviewer")
