"""A city that was restored from a backup asks the province and the counties, and makes what they
answer agree with what it says itself; and it answers a county that was restored.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from node.bootstrap import restoration
from node.relay.auditor import Auditor
from node.relay.recovery import Recoverer
from node.relay.verification import verify
from node.storage.audit import AuditSeal
from node.storage.database import Database
from node.storage.items import Item
from node.storage.messages import Outgoing
from node.workflow import recovery
from protocol.messages import event
from protocol.messages.links import AuditHead, Replay
from protocol.messages.work import Feedback
from tests import authorities, tables
from tests.factories import NOW, make_fact, make_feedback, make_id, make_revision, make_submission
from tests.node.workflow import post
from tests.node.workflow.post import PostRoom, Sent
from tests.offices import MakeDatabase

ITEM = make_id(1)
COUNTY, SIBLING, PROVINCE = "donghu", "xishan", "jiangyuan"
NUMBER = "2026-0041"
YESTERDAY = NOW - timedelta(days=1)


@dataclass
class Restored:
    """The city, and what its neighbours say when they are asked."""

    room: PostRoom
    given: dict[str, list[Sent]] = field(default_factory=dict)
    """What the neighbours send again."""
    kept: dict[str, list[Sent]] = field(default_factory=dict)
    """What they have of the city."""

    async def begin(self, backup_at: datetime = NOW, now: datetime = NOW) -> None:
        """Lose the disk."""
        desk, signer = self.room.desk, self.room.office.signer
        async with desk.database.writing.begin() as session:
            await restoration.begin_epoch(session, desk.node, signer, backup_at=backup_at, now=now)

    def said(self, data: Feedback | object, to: str, subject: UUID = ITEM) -> Sent:
        """A message of the city from before the loss, which its neighbour kept."""
        sent = post.sign(self.room.office, to, data, subject=subject)
        self.kept.setdefault(to, []).append(sent)
        return sent

    def sent_again(self, data: object, sender: str, subject: UUID = ITEM) -> Sent:
        """A message of a neighbour that the city had taken in, and lost."""
        sent = self.room.sign(data, sender, subject=subject)
        self.given.setdefault(sender, []).append(sent)
        return sent

    async def questions(self) -> list[tuple[str, UUID, Replay]]:
        """Ask; whom, under which id, what."""
        await Recoverer(self.room.desk).step()
        query = select(Outgoing).where(Outgoing.name == "replay").order_by(Outgoing.id)
        async with self.room.desk.database.reading() as session:
            return [
                (row.peer, row.id, Replay.model_validate(event.decode(row.payload).data))
                for row in await session.scalars(query)
            ]

    async def recover(self, *, audit: AuditHead | None = None, incarnation: int = 1) -> None:
        """All neighbours answer, and send again what they say."""
        for peer, id, _ in await self.questions():
            answer = Replay(
                tokens=tuple(sent.token.decode() for sent in self.kept.get(peer, ())),
                ids=tuple(sent.id for sent in self.given.get(peer, ())),
                audit=audit,
            )
            await self.room.take_in(
                self.room.sign(answer, peer, causation=id, incarnation=incarnation),
                *self.given.get(peer, ()),
            )
        recoverer = Recoverer(self.room.desk)
        while await recoverer.step():
            pass

    async def is_open(self) -> bool:
        """Whether the city still recovers."""
        async with self.room.desk.database.reading() as session:
            return await recovery.is_open(session)

    async def item(self) -> Item:
        """The item, as it stands at the city."""
        item = await self.room.item(ITEM)
        assert item is not None
        return item

    async def kinds(self) -> list[str]:
        """What the city did with it."""
        return [kind for office, _, kind in await self.room.events(ITEM) if office == "yunzhou"]


@pytest.fixture(scope="module")
def offices() -> dict[str, authorities.Office]:
    """The province of `tests/authorities`."""
    return authorities.hierarchy(now=NOW)


@pytest.fixture
async def city(
    offices: dict[str, authorities.Office], make_database: MakeDatabase
) -> AsyncIterator[Restored]:
    """云州, between the province and its two counties."""
    url = await make_database("yunzhou")
    await tables.furnish(url)
    database = Database(url)
    async with post.opened("yunzhou", offices, [COUNTY, SIBLING], database) as room:
        yield Restored(room)


def fact(city: Restored, kind: str, sequence: int, **content: object) -> Feedback:
    return make_feedback(
        make_fact(kind, office=city.room.office.reference, sequence=sequence, **content)
    )


def contents(sent: Sequence[tuple[str, object]]) -> list[tuple[str, int]]:
    return [(peer, getattr(data, "edition", 0)) for peer, data in sent]


@pytest.mark.parametrize("data", [make_submission(), make_revision()], ids=["applied", "parked"])
async def test_what_came_in_the_same_batch_as_the_question_is_in_the_answer(
    city: Restored, data: object
) -> None:
    sent = city.room.sign(data, COUNTY, subject=ITEM)
    question = city.room.sign(Replay(since=NOW), COUNTY, incarnation=2)
    await city.room.take_in(sent, question)
    [(peer, answer)] = await city.room.passed_on("replay")
    assert isinstance(answer, Replay)
    assert (peer, answer.tokens) == (COUNTY, (sent.token.decode(),))


async def test_a_backup_from_before_all_had_answered_is_asked_about_since_the_one_before(
    city: Restored,
) -> None:
    await city.begin(YESTERDAY, YESTERDAY)
    await city.begin()
    assert {q.since for _, _, q in await city.questions()} == {YESTERDAY}
    await city.recover()
    await city.begin(NOW + timedelta(hours=1), NOW)
    assert {q.since for _, _, q in await city.questions()} == {
        YESTERDAY,
        NOW + timedelta(hours=1),
    }


async def test_an_answer_to_what_an_earlier_restore_had_asked_changes_nothing(
    city: Restored,
) -> None:
    await city.begin()
    early = make_id(1, YESTERDAY)
    for peer in (COUNTY, SIBLING, PROVINCE):
        await city.room.take_in(city.room.sign(Replay(), peer, causation=early))
    await Recoverer(city.room.desk).step()
    await Recoverer(city.room.desk).step()
    assert await city.is_open()
    await city.recover()
    assert not await city.is_open()


async def test_what_the_county_was_told_went_up_goes_up_when_the_province_never_had_it(
    city: Restored,
) -> None:
    await city.begin()
    city.sent_again(make_submission(), COUNTY)
    city.said(fact(city, "registered", 1, number=NUMBER), COUNTY)
    city.said(
        fact(city, "forwarded", 2, to=city.room.offices[PROVINCE].reference, edition=1), COUNTY
    )
    await city.recover()
    assert contents(await city.room.passed_on("submission")) == [(PROVINCE, 1)]
    item = await city.item()
    assert (item.number, item.forwarded_edition) == (NUMBER, 1)
    assert await city.kinds() == ["submitted", "registered", "forwarded"]


async def test_what_went_up_is_told_to_the_county_when_it_never_heard_of_it(
    city: Restored,
) -> None:
    await city.begin()
    city.sent_again(make_submission(), COUNTY)
    city.said(make_submission(number=NUMBER), PROVINCE)
    await city.recover()
    told = await city.room.passed_on("feedback")
    assert [(peer, data.fact.kind, data.fact.sequence) for peer, data in told] == [
        (COUNTY, "registered", 1),
        (COUNTY, "forwarded", 2),
    ]
    item = await city.item()
    assert (item.state, item.number, item.forwarded_edition) == ("registered", NUMBER, 1)


async def test_a_revision_that_went_up_without_its_item_is_followed_by_the_item(
    city: Restored,
) -> None:
    await city.begin()
    city.sent_again(make_submission(), COUNTY)
    city.sent_again(make_revision(), COUNTY)
    revision = city.said(make_revision(number=NUMBER), PROVINCE)
    await city.recover()
    # The revision itself stands in the outbox as received.
    assert contents(await city.room.passed_on("submission")) == [(PROVINCE, 2)]
    async with city.room.desk.database.reading() as session:
        assert (await session.get_one(Outgoing, revision.id)).state == "received"
    assert (await city.item()).forwarded_edition == 2


async def test_an_edition_that_may_be_newer_than_the_return_is_looked_at_again(
    city: Restored,
) -> None:
    await city.begin()
    city.sent_again(make_submission(), COUNTY)
    city.sent_again(make_revision(), COUNTY)
    city.said(fact(city, "registered", 1, number=NUMBER), COUNTY)
    city.said(fact(city, "returned", 2, reason="请补充。"), COUNTY)
    await city.recover()
    item = await city.item()
    assert (item.state, item.edition) == ("submitted", 2)
    assert await city.kinds() == ["submitted", "registered", "returned", "resubmitted"]


async def test_what_was_done_with_an_item_stands_as_before_in_whatever_order_it_comes_back(
    city: Restored,
) -> None:
    await city.begin()
    city.sent_again(make_submission(), COUNTY)
    days = [NOW + timedelta(days=number) for number in range(5)]
    city.said(fact(city, "archived", 4, at=days[4], years=30, until="2056-12-31"), COUNTY)
    city.said(fact(city, "closed", 3, at=days[3]), COUNTY)
    city.said(fact(city, "adopted", 2, at=days[2]), COUNTY)
    city.said(fact(city, "registered", 1, at=days[1], number=NUMBER), COUNTY)
    await city.recover()
    item = await city.item()
    assert (item.state, item.closed, item.adopted, item.archived) == ("adopted", True, True, True)
    assert (item.ended_at, item.waiting) == (days[3], False)
    assert (item.origin_office, item.year) == (COUNTY, NOW.year)


async def test_a_newer_edition_of_an_own_item_is_its_newest(city: Restored) -> None:
    await city.begin()
    own = city.room.office.reference
    city.said(make_submission(origin=own, number=NUMBER), PROVINCE)
    city.said(make_revision(origin=own, number=NUMBER, title="改过的标题"), PROVINCE)
    await city.recover()
    item = await city.item()
    assert (item.title, item.edition, item.forwarded_edition) == ("改过的标题", 2, 2)
    assert await city.kinds() == ["submitted", "registered", "forwarded", "revised", "forwarded"]


async def test_what_a_neighbours_lost_incarnation_had_sent_is_refused_though_it_was_forgotten(
    city: Restored,
) -> None:
    await city.begin()
    outdated = city.room.sign(make_submission(), COUNTY, subject=ITEM)
    named = city.sent_again(make_submission(), COUNTY, subject=make_id(2))
    await city.room.take_in(outdated, named)
    await city.recover(incarnation=2)
    assert not await city.is_open()
    assert await city.room.inbox() == {named.id: "applied"}
    assert set(await city.room.quarantined()) == {"message.incarnation"}
    assert await city.room.item(ITEM) is None


async def test_the_first_seal_of_a_new_incarnation_follows_the_last_that_was_seen_of_the_old(
    city: Restored,
) -> None:
    await city.begin()
    await city.recover(audit=AuditHead(seal=7, hash="0" * 64))
    assert await Auditor(city.room.desk).step()
    async with city.room.desk.database.reading() as session:
        assert list(await session.scalars(select(AuditSeal.seal))) == [8]
        assert (await verify(session)).flaw is None
