"""Attacks with true signatures: checks 9 and 12 to 15 of `protocol/envelope.py`, `evidence.py`, and
receipts.

The attacker repeats what it recorded, or is a neighbour that lies.
"""

from __future__ import annotations

from datetime import timedelta

from protocol.envelope import AHEAD
from protocol.messages.links import Receipt, ReceiptEntry
from tests.factories import make_fact, make_feedback, make_note, make_payload
from tests.node.relay.attacks import refused
from tests.node.relay.ends import CITY, COUNTY, SIBLING, Ends, properties_of
from tests.node.relay.forgeries import (
    OF_PROVINCE,
    PROVINCE,
    edited,
    handed_down,
    honest,
    hub,
    provinces_fact,
    signer_below,
)
from tests.protocol.forgery import encode

MONTH = timedelta(days=30)


# Replays. ----------------------------------------------------------------------------------------


@refused("envelope.recipient", at=COUNTY)
def replay_to_another_recipient(ends: Ends) -> bytes:
    """Has recorded what the city said to another county, and says it to this one."""
    return ends.city.seal(make_note(), SIBLING)


@refused("envelope.recipient")
def replay_to_the_sender_above(ends: Ends) -> bytes:
    """Has recorded what the county said to somebody else, and says it to the city."""
    return ends.county.seal(make_note(), SIBLING)


@refused("envelope.time")
async def replay_after_a_month(ends: Ends) -> bytes:
    """Has recorded a message that was taken in a month ago."""
    token = honest(ends)
    ends.arrive(token, ends.city, **properties_of(token))
    await ends.exchange()
    ends.wait(MONTH.total_seconds())
    return token


@refused("envelope.time")
def first_delivery_after_a_month(ends: Ends) -> bytes:
    """Has held a message back for a month: its sender gave another one meanwhile."""
    token = honest(ends)
    ends.wait(MONTH.total_seconds())
    return token


@refused("envelope.time")
def signed_ahead(ends: Ends) -> bytes:
    """Had a key for a moment, and has signed for the time to come."""
    return honest(ends, at=ends.clock.now + 2 * AHEAD)


# Content. ----------------------------------------------------------------------------------------


@refused("envelope.payload")
def signed_content_that_is_no_json(ends: Ends) -> bytes:
    """A neighbour signs what is no event."""
    return ends.county.seal(b"hello", CITY)


@refused("envelope.type")
def unknown_type(ends: Ends) -> bytes:
    """A neighbour makes up a type."""
    return edited(ends, type="cn.zhitong.unheard_of.v1")


@refused("envelope.type")
def unknown_major_version(ends: Ends) -> bytes:
    """A neighbour speaks a version that is not spoken here."""
    return edited(ends, type="cn.zhitong.submission.v2")


@refused("envelope.direction")
def fact_from_below(ends: Ends) -> bytes:
    """A county decides for its city."""
    return ends.county.seal(make_feedback(), CITY, subject=ends.county.new_id())


@refused("envelope.data")
def data_that_do_not_fit(ends: Ends) -> bytes:
    """A neighbour leaves out what must be there."""
    return edited(ends, data={"title": ""})


# Evidence. ---------------------------------------------------------------------------------------


@refused("evidence.refused", at=COUNTY, proven=CITY, told=True)
async def evidence_from_another_item(ends: Ends) -> bytes:
    """The city shows a fact of the province about one item for another one.

    That one was part of it once, by the city's own word, and was taken out again.
    """
    item, other = await ends.county.room.registered(), ends.city.new_id()
    for fact in (
        make_fact("merged", sequence=1, into=other),
        make_fact("unmerged", sequence=2, out_of=other, reason="内容并不相同。"),
    ):
        token = ends.city.seal(make_feedback(fact), COUNTY, subject=item)
        ends.arrive(token, ends.county, **properties_of(token))
    await ends.county.take_all()
    await ends.county.send_all()
    return handed_down(ends, provinces_fact(ends, about=other), about=item)


@refused("evidence.refused", at=COUNTY, proven=CITY, told=True)
def evidence_with_another_fact(ends: Ends) -> bytes:
    """The city changes a word of the province's fact, and keeps the signature."""
    item = ends.city.new_id()
    head, _, signature = provinces_fact(ends, about=item).split(b".")
    other = provinces_fact(ends, about=item, kind="adopted").split(b".")[1]
    return handed_down(ends, b".".join((head, other, signature)), about=item)


@refused("evidence.refused", at=COUNTY, proven=CITY, told=True)
def evidence_under_the_citys_own_issuer(ends: Ends) -> bytes:
    """The city signs a fact in the province's name, with a certificate that it made itself."""
    item, signer = ends.city.new_id(), signer_below(ends, PROVINCE, hub(ends, CITY))
    fact = make_feedback(make_fact(office=OF_PROVINCE))
    payload = make_payload(fact, sender=PROVINCE, recipient=CITY, subject=item)
    return handed_down(ends, ends.city.seal(payload, CITY, signer=signer), about=item)


@refused("evidence.refused", at=COUNTY, proven=CITY, told=True)
def fact_of_the_province_without_its_signature(ends: Ends) -> bytes:
    """The city says what the province decided, and shows nothing for it."""
    fact = make_fact(office=OF_PROVINCE)
    return ends.city.seal(make_feedback(fact), COUNTY, subject=ends.city.new_id())


# Receipts. ---------------------------------------------------------------------------------------


@refused("receipt.mismatch", at=COUNTY, proven=CITY)
async def receipts_exchanged_between_two_messages(ends: Ends) -> bytes:
    """The city confirms two messages, each with the digest of the other: it can deny both."""
    await ends.county.forward(2)
    await ends.county.send_all()
    one, two = await ends.county.outbox()
    entries = [
        ReceiptEntry(id=one.id, digest=two.digest, verdict="received"),
        ReceiptEntry(id=two.id, digest=one.digest, verdict="received"),
    ]
    return ends.city.seal(Receipt(entries=entries), COUNTY)


@refused("receipt.mismatch", proven=COUNTY)
async def receipt_for_what_another_office_was_sent(ends: Ends) -> bytes:
    """A county confirms what the city sent to another county, so that it is never sent again."""
    note = await ends.city.post(make_note(), to=SIBLING)
    await ends.city.publisher.step()
    row = await ends.city.row(note)
    entry = ReceiptEntry(id=row.id, digest=row.digest, verdict="received")
    return ends.county.seal(Receipt(entries=[entry]), CITY)


@refused("envelope.signature", at=COUNTY)
def receipt_rewritten_on_the_way(ends: Ends) -> bytes:
    """Sits on the wire, and turns a refusal into a confirmation."""
    id, digest = ends.county.new_id(), "ab" * 32
    said = ReceiptEntry(id=id, digest=digest, verdict="refused", code="item.taken")
    wished = ReceiptEntry(id=id, digest=digest, verdict="received")
    head, _, signature = ends.city.seal(Receipt(entries=[said]), COUNTY).split(b".")
    body = encode(ends.city.payload(Receipt(entries=[wished]), COUNTY))
    return b".".join((head, body, signature))
