"""Receipts: what they change at the sender, and what they never change."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from node.relay.auditor import Auditor
from node.storage.audit import AuditSeal
from node.storage.messages import KeptReceipt, Outgoing
from protocol import envelope
from protocol.identifiers import digest
from protocol.messages.links import AuditHead, Receipt, ReceiptEntry
from tests.node.relay.ends import CITY, COUNTY, SETTINGS, Ends, ids, properties_of


def received(row: Outgoing, **changed: Any) -> ReceiptEntry:
    return ReceiptEntry(**{"id": row.id, "digest": row.digest, "verdict": "received"} | changed)


def refused(row: Outgoing, *, permanent: bool, code: str = "message.altered") -> ReceiptEntry:
    return received(row, verdict="refused", code=code, permanent=permanent)


async def sent(ends: Ends, count: int = 1) -> list[Outgoing]:
    """Messages of the county that wait for their receipts."""
    await ends.county.forward(count)
    await ends.county.send_all()
    ends.switchboard.queue(CITY).clear()
    return await ends.county.outbox()


async def answer(ends: Ends, *entries: ReceiptEntry, audit: AuditHead | None = None) -> None:
    """The county is handed a receipt of the city, and takes it in."""
    await deliver(ends, *entries, audit=audit)
    assert await codes(ends) == []


async def deliver(ends: Ends, *entries: ReceiptEntry, audit: AuditHead | None = None) -> None:
    token = ends.city.seal(Receipt(entries=entries, audit=audit), COUNTY)
    ends.arrive(token, ends.county, **properties_of(token))
    await ends.county.take_all()


async def codes(ends: Ends) -> list[str]:
    """With what the county refused receipts."""
    return [row.code for row in await ends.county.quarantine()]


async def test_a_receipt_ends_the_life_of_a_message_in_the_outbox(ends: Ends) -> None:
    [row] = await sent(ends)
    await answer(ends, received(row))
    row = await ends.county.row(row.id)
    assert (row.state, row.code, row.permanent, row.resend_at) == ("received", None, None, None)
    assert row.answered_at is not None


async def test_a_confirmation_of_other_bytes_is_refused_with_all_that_the_receipt_says(
    ends: Ends,
) -> None:
    one, two = await sent(ends, 2)
    head = AuditHead(seal=7, hash="ab" * 32)
    await deliver(ends, received(one, digest=digest(b"other")), received(two), audit=head)
    assert await codes(ends) == ["receipt.mismatch"]
    assert await ends.county.states() == ["sent", "sent"]
    assert (await ends.county.link(CITY)).audit_seal is None


async def test_a_refusal_of_other_bytes_is_news_of_somebody_else_and_changes_nothing(
    ends: Ends,
) -> None:
    one, two = await sent(ends, 2)
    other = received(one, digest=digest(b"other"), verdict="refused", code="message.altered")
    await answer(ends, other, received(two))
    assert await ends.county.states() == ["sent", "received"]


async def test_a_receipt_for_what_was_never_sent_changes_nothing(ends: Ends) -> None:
    [row] = await sent(ends)
    unknown = received(row, id=ends.city.new_id())
    await answer(ends, unknown)
    assert await ends.county.states() == ["sent"]


async def test_an_unknown_entry_does_not_spoil_the_others(ends: Ends) -> None:
    [row] = await sent(ends)
    await answer(ends, received(row, id=ends.city.new_id()), received(row))
    assert await ends.county.states() == ["received"]


@pytest.mark.parametrize("permanent", [True, False])
async def test_a_positive_verdict_is_never_undone(ends: Ends, *, permanent: bool) -> None:
    [row] = await sent(ends)
    await answer(ends, received(row))
    await answer(ends, refused(row, permanent=permanent))
    row = await ends.county.row(row.id)
    assert (row.state, row.code, row.resend_at) == ("received", None, None)


@pytest.mark.parametrize("permanent", [True, False])
async def test_a_positive_verdict_wins_over_an_earlier_refusal(
    ends: Ends, *, permanent: bool
) -> None:
    [row] = await sent(ends)
    await answer(ends, refused(row, permanent=permanent))
    assert await ends.county.states() == ["refused"]
    await answer(ends, received(row))
    row = await ends.county.row(row.id)
    assert (row.state, row.code, row.permanent, row.resend_at) == ("received", None, None, None)


async def test_a_second_refusal_replaces_the_first(ends: Ends) -> None:
    [row] = await sent(ends)
    await answer(ends, refused(row, permanent=False, code="message.poison"))
    await answer(ends, refused(row, permanent=True, code="evidence.refused"))
    row = await ends.county.row(row.id)
    assert (row.code, row.permanent, row.resend_at) == ("evidence.refused", True, None)


@pytest.mark.parametrize("first", ["received", "refused"])
async def test_of_two_verdicts_in_one_receipt_the_positive_one_counts(
    ends: Ends, first: str
) -> None:
    [row] = await sent(ends)
    verdicts = [received(row), refused(row, permanent=True)]
    if first == "refused":
        verdicts.reverse()
    await answer(ends, *verdicts)
    assert await ends.county.states() == ["received"]


async def test_a_receipt_may_answer_a_message_whose_sending_was_never_marked(ends: Ends) -> None:
    await ends.county.forward()
    [row] = await ends.county.outbox()
    assert row.state == "pending"
    await answer(ends, received(row))
    assert await ends.county.states() == ["received"]
    assert await ends.county.send_all() == []


async def test_receipts_are_neither_kept_nor_answered(ends: Ends) -> None:
    [row] = await sent(ends)
    await answer(ends, received(row))
    assert await ends.county.inbox() == []
    assert [r.name for r in await ends.county.outbox()] == ["submission"]


async def test_the_same_receipt_may_come_any_number_of_times(ends: Ends) -> None:
    [row] = await sent(ends)
    for _ in range(3):
        await answer(ends, received(row))
    assert await ends.county.states() == ["received"]


async def test_one_receipt_answers_a_whole_batch(ends: Ends) -> None:
    await ends.county.forward(SETTINGS.window)
    sent_ids = ids(await ends.county.send_all())
    await ends.city.take_all()
    [receipt] = await ends.city.receipts()
    assert [entry.id for entry in receipt.entries] == sent_ids
    assert {row.id: row.digest for row in await ends.county.outbox()} == {
        entry.id: entry.digest for entry in receipt.entries
    }


async def test_receipts_carry_the_head_of_the_audit_chain_and_the_neighbour_keeps_it(
    ends: Ends,
) -> None:
    await ends.county.forward()
    await ends.exchange()
    link = await ends.county.link(CITY)
    assert (link.audit_seal, link.audit_hash) == (None, None), "nothing was sealed yet"
    await Auditor(ends.city.room.desk).step()
    await ends.county.forward()
    await ends.exchange()
    link = await ends.county.link(CITY)
    assert link.audit_seal == 1
    assert link.audit_hash == await newest_seal(ends)


async def newest_seal(ends: Ends) -> str:
    async with ends.city.room.database.reading() as session:
        [seal] = await session.scalars(select(AuditSeal))
        return seal.hash


async def test_an_older_head_of_the_audit_chain_does_not_replace_a_newer_one(ends: Ends) -> None:
    [row] = await sent(ends)
    new, old = AuditHead(seal=7, hash="ab" * 32), AuditHead(seal=6, hash="cd" * 32)
    await answer(ends, received(row), audit=new)
    await answer(ends, received(row), audit=old)
    await answer(ends, received(row))
    link = await ends.county.link(CITY)
    assert (link.audit_seal, link.audit_hash) == (7, "ab" * 32)


async def test_the_receipt_is_kept_once_for_all_that_it_answered(ends: Ends) -> None:
    rows = await sent(ends, 3)
    await answer(ends, *[received(row) for row in rows])
    [kept] = await kept_receipts(ends)
    assert {row.receipt for row in await ends.county.outbox()} == {kept.id}
    place = ends.county.room.desk.place
    opened = envelope.open_message(
        kept.token, chains=ends.county.room.desk.chains, place=place, now=None
    )
    assert (opened.event.id, opened.event.sender, kept.peer) == (kept.id, CITY, CITY)
    assert isinstance(opened.data, Receipt)
    assert [entry.id for entry in opened.data.entries] == [row.id for row in rows]


async def test_the_first_receipt_stays_and_later_ones_are_not_kept(ends: Ends) -> None:
    [row] = await sent(ends)
    await answer(ends, received(row))
    [first] = await kept_receipts(ends)
    await answer(ends, received(row))
    assert [kept.id for kept in await kept_receipts(ends)] == [first.id]
    assert (await ends.county.row(row.id)).receipt == first.id


async def test_a_refusal_and_a_receipt_for_other_bytes_are_not_kept(ends: Ends) -> None:
    [row] = await sent(ends)
    await answer(ends, refused(row, permanent=True))
    await deliver(ends, received(row, digest=digest(b"other")))
    assert await codes(ends) == ["receipt.mismatch"]
    assert await kept_receipts(ends) == []
    assert (await ends.county.row(row.id)).receipt is None


async def kept_receipts(ends: Ends) -> list[KeptReceipt]:
    async with ends.county.room.database.reading() as session:
        return list(await session.scalars(select(KeptReceipt)))
