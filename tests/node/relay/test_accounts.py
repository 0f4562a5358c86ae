"""Statements of account: both ends find out what the other one lacks, and put it right."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import delete, select, update
from structlog.testing import capture_logs

from node.relay.accountant import Accountant
from node.storage.messages import Incoming, Outgoing
from node.storage.statements import Account
from node.workflow import accounts
from node.workflow.accounts import agreements
from protocol.identifiers import day_of
from tests.node.relay.ends import CITY, COUNTY, End, Ends

HOUR, DAY = 3_600.0, 86_400.0


async def test_both_ends_agree_on_what_went_over_the_link(ends: Ends) -> None:
    sent = await _carry(ends, 3)
    ends.wait(2 * HOUR)
    await _account(ends)
    for end, peer, side in ((ends.county, CITY, "sent"), (ends.city, COUNTY, "received")):
        [account] = await _accounts(end, side)
        assert (account.peer, account.count, account.peer_count) == (peer, 3, 3)
        assert account.digest == account.peer_digest
        assert account.agreed_at is not None
        async with end.room.database.reading() as session:
            agreed = (await agreements(session))[peer]
        until = {"sent": agreed.sent_until, "received": agreed.received_until}
        assert until == {"sent": None, "received": None} | {side: day_of(sent[0])}


async def test_what_the_receiver_lacks_is_sent_again_under_the_same_id(ends: Ends) -> None:
    sent = await _carry(ends, 3)
    await _forget(ends.city, Incoming, sent[1])
    ends.wait(2 * HOUR)
    await _account(ends)
    assert {row.id for row in await ends.city.inbox()} == set(sent)
    assert await ends.city.items() == 3
    ends.wait(DAY)
    await _account(ends)
    assert [a.agreed_at is not None for a in await _accounts(ends.county, "sent")] == [True]


async def test_what_the_sender_has_forgotten_is_an_alarm(ends: Ends) -> None:
    sent = await _carry(ends, 3)
    await _forget(ends.county, Outgoing, sent[2])
    ends.wait(2 * HOUR)
    with capture_logs() as logs:
        await _account(ends)
    assert [(log["event"], log["message_id"]) for log in logs if log["log_level"] == "error"] == [
        ("statement.surplus", str(sent[2]))
    ]
    [account] = await _accounts(ends.county, "sent")
    assert (account.agreed_at, account.surplus) == (None, 1)
    assert account.differs_since is not None


async def test_the_same_ids_with_another_content_do_not_agree(ends: Ends) -> None:
    sent = await _carry(ends, 2)
    async with ends.city.room.database.writing.begin() as session:
        await session.execute(
            update(Incoming).where(Incoming.id == sent[0]).values(digest="0" * 64)
        )
    ends.wait(2 * HOUR)
    await _account(ends)
    assert [a.agreed_at for a in await _accounts(ends.county, "sent")] == [None]
    assert [a.agreed_at for a in await _accounts(ends.city, "received")] == [None]


async def test_a_difference_that_stays_for_a_day_is_an_alarm_at_both_ends(ends: Ends) -> None:
    sent = await _carry(ends, 2)
    await _forget(ends.county, Outgoing, sent[0])
    ends.wait(2 * HOUR)
    await _account(ends)
    ends.wait(DAY)
    with capture_logs() as logs:
        await _account(ends)
    said = {(log["event"], log["side"]) for log in logs if log["event"] == "statement.differs"}
    assert said == {("statement.differs", "sent"), ("statement.differs", "received")}


async def test_what_was_sent_within_the_hour_is_not_stated_yet(ends: Ends) -> None:
    await _carry(ends, 1)
    ends.wait(2 * HOUR)
    await _carry(ends, 1)
    await _account(ends)
    [account] = await _accounts(ends.county, "sent")
    assert (account.count, account.peer_count) == (1, 2)
    assert account.agreed_at is not None


async def test_what_was_refused_is_not_counted(ends: Ends) -> None:
    await _carry(ends, 1)
    async with ends.county.room.database.writing.begin() as session:
        await session.execute(update(Outgoing).values(state="refused", permanent=True))
    async with ends.city.room.database.writing.begin() as session:
        await session.execute(delete(Incoming))
    ends.wait(2 * HOUR)
    await _account(ends)
    [account] = await _accounts(ends.county, "sent")
    assert (account.count, account.agreed_at is not None) == (0, True)


async def test_a_message_that_was_never_marked_as_sent_counts_once_its_receipt_came(
    ends: Ends,
) -> None:
    [sent] = await ends.county.forward()
    await ends.county.send_all()
    async with ends.county.room.database.writing.begin() as session:
        # The publisher was killed after the confirm.
        await session.execute(
            update(Outgoing).values(state="pending", first_sent_at=None, sent_at=None)
        )
    await ends.city.take_all()
    await ends.city.send_all()
    await ends.county.take_all()
    ends.wait(2 * HOUR)
    await _account(ends)
    [account] = await _accounts(ends.county, "sent")
    assert (account.day, account.count) == (day_of(sent), 1)
    assert account.agreed_at is not None


@pytest.mark.parametrize("lost", [0, 1, 2, 3, 6])
async def test_ids_on_many_pages_leave_no_gap_between_them(
    ends: Ends, monkeypatch: pytest.MonkeyPatch, lost: int
) -> None:
    monkeypatch.setattr(accounts, "PAGE", 3)
    sent = await _carry(ends, 7)
    await _forget(ends.city, Incoming, sent[lost])
    ends.wait(2 * HOUR)
    await _account(ends)
    assert {row.id for row in await ends.city.inbox()} == set(sent)


async def test_a_statement_that_was_lost_is_made_again_the_next_day(ends: Ends) -> None:
    await _carry(ends, 1)
    ends.wait(2 * HOUR)
    ends.county.wire.loses = True
    await _account(ends)
    assert [a.peer_count for a in await _accounts(ends.county, "sent")] == [None]
    ends.county.wire.loses = False
    assert not await _step(ends.county)  # only once a day
    ends.wait(DAY)
    await _account(ends)
    assert [a.agreed_at is not None for a in await _accounts(ends.county, "sent")] == [True]


async def test_a_message_first_sent_weeks_after_it_was_written_is_stated_then(ends: Ends) -> None:
    [written] = await ends.county.forward()
    await _account(ends)
    ends.wait(21 * DAY)
    await ends.exchange()
    ends.wait(2 * HOUR + DAY)
    await _account(ends)
    [account] = await _accounts(ends.county, "sent")
    assert (account.day, account.count) == (day_of(written), 1)
    assert account.agreed_at is not None


async def _carry(ends: Ends, count: int) -> list[UUID]:
    sent = []
    for _ in range(count):
        sent += await ends.county.forward()
        await ends.exchange()
        ends.clock.move(timedelta(seconds=1))
    return sorted(sent)


async def _account(ends: Ends) -> None:
    for end in (ends.county, ends.city):
        while await _step(end):
            pass
    await ends.exchange()


async def _step(end: End) -> bool:
    return await Accountant(end.room.desk).step()


async def _accounts(end: End, side: str) -> list[Account]:
    async with end.room.database.reading() as session:
        query = select(Account).where(Account.side == side).order_by(Account.day)
        return list(await session.scalars(query))


async def _forget(end: End, table: type[Incoming] | type[Outgoing], id: UUID) -> None:
    async with end.room.database.writing.begin() as session:
        await session.execute(delete(table).where(table.id == id))
