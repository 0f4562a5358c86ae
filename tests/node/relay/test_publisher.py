"""How a batch leaves, and what holds when the publisher is killed or the broker does not answer."""

from __future__ import annotations

from typing import Any

import pytest

from node.relay import window
from node.relay.publisher import AGAIN_AFTER, Publisher
from node.relay.transport import CONTENT_TYPE
from tests.factories import make_note
from tests.node.relay.ends import (
    CITY,
    SETTINGS,
    Ends,
    KilledError,
    ids,
    opened,
)


async def killed() -> None:
    raise KilledError


async def answered(ends: Ends) -> None:
    """The city takes in what has arrived so far, and the county reads its receipt."""
    ends.county.wire.then = None
    await ends.city.take_all()
    await ends.city.send_all()
    await ends.county.take_all()


async def test_a_publisher_killed_before_it_marked_the_batch_sends_it_again(ends: Ends) -> None:
    ends.county.wire.then = killed
    await ends.county.forward(3)
    with pytest.raises(KilledError):
        await ends.county.publisher.step()
    assert await ends.county.states() == ["pending"] * 3
    ends.county.wire.then = None
    desk, wire = ends.county.room.desk, ends.county.wire
    again = Publisher(desk, wire, ends.county.signer, SETTINGS, incarnation=1)
    assert await again.step()
    assert len(ends.switchboard.queue(CITY)) == 6
    await ends.exchange()
    assert await ends.county.states() == ["received"] * 3
    assert (len(await ends.city.inbox()), await ends.city.items()) == (3, 3)
    assert await ends.city.quarantine() == []


async def test_a_message_is_signed_after_the_deed_that_it_tells_of(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    standings = window.standings

    async def waits(*args: Any) -> Any:
        # Meanwhile somebody writes.
        ends.wait(1)
        return await standings(*args)

    monkeypatch.setattr(window, "standings", waits)
    await ends.county.forward()
    began = ends.county.clock()
    assert await ends.county.publisher.step()
    [parcel] = ends.county.wire.sent
    assert opened(parcel, ends.city).signed_at > began


async def test_a_receipt_that_comes_before_the_batch_is_marked_stays(ends: Ends) -> None:
    ends.county.wire.then = lambda: answered(ends)
    [message] = await ends.county.forward()
    await ends.county.publisher.step()
    row = await ends.county.row(message)
    assert (row.state, row.resend_at) == ("received", None)
    ends.wait(365 * 24 * 3600)
    assert await ends.county.send_all() == []


async def test_a_refusal_that_comes_before_the_batch_is_marked_stays_and_is_tried_again_later(
    ends: Ends,
) -> None:
    ends.county.wire.then = lambda: answered(ends)
    note = await ends.county.post(make_note(), to=CITY)
    await ends.county.publisher.step()
    row = await ends.county.row(note)
    assert (row.state, row.code, row.attempts) == ("refused", "message.unsupported", 1)
    assert row.resend_at is not None
    assert row.answered_at is not None
    # By the refusal's own pause, not by the usual time for a receipt.
    pause = (row.resend_at - row.answered_at).total_seconds()
    assert pause == pytest.approx(SETTINGS.first_probe)
    ends.county.wire.then = None
    ends.wait(SETTINGS.first_probe)
    assert note in ids(await ends.county.send_all())


async def test_a_permanent_refusal_that_comes_before_the_batch_is_marked_is_final(
    ends: Ends,
) -> None:
    ends.county.wire.then = lambda: answered(ends)
    stolen = ends.county.item(origin=ends.city.room.desk.office)
    await ends.county.post(stolen, to=CITY, subject=ends.county.new_id())
    await ends.county.publisher.step()
    assert await ends.county.states() == ["refused"]
    ends.wait(365 * 24 * 3600)
    assert await ends.county.send_all() == []


async def test_what_the_broker_did_not_confirm_stays_pending_and_is_sent_again_soon(
    ends: Ends,
) -> None:
    first, second, third = await ends.county.forward(3)
    ends.county.wire.unconfirmed = frozenset({second})
    assert await ends.county.publisher.step()
    assert await ends.county.states() == ["sent", "pending", "sent"]
    ends.county.wire.drain()
    assert await ends.county.send_all() == []
    ends.county.wire.unconfirmed = frozenset()
    ends.wait(AGAIN_AFTER.total_seconds())
    assert ids(await ends.county.send_all()) == [second]
    await ends.exchange()
    assert await ends.county.states() == ["received"] * 3
    assert {row.id for row in await ends.city.inbox()} == {first, second, third}


async def test_what_arrived_though_it_was_never_confirmed_is_received_once(ends: Ends) -> None:
    ends.county.wire.confirms = False
    await ends.county.forward()
    assert not await ends.county.publisher.step()
    assert await ends.county.states() == ["pending"]
    await answered(ends)
    assert await ends.county.states() == ["received"]
    ends.county.wire.confirms = True
    ends.wait(365 * 24 * 3600)
    assert await ends.county.send_all() == []
    assert await ends.city.items() == 1


async def test_a_step_in_vain_says_that_there_was_nothing_to_do(ends: Ends) -> None:
    ends.county.wire.confirms = False
    await ends.county.forward()
    assert not await ends.county.publisher.step(), "the loop would not pause"


async def test_a_receipt_leaves_the_outbox_when_it_is_confirmed_and_not_before(
    ends: Ends,
) -> None:
    await ends.county.forward()
    await ends.county.send_all()
    await ends.city.take_all()
    ends.city.wire.confirms, ends.city.wire.loses = False, True
    await ends.city.send_all()
    assert [row.name for row in await ends.city.outbox()] == ["receipt"]
    ends.city.wire.confirms, ends.city.wire.loses = True, False
    ends.wait(AGAIN_AFTER.total_seconds())
    assert len(await ends.city.send_all()) == 1
    assert await ends.city.outbox() == []


async def test_what_waited_long_is_signed_when_it_leaves(ends: Ends) -> None:
    ends.county.wire.connected = False
    await ends.county.forward()
    await ends.county.publisher.step()
    ends.wait(30 * 24 * 3600)
    ends.county.wire.connected = True
    left = ends.clock.now
    [parcel] = await ends.county.send_all()
    assert abs((opened(parcel, ends.city).signed_at - left).total_seconds()) <= 1
    await ends.exchange()
    assert await ends.county.states() == ["received"]


async def test_the_unsigned_properties_repeat_what_is_signed(ends: Ends) -> None:
    [message] = await ends.county.forward()
    [parcel] = await ends.county.send_all()
    said, signed = parcel.properties, opened(parcel, ends.city).event
    assert (parcel.peer, said.message_id) == (signed.addressee, str(message))
    assert said.message_id == str(signed.id)
    assert (said.type, said.app_id) == (signed.type, signed.sender)
    assert said.content_type == CONTENT_TYPE


async def test_messages_carry_the_incarnation_of_their_node(ends: Ends) -> None:
    desk, wire = ends.county.room.desk, ends.county.wire
    restored = Publisher(desk, wire, ends.county.signer, SETTINGS, incarnation=7)
    await ends.county.forward()
    await restored.step()
    [parcel] = wire.drain()
    assert opened(parcel, ends.city).incarnation == 7


async def test_two_publishers_on_one_outbox_do_no_harm(ends: Ends) -> None:
    desk, wire = ends.county.room.desk, ends.county.wire
    other = Publisher(desk, wire, ends.county.signer, SETTINGS, incarnation=1)

    async def at_the_same_time() -> None:
        wire.then = None
        await other.step()

    wire.then = at_the_same_time
    await ends.county.forward(2)
    await ends.county.publisher.step()
    assert len(ends.switchboard.queue(CITY)) == 4
    await ends.exchange()
    assert await ends.county.states() == ["received"] * 2
    assert await ends.city.items() == 2
