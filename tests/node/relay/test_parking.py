"""Messages about something that is not known yet: kept, receipted, and released when it comes."""

from __future__ import annotations

import itertools
from uuid import UUID

import pytest

from node.workflow import reading
from protocol.identifiers import NodeId
from protocol.messages.items import Withdrawal
from tests.factories import make_fact, make_feedback, make_revision
from tests.node.relay.ends import CITY, COUNTY, End, Ends, properties_of


def submission(ends: Ends, subject: UUID) -> bytes:
    return ends.county.seal(ends.county.item(), CITY, subject=subject)


def revision(ends: Ends, subject: UUID) -> bytes:
    data = make_revision(origin=ends.county.room.desk.office, title="第二稿")
    return ends.county.seal(data, CITY, subject=subject)


def arrive(ends: Ends, *tokens: bytes) -> None:
    for token in tokens:
        ends.arrive(token, ends.city, **properties_of(token))


async def newest(end: End, item: UUID) -> tuple[str, int]:
    """The item's newest edition."""
    view = await reading.view(end.room.desk, end.room.editor, item)
    return view.item.title, view.edition.number


async def test_what_comes_before_its_item_is_kept_receipted_and_shown_nowhere(ends: Ends) -> None:
    arrive(ends, revision(ends, ends.county.new_id()))
    await ends.city.take_all()
    assert [row.state for row in await ends.city.inbox()] == ["parked"]
    [receipt] = await ends.city.receipts()
    assert [entry.verdict for entry in receipt.entries] == ["received"]
    assert (await ends.city.items(), await ends.city.quarantine()) == (0, [])


@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "one by one"])
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
async def test_whatever_order_a_submission_its_revision_and_its_withdrawal_come_in_all_are_applied(
    ends: Ends, order: tuple[int, ...], *, together: bool
) -> None:
    subject = ends.county.new_id()
    tokens = [
        submission(ends, subject),
        revision(ends, subject),
        ends.county.seal(Withdrawal(reason="另行反映。"), CITY, subject=subject),
    ]
    for number in order:
        arrive(ends, tokens[number])
        if not together:
            await ends.city.take_all()
    await ends.city.take_all()
    assert [row.state for row in await ends.city.inbox()] == ["applied"] * 3
    assert await newest(ends.city, subject) == ("第二稿", 2)
    answers = [row for row in await ends.city.outbox() if row.name == "feedback"]
    assert len(answers) == 1, "the request to withdraw is answered once"


async def test_what_is_released_is_not_applied_again_when_it_comes_again(ends: Ends) -> None:
    subject = ends.county.new_id()
    early = revision(ends, subject)
    arrive(ends, early)
    await ends.city.take_all()
    arrive(ends, submission(ends, subject), early, early)
    await ends.city.take_all()
    assert len(await ends.city.inbox()) == 2
    timeline = await ends.city.room.timeline(subject)
    assert timeline == [(CITY, "submitted"), (CITY, "revised")]


async def test_a_parked_message_waits_for_its_own_item_only(ends: Ends) -> None:
    waiting = ends.county.new_id()
    arrive(ends, revision(ends, waiting), submission(ends, ends.county.new_id()))
    await ends.city.take_all()
    states = {row.subject == waiting: row.state for row in await ends.city.inbox()}
    assert states == {True: "parked", False: "applied"}


async def test_a_message_that_was_parked_for_a_year_is_released_though_its_signature_is_old(
    ends: Ends,
) -> None:
    subject = ends.county.new_id()
    arrive(ends, revision(ends, subject))
    await ends.city.take_all()
    ends.wait(365 * 24 * 3600)
    arrive(ends, submission(ends, subject))
    await ends.city.take_all()
    assert [row.state for row in await ends.city.inbox()] == ["applied"] * 2
    assert await newest(ends.city, subject) == ("第二稿", 2)


async def test_a_fact_about_an_item_that_a_restored_office_forgot_waits_there(ends: Ends) -> None:
    fact = make_feedback(make_fact(office=ends.city.room.desk.office))
    token = ends.city.seal(fact, COUNTY, subject=ends.county.new_id())
    ends.arrive(token, ends.county, **properties_of(token))
    await ends.county.take_all()
    assert [row.state for row in await ends.county.inbox()] == ["parked"]


async def test_a_parked_message_that_is_refused_on_release_does_not_hold_the_item_back(
    ends: Ends,
) -> None:
    subject = ends.county.new_id()
    other = ends.county.room.desk.office.model_copy(update={"id": NodeId("nobody")})
    stolen = make_revision(origin=other)
    arrive(ends, ends.county.seal(stolen, CITY, subject=subject))
    await ends.city.take_all()
    arrive(ends, submission(ends, subject))
    await ends.city.take_all()
    assert sorted(row.state for row in await ends.city.inbox()) == ["applied", "parked"]
    assert await ends.city.items() == 1
