"""The window of a link: what is sent now, what is sent again, and what waits for a silent peer."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from node.relay.publisher import Publisher
from node.storage.messages import Outgoing
from protocol.identifiers import digest
from protocol.messages.work import Note
from tests.factories import make_note
from tests.node.relay.ends import (
    CITY,
    COUNTY,
    SETTINGS,
    SIBLING,
    Ends,
    ids,
    opened,
)
from tests.protocol.forgery import edit

OVERDUE = SETTINGS.receipt_within + 1


async def answer(ends: Ends) -> None:
    """The city takes in what arrived and answers; the county reads the answer."""
    await ends.city.take_all()
    await ends.city.send_all()
    await ends.county.take_all()


async def silence(ends: Ends, count: int = SETTINGS.window) -> None:
    """The county sent as many messages, and has found out that the city is silent."""
    await ends.county.forward(count)
    await ends.county.send_all()
    ends.wait(OVERDUE)
    await ends.county.publisher.step()
    ends.county.wire.drain()


async def test_no_more_messages_than_the_window_holds_wait_for_their_receipt(ends: Ends) -> None:
    await ends.county.forward(SETTINGS.window + 3)
    sent = await ends.county.send_all()
    assert len(sent) == SETTINGS.window
    assert await ends.county.states() == ["sent"] * SETTINGS.window + ["pending"] * 3
    await answer(ends)
    assert len(await ends.county.send_all()) == 3


async def test_a_full_window_does_not_hold_receipts_back(ends: Ends) -> None:
    await silence(ends)
    ends.arrive(ends.city.seal(Note(text="请核对。"), COUNTY), ends.county)
    await ends.city.post(make_note(), to=COUNTY)
    await ends.city.send_all()
    await ends.county.take_all()
    sent = await ends.county.send_all()
    assert [p.properties.type for p in sent] == ["cn.zhitong.receipt.v1"]


async def test_urgency_goes_before_age_and_age_before_the_rest(ends: Ends) -> None:
    old, newer = await ends.county.forward(2)
    [urgent] = await ends.county.forward(urgency="urgent")
    [most] = await ends.county.forward(urgency="most_urgent")
    assert ids(await ends.county.send_all()) == [most, urgent, old, newer]


async def test_an_urgent_message_overtakes_those_that_wait_for_room(ends: Ends) -> None:
    await ends.county.forward(SETTINGS.window + 3)
    await ends.county.send_all()
    [urgent] = await ends.county.forward(urgency="urgent")
    await answer(ends)
    assert ids(await ends.county.send_all())[0] == urgent


async def test_a_link_with_much_to_send_leaves_room_to_the_others(ends: Ends) -> None:
    settings = SETTINGS.model_copy(update={"batch": 6, "window": 100})
    city = ends.city
    for _ in range(12):
        await city.post(make_note(), to=COUNTY)
    for _ in range(4):
        await city.post(make_note(), to=SIBLING)
    publisher = Publisher(city.room.desk, city.wire, city.signer, settings, incarnation=1)
    await publisher.step()
    peers = [parcel.peer for parcel in city.wire.drain()]
    assert sorted(peers) == [COUNTY] * 3 + [SIBLING] * 3
    while await publisher.step():
        pass
    assert await city.states() == ["sent"] * 16


async def test_of_two_publishers_each_sends_to_its_own_neighbours_and_marks_no_link_of_the_other(
    ends: Ends,
) -> None:
    city = ends.city
    await city.post(make_note(), to=COUNTY)
    await city.post(make_note(), to=SIBLING)
    mine, other = (
        Publisher(
            city.room.desk, city.wire, city.signer, SETTINGS, incarnation=1, carries=peer.__eq__
        )
        for peer in (COUNTY, SIBLING)
    )
    assert await mine.step()
    assert [parcel.peer for parcel in city.wire.drain()] == [COUNTY]
    assert await other.step()
    assert [parcel.peer for parcel in city.wire.drain()] == [SIBLING]
    ends.wait(OVERDUE)
    assert await mine.step()
    assert (await city.link(COUNTY)).silent_since is not None
    assert (await city.link(SIBLING)).silent_since is None
    assert [parcel.peer for parcel in city.wire.drain()] == [COUNTY]


async def test_nothing_is_sent_again_before_its_receipt_is_overdue(ends: Ends) -> None:
    await ends.county.forward(3)
    await ends.county.send_all()
    ends.wait(SETTINGS.receipt_within - 1)
    assert await ends.county.send_all() == []


async def test_to_a_silent_peer_only_the_oldest_message_is_sent_again_with_growing_pauses(
    ends: Ends,
) -> None:
    oldest = (await ends.county.forward(SETTINGS.window))[0]
    await ends.county.send_all()
    ends.wait(OVERDUE)
    assert ids(await ends.county.send_all()) == [oldest]
    for pause in (30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600):
        ends.wait(pause - 1)
        assert await ends.county.send_all() == [], f"sent within {pause} s"
        ends.wait(1)
        assert ids(await ends.county.send_all()) == [oldest], f"not sent after {pause} s"
    assert (await ends.county.link(CITY)).silent_since is not None


async def test_new_messages_still_go_to_a_silent_peer_while_the_window_has_room(
    ends: Ends,
) -> None:
    await silence(ends, SETTINGS.window - 2)
    new = await ends.county.forward(4)
    assert ids(await ends.county.send_all()) == new[:2]


async def test_the_receipt_of_the_probe_reopens_the_window(ends: Ends) -> None:
    ends.county.wire.loses = True
    messages = await ends.county.forward(SETTINGS.window + 3)
    await ends.county.send_all()
    ends.county.wire.loses = False
    ends.wait(OVERDUE)
    assert ids(await ends.county.send_all()) == messages[:1]
    await answer(ends)
    assert (await ends.county.link(CITY)).silent_since is None
    # One is answered, so there is room for one.
    assert ids(await ends.county.send_all()) == [messages[SETTINGS.window]]


async def test_anything_verified_from_the_peer_reopens_the_link_even_what_is_refused(
    ends: Ends,
) -> None:
    await silence(ends)
    await ends.city.post(make_note(), to=COUNTY)
    await ends.city.send_all()
    await ends.county.take_all()
    link = await ends.county.link(CITY)
    assert [row.code for row in await ends.county.quarantine()] == ["message.unsupported"]
    assert (link.silent_since, link.probe_at, link.probes) == (None, None, 0)


async def test_what_is_not_verified_reopens_nothing(ends: Ends) -> None:
    await silence(ends)
    ends.arrive(b"no token", ends.county)
    await ends.county.take_all()
    assert (await ends.county.link(CITY)).silent_since is not None


async def test_a_silent_peer_that_is_heard_gets_the_usual_time_before_anything_is_sent_again(
    ends: Ends,
) -> None:
    messages = await ends.county.forward(SETTINGS.window)
    await ends.county.send_all()
    ends.wait(OVERDUE)
    await ends.county.send_all()
    await ends.city.post(make_note(), to=COUNTY)
    await ends.city.send_all()
    await ends.county.take_all()
    assert [p.properties.type for p in await ends.county.send_all()] == ["cn.zhitong.receipt.v1"]
    ends.wait(OVERDUE)
    # All of them now: the peer speaks, so they or their receipts were lost.
    assert ids(await ends.county.send_all()) == messages


async def test_a_lost_message_is_sent_again_with_its_id_and_content_and_a_new_signature(
    ends: Ends,
) -> None:
    ends.county.wire.loses = True
    [lost] = await ends.county.forward()
    [first] = await ends.county.send_all()
    ends.county.wire.loses = False
    await ends.county.forward()
    await ends.exchange()
    assert await ends.county.states() == ["sent", "received"]
    ends.wait(OVERDUE)
    [second] = await ends.county.send_all()
    before, after = opened(first, ends.city), opened(second, ends.city)
    assert (after.event.id, after.digest) == (lost, before.digest)
    assert after.payload == before.payload
    assert (after.signed_at - before.signed_at).total_seconds() >= SETTINGS.receipt_within
    assert second.body != first.body
    await ends.exchange()
    assert await ends.county.states() == ["received", "received"]
    assert await ends.city.items() == 2


async def test_what_the_peer_never_answers_though_it_speaks_is_sent_again_later_each_time(
    ends: Ends,
) -> None:
    """A peer that runs an older version cannot read a newer type, and so cannot refuse it."""
    [unread] = await ends.county.forward()
    row = await ends.county.row(unread)
    newer = edit(row.payload, type="cn.zhitong.submission.v2")
    async with ends.county.room.database.writing.begin() as session:
        await session.execute(
            update(Outgoing)
            .where(Outgoing.id == unread)
            .values(payload=newer, digest=digest(newer))
        )
    await ends.exchange()
    for _ in range(120):
        ends.wait(SETTINGS.receipt_within)
        if unread in ids(await ends.county.send_all()):
            # It is not silent: it speaks of other things.
            await ends.city.post(make_note(), to=COUNTY)
            await ends.exchange()
    # An hour at twice a minute, but for the growing pauses.
    assert len(await ends.city.quarantine()) < 12
    assert (await ends.county.row(unread)).state == "sent"


async def test_a_lost_receipt_is_given_again_and_the_message_changes_nothing(ends: Ends) -> None:
    await ends.county.forward()
    await ends.county.send_all()
    await ends.city.take_all()
    ends.city.wire.loses = True
    await ends.city.send_all()
    ends.city.wire.loses = False
    ends.wait(OVERDUE)
    await ends.exchange()
    assert await ends.county.states() == ["received"]
    assert (len(await ends.city.inbox()), await ends.city.items()) == (1, 1)


async def test_a_temporary_refusal_is_sent_again_after_a_pause_that_grows(ends: Ends) -> None:
    note = await ends.county.post(make_note(), to=CITY)
    await ends.exchange()
    for pause in (60, 120, 240):
        row = await ends.county.row(note)
        assert (row.state, row.code, row.permanent) == ("refused", "message.unsupported", False)
        ends.wait(pause - 2)
        assert await ends.county.send_all() == [], f"sent within {pause} s"
        ends.wait(2)
        assert ids(await ends.county.send_all()) == [note], f"not sent after {pause} s"
        await answer(ends)


async def test_a_permanent_refusal_is_never_sent_again(ends: Ends) -> None:
    # An origin whose signature is missing.
    stolen = ends.county.item(origin=ends.city.room.desk.office)
    await ends.county.post(stolen, to=CITY, subject=ends.county.new_id())
    await ends.exchange()
    [row] = await ends.county.outbox()
    assert (row.state, row.code, row.permanent) == ("refused", "evidence.refused", True)
    ends.wait(365 * 24 * 3600)
    assert await ends.county.send_all() == []


async def test_what_was_refused_for_the_time_being_is_no_exception_when_the_peer_falls_silent(
    ends: Ends,
) -> None:
    notes = [await ends.county.post(make_note(), to=CITY) for _ in range(3)]
    await ends.exchange()
    ends.wait(61)
    assert ids(await ends.county.send_all()) == notes
    ends.wait(2 * SETTINGS.receipt_within + 1)
    assert ids(await ends.county.send_all()) == notes[:1]
    ends.wait(SETTINGS.first_probe)
    assert ids(await ends.county.send_all()) == notes[:1]


async def test_nothing_is_given_up_however_long_the_peer_is_silent(ends: Ends) -> None:
    await ends.county.forward(SETTINGS.window)
    for _ in range(60):
        await ends.county.publisher.step()
        ends.wait(SETTINGS.longest_probe)
    assert await ends.county.states() == ["sent"] * SETTINGS.window
    await ends.exchange()
    ends.wait(OVERDUE)
    await ends.exchange()
    assert await ends.county.states() == ["received"] * SETTINGS.window
    assert await ends.city.items() == SETTINGS.window


async def test_while_the_broker_cannot_be_reached_messages_stay_pending_and_untried(
    ends: Ends,
) -> None:
    ends.county.wire.connected = False
    [message] = await ends.county.forward()
    assert not await ends.county.publisher.step()
    row = await ends.county.row(message)
    assert (row.state, row.attempts, row.resend_at) == ("pending", 0, None)
    ends.county.wire.connected = True
    await ends.exchange()
    assert await ends.county.states() == ["received"]


@pytest.mark.parametrize("times", [0, 1, 6, 7, 31, 100_000])
def test_pauses_double_up_to_the_limit(times: int) -> None:
    from node.relay import window

    seconds = window.pause(SETTINGS, times).total_seconds()
    assert seconds == min(30 * 2 ** min(times, 40), 3600)
