"""The demo's reckoning, on a small story that was carried to its end: it finds what is missing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import delete, select, update

from node.cli.demo import reckoning
from node.cli.demo.reckoning import Reckoning
from node.relay.auditor import Auditor
from node.storage.audit import AuditRow
from node.storage.base import Base
from node.storage.events import Event, Notice
from node.storage.messages import Incoming, Outgoing
from node.workflow import decisions
from tests.node import chain as chains
from tests.node.chain import Chain
from tests.node.rooms import Room, Templates
from tests.node.tampering import unprotected
from tests.offices import DEPTH_2, Hierarchy

Expected = dict[str, dict[str, str]]


@dataclass(frozen=True)
class Story:
    """Two items that the county forwarded; the city adopted the first and declined the second."""

    chain: Chain
    items: list[UUID]

    @property
    def expected(self) -> Expected:
        """What a reckoning must find where."""
        one, two = map(str, self.items)
        return {
            "donghu": {one: "registered", two: "registered"},
            "yunzhou": {one: "adopted", two: "declined"},
            "xishan": {},
        }

    async def reckon(self, expected: Expected | None = None) -> Reckoning:
        nodes = [room.node for room in self.chain.rooms.values()]
        return await reckoning.reckon(nodes, expected or self.expected)

    async def settled(self) -> bool:
        return await reckoning.settled([room.node for room in self.chain.rooms.values()])


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    return Templates(tmp_path_factory.mktemp("templates"))


@pytest.fixture
def hierarchy(templates: Templates, tmp_path: Path) -> Hierarchy:
    return templates.copy(DEPTH_2, tmp_path / "pair")


@pytest.fixture
async def story(hierarchy: Hierarchy) -> AsyncIterator[Story]:
    async with chains.opened(hierarchy) as chain:
        items = [await chain.county.submit(title=title) for title in ("一", "二")]
        for item in items:
            await chain.climb(item)
        await decisions.adopt(chain.top.desk, chain.top.editor, items[0])
        await decisions.decline(chain.top.desk, chain.top.editor, items[1], "已有部署。")
        await chain.deliver()
        for room in chain.rooms.values():
            while await Auditor(room.desk).step():
                pass
        yield Story(chain, items)


async def execute(room: Room, statement: object) -> None:
    async with room.database.writing.begin() as session:
        await session.execute(statement)


async def first(room: Room, model: type[Base], *conditions: object) -> UUID:
    """The id of some row."""
    async with room.database.reading() as session:
        found: UUID = await session.scalar(select(model.id).where(*conditions).limit(1))
        return found


async def test_a_story_without_a_loss_is_good_and_counted(story: Story) -> None:
    total = await story.reckon()
    assert (total.good, total.wrong) == (True, [])
    assert await story.settled()
    # Two facts of the county and two of the city about each item, and one author.
    assert (total.items, total.hops, total.facts, total.notices) == (2, 6, 8, 8)


async def test_a_notice_that_is_missing_is_lost(story: Story) -> None:
    county = story.chain.county
    notice = await first(county, Notice)
    await execute(county, delete(Notice).where(Notice.id == notice))
    total = await story.reckon()
    assert (total.good, total.lost, total.duplicated) == (False, 1, 0)


async def test_a_fact_that_did_not_come_home_is_lost(story: Story) -> None:
    county = story.chain.county
    event = await first(county, Event, Event.office == "yunzhou")
    await execute(county, delete(Notice).where(Notice.event_id == event))
    await execute(county, delete(Event).where(Event.id == event))
    total = await story.reckon()
    assert (total.good, total.lost, total.duplicated) == (False, 1, 0)


async def test_an_item_that_did_not_arrive_is_lost(story: Story) -> None:
    expected = story.expected
    expected["xishan"][str(story.items[0])] = "registered"
    assert (await story.reckon(expected)).lost == 1


async def test_an_item_that_nobody_sent_is_one_too_many(story: Story) -> None:
    expected = story.expected
    del expected["yunzhou"][str(story.items[0])]
    total = await story.reckon(expected)
    assert (total.good, total.duplicated) == (False, 1)


async def test_an_item_in_another_state_than_was_decided_is_wrong(story: Story) -> None:
    expected = story.expected
    expected["yunzhou"][str(story.items[0])] = "declined"
    total = await story.reckon(expected)
    assert not total.good
    assert total.wrong == [f"yunzhou: item {story.items[0]} is adopted, not declined"]


@pytest.mark.parametrize("state", ["pending", "sent", "refused"])
async def test_a_message_that_was_not_received_is_wrong_and_nothing_is_settled(
    story: Story, state: str
) -> None:
    message = await first(story.chain.county, Outgoing)
    await execute(
        story.chain.county, update(Outgoing).where(Outgoing.id == message).values(state=state)
    )
    total = await story.reckon()
    assert (total.good, len(total.wrong)) == (False, 1)
    assert not await story.settled()


async def test_a_token_that_no_longer_verifies_is_wrong(story: Story) -> None:
    message = await first(story.chain.top, Incoming)
    spoilt = update(Incoming).where(Incoming.id == message).values(token=b"a.b.c")
    await execute(story.chain.top, spoilt)
    [wrong] = (await story.reckon()).wrong
    assert wrong.startswith(f"yunzhou: message {message} does not verify")


async def test_an_audit_chain_that_was_tampered_with_is_wrong(story: Story) -> None:
    async with story.chain.top.database.writing.begin() as session, unprotected(session):
        await session.execute(update(AuditRow).values(actor="nobody"))
    assert (await story.reckon()).wrong == ["yunzhou: audit seal 1 is broken (changed)"]


async def test_deeds_that_are_not_sealed_yet_are_waited_for(story: Story) -> None:
    await story.chain.county.submit(title="三")
    assert not await story.settled()
