"""Taking in, step by step as numbered in `node/relay/reception.py`: bad deliveries that break only
one step end in quarantine with their code, and change nothing else.

Who is proven to have sent such a message is told; nobody else is. What step 1 refuses is in
`test_attacks`.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import pytest
from sqlalchemy import delete, update

from node.storage.offices import Office
from node.workflow import outbox
from protocol.envelope import BEHIND
from protocol.messages.items import MOST_CARRIED
from tests.factories import make_note
from tests.node import rooms
from tests.node.relay.ends import CITY, COUNTY, SIBLING, Ends, properties_of
from tests.node.relay.forgeries import honest
from tests.protocol import forgery
from tests.protocol.forgery import edit


@dataclass(frozen=True)
class Before:
    """What stood in the tables before a delivery."""

    tables: dict[str, list[str]]

    async def demand_unchanged(self, ends: Ends, *, but: set[str]) -> None:
        """Nothing changed in any table but these."""
        after = await rooms.contents(ends.city.room.database)
        changed = {name for name in after if after[name] != self.tables[name]}
        assert changed <= but, f"changed: {changed - but}"


async def look(ends: Ends) -> Before:
    return Before(await rooms.contents(ends.city.room.database))


async def demand_told(ends: Ends, token: bytes, code: str, *, permanent: bool) -> None:
    """The city holds one negative receipt for the county."""
    [receipt] = await ends.city.receipts()
    [row] = await ends.city.outbox()
    [entry] = receipt.entries
    assert (row.peer, str(entry.id)) == (COUNTY, properties_of(token)["message_id"])
    assert (entry.verdict, entry.code, entry.permanent) == ("refused", code, permanent)


async def test_1_what_was_signed_too_long_ago_is_signed_again_by_its_sender_and_taken_in(
    ends: Ends,
) -> None:
    [message] = await ends.county.forward()
    await ends.county.send_all()
    ends.wait(BEHIND.total_seconds() + 3600)
    await ends.city.take_all()
    assert [row.code for row in await ends.city.quarantine()] == ["envelope.time"]
    await ends.exchange()
    assert await ends.county.states() == ["received"]
    assert [row.id for row in await ends.city.inbox()] == [message]


DISAGREEING = {
    "message_id": "01a204bd-0000-7000-8000-000000000000",
    "type": "cn.zhitong.revision.v1",
    "app_id": "xishan",
    "content_type": "application/json",
    "user_id": "xishan",
}


@pytest.mark.parametrize("name", DISAGREEING)
async def test_2_a_property_that_disagrees_with_the_signed_content_is_refused(
    ends: Ends, name: str
) -> None:
    token, before = honest(ends), await look(ends)
    changed = {name: DISAGREEING[name]}
    ends.arrive(token, ends.city, **properties_of(token, **changed))
    await ends.city.take_all()
    [kept] = await ends.city.quarantine()
    assert (kept.code, kept.peer) == ("message.properties", COUNTY)
    await demand_told(ends, token, "message.properties", permanent=False)
    await before.demand_unchanged(ends, but={"quarantine", "audit", "outbox"})


@pytest.mark.parametrize("name", ["message_id", "type", "app_id", "content_type"])
async def test_2_a_missing_property_is_refused(ends: Ends, name: str) -> None:
    token = honest(ends)
    ends.arrive(token, ends.city, **properties_of(token, **{name: None}))
    await ends.city.take_all()
    assert [row.code for row in await ends.city.quarantine()] == ["message.properties"]


async def test_2_a_broker_that_vouches_for_no_account_is_no_reason_to_refuse(ends: Ends) -> None:
    token = honest(ends)
    ends.arrive(token, ends.city, **properties_of(token, user_id=None))
    await ends.city.take_all()
    assert (await ends.city.quarantine(), await ends.city.items()) == ([], 1)


async def test_3_an_office_that_is_not_in_the_directory_is_refused(ends: Ends) -> None:
    async with ends.city.room.database.writing.begin() as session:
        await session.execute(delete(Office).where(Office.id == COUNTY))
    token, before = honest(ends), await look(ends)
    ends.arrive(token, ends.city, **properties_of(token))
    await ends.city.take_all()
    [kept] = await ends.city.quarantine()
    assert (kept.code, kept.peer) == ("office.unknown", COUNTY)
    # Proven, but there is no link on which it could be told.
    await before.demand_unchanged(ends, but={"quarantine", "audit"})


@pytest.mark.parametrize("relation", ["other", "self"])
async def test_3_an_office_that_is_known_but_no_neighbour_is_refused(
    ends: Ends, relation: str
) -> None:
    async with ends.city.room.database.writing.begin() as session:
        await session.execute(update(Office).where(Office.id == COUNTY).values(relation=relation))
    token = honest(ends)
    ends.arrive(token, ends.city, **properties_of(token))
    await ends.city.take_all()
    assert [row.code for row in await ends.city.quarantine()] == ["office.unknown"]


async def test_3_an_incarnation_that_was_replaced_is_refused(ends: Ends) -> None:
    newer = honest(ends, incarnation=3)
    ends.arrive(newer, ends.city, **properties_of(newer))
    await ends.exchange()
    token, before = honest(ends, incarnation=2), await look(ends)
    ends.arrive(token, ends.city, **properties_of(token))
    await ends.city.take_all()
    [kept] = await ends.city.quarantine()
    assert (kept.code, kept.permanent) == ("message.incarnation", False)
    await demand_told(ends, token, "message.incarnation", permanent=False)
    await before.demand_unchanged(ends, but={"quarantine", "audit", "outbox"})


async def test_3_within_one_batch_too_an_older_incarnation_is_refused(ends: Ends) -> None:
    for incarnation in (2, 3, 2):
        token = honest(ends, incarnation=incarnation)
        ends.arrive(token, ends.city, **properties_of(token))
    await ends.city.take_all()
    assert (await ends.city.items(), len(await ends.city.quarantine())) == (2, 1)


async def test_4_a_duplicate_gets_the_same_verdict_again_and_changes_nothing(ends: Ends) -> None:
    token = honest(ends)
    ends.arrive(token, ends.city, **properties_of(token))
    await ends.city.take_all()
    [first] = await ends.city.receipts()
    await ends.city.send_all()
    ends.wait(400 * 24 * 3600)
    again, before = signed_again(ends, token), await look(ends)
    ends.arrive(again, ends.city, **properties_of(again))
    await ends.city.take_all()
    [second] = await ends.city.receipts()
    assert second.entries == first.entries
    await before.demand_unchanged(ends, but={"outbox", "links"})


def signed_again(ends: Ends, token: bytes) -> bytes:
    """The same message, signed anew: other bytes, the same content."""
    again = ends.county.seal(forgery.decode(token.split(b".")[1]), CITY, at=ends.clock.now)
    assert again != token
    return again


async def test_4_a_duplicate_within_one_batch_has_one_effect(ends: Ends) -> None:
    token = honest(ends)
    for _ in range(3):
        ends.arrive(token, ends.city, **properties_of(token))
    await ends.city.take_all()
    [receipt] = await ends.city.receipts()
    assert {entry.verdict for entry in receipt.entries} == {"received"}
    assert (len(await ends.city.inbox()), await ends.city.items()) == (1, 1)


@pytest.mark.parametrize("together", [True, False])
async def test_4_the_same_id_with_other_content_is_refused(ends: Ends, *, together: bool) -> None:
    id, subject = ends.county.new_id(), ends.county.new_id()
    tokens = [
        ends.county.seal(ends.county.item(title=title), CITY, subject=subject, id=id)
        for title in ("泵站管护缺位", "泵站管护良好")
    ]
    for token in tokens:
        ends.arrive(token, ends.city, **properties_of(token))
        if not together:
            await ends.city.take_all()
            await ends.city.send_all()
    await ends.city.take_all()
    [kept] = await ends.city.quarantine()
    assert (kept.code, kept.permanent) == ("message.altered", True)
    assert (kept.message_id, kept.body) == (id, tokens[1])
    [stored] = await ends.city.inbox()
    assert stored.token == tokens[0]
    assert await ends.city.items() == 1


async def test_4_the_same_id_from_another_neighbour_is_another_message(ends: Ends) -> None:
    id = ends.county.new_id()
    mine = honest(ends, id=id)
    theirs = sibling_item(ends, ends.county.new_id(), id)
    for token in (mine, theirs):
        ends.arrive(token, ends.city, **properties_of(token))
    await ends.city.take_all()
    assert {row.source for row in await ends.city.inbox()} == {COUNTY, SIBLING}
    assert await ends.city.items() == 2


def sibling_item(ends: Ends, subject: UUID, id: UUID | None = None) -> bytes:
    """A submission of the sibling county."""
    own = ends.county.room.desk.office.model_copy(update={"id": SIBLING, "name": "西山县政协"})
    payload = ends.county.payload(ends.county.item(origin=own), CITY, subject=subject, id=id)
    source = edit(payload, source=f"urn:zhitong:node:{SIBLING}")
    return ends.county.seal(source, CITY, signer=ends.signer(SIBLING))


async def test_5_what_this_version_does_not_handle_is_refused_for_the_time_being(
    ends: Ends,
) -> None:
    token, before = ends.county.seal(make_note(), CITY), await look(ends)
    ends.arrive(token, ends.city, **properties_of(token))
    await ends.city.take_all()
    [kept] = await ends.city.quarantine()
    assert (kept.code, kept.permanent) == ("message.unsupported", False)
    await demand_told(ends, token, "message.unsupported", permanent=False)
    await before.demand_unchanged(ends, but={"quarantine", "audit", "outbox", "links"})


async def test_5_an_item_that_another_office_brought_is_not_taken_over(ends: Ends) -> None:
    subject = ends.county.new_id()
    mine, theirs = (
        ends.county.seal(ends.county.item(), CITY, subject=subject),
        sibling_item(ends, subject),
    )
    for token in (mine, theirs):
        ends.arrive(token, ends.city, **properties_of(token))
    await ends.city.take_all()
    [kept] = await ends.city.quarantine()
    assert (kept.code, kept.peer) == ("item.taken", SIBLING)
    refused = [r for r in await ends.city.receipts() if r.entries[0].verdict == "refused"]
    assert len(refused) == 1
    assert await ends.city.items() == 1


async def test_5_a_token_that_nobody_could_carry_on_is_refused_for_good(ends: Ends) -> None:
    half = "a" * (MOST_CARRIED // 2)
    large = ends.county.item(evidence=[half, half])
    token, before = ends.county.seal(large, CITY, subject=ends.county.new_id()), await look(ends)
    ends.arrive(token, ends.city, **properties_of(token))
    await ends.city.take_all()
    [kept] = await ends.city.quarantine()
    assert (kept.code, kept.peer) == ("envelope.too_large", COUNTY)
    await demand_told(ends, token, "envelope.too_large", permanent=True)
    await before.demand_unchanged(ends, but={"quarantine", "audit", "outbox", "links"})


async def test_what_an_office_may_post_the_other_may_take_in(ends: Ends) -> None:
    longest = ends.county.item(body="字" * 20_000, evidence=["a" * 962_000])
    payload = ends.county.payload(longest, CITY, subject=ends.county.new_id())
    assert outbox.MOST_BYTES - 5_000 < len(payload) <= outbox.MOST_BYTES
    assert len(ends.county.seal(payload, CITY)) <= MOST_CARRIED


async def test_one_bad_message_does_not_keep_the_others_of_its_batch_out(ends: Ends) -> None:
    bad = ends.county.seal(make_note(), CITY)
    for token in (honest(ends), bad, honest(ends)):
        ends.arrive(token, ends.city, **properties_of(token))
    ends.arrive(b"no token", ends.city)
    assert await ends.city.consumer.step()
    assert not await ends.city.consumer.step(), "one batch"
    [receipt] = await ends.city.receipts()
    assert [e.verdict for e in receipt.entries] == ["received", "refused", "received"]
    assert (await ends.city.items(), len(await ends.city.quarantine())) == (2, 2)
