"""The consumer: a batch at a time, acknowledged after the commit; what breaks one is found."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from node.errors import NodeError
from node.relay import reception
from node.relay.consumer import Consumer
from node.relay.memory import MemoryTransport
from node.workflow import receive
from node.workflow.intake import Intake
from protocol.envelope import Opened
from protocol.identifiers import digest
from protocol.messages.links import Receipt, ReceiptEntry
from tests.node import rooms
from tests.node.relay.ends import CITY, COUNTY, SETTINGS, Ends, KilledError, properties_of

apply = receive.apply


class Poison:
    """Raises something unforeseen for one item, after half of its work is done."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error or ZeroDivisionError("unforeseen")
        self.title = "毒"

    async def __call__(self, intake: Intake, message: Opened) -> bool:
        applied = await apply(intake, message)
        if getattr(message.data, "title", None) == self.title:
            raise self.error
        return applied


class DatabaseAway:
    """Sessions on a database that does not answer."""

    def begin(self) -> Any:
        raise OperationalError("BEGIN", None, ConnectionRefusedError())


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> Poison:
    made = Poison()
    monkeypatch.setattr(reception.receive, "apply", made)
    return made


def arrive(ends: Ends, *titles: str, dead: bool = False) -> list[bytes]:
    """Submissions with these titles come to the city; their tokens."""
    tokens = [
        ends.county.seal(ends.county.item(title=title), CITY, subject=ends.county.new_id())
        for title in titles
    ]
    for token in tokens:
        ends.arrive(token, ends.city, dead=dead, **properties_of(token))
    return tokens


async def test_a_poisonous_message_is_found_and_kept_apart_and_the_others_are_applied(
    ends: Ends, poison: Poison
) -> None:
    tokens = arrive(ends, "一", "二", poison.title, "三")
    assert await ends.city.consumer.step()
    [kept] = await ends.city.quarantine()
    assert (kept.code, kept.permanent, kept.peer) == ("message.poison", False, COUNTY)
    assert kept.body == tokens[2]
    assert [row.token for row in await ends.city.inbox()] == [tokens[0], tokens[1], tokens[3]]
    # Nothing of its half-done work stays: the three good items have one edition and event each.
    tables = await rooms.contents(ends.city.room.database)
    assert [len(tables[name]) for name in ("items", "editions", "events")] == [3, 3, 3]
    assert not ends.switchboard.queue(CITY)
    assert not await ends.city.consumer.step()


async def test_the_sender_of_a_poisonous_message_is_told_to_send_it_again_later(
    ends: Ends, poison: Poison
) -> None:
    arrive(ends, "一", poison.title)
    await ends.city.consumer.step()
    entries = [entry for receipt in await ends.city.receipts() for entry in receipt.entries]
    assert [(e.verdict, e.code, e.permanent) for e in entries] == [
        ("received", None, True),
        ("refused", "message.poison", False),
    ]


async def test_a_poisonous_message_is_taken_in_once_the_program_is_mended(
    ends: Ends, poison: Poison, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = ends.county.new_id()
    await ends.county.post(ends.county.item(title=poison.title), to=CITY, subject=subject)
    await ends.exchange()
    assert await ends.county.states() == ["refused"]
    monkeypatch.undo()
    ends.wait(SETTINGS.longest_probe)
    await ends.exchange()
    assert await ends.county.states() == ["received"]
    assert await ends.city.items() == 1


async def test_a_poisonous_message_alone_in_its_batch_is_kept_apart_too(
    ends: Ends, poison: Poison
) -> None:
    arrive(ends, poison.title)
    await ends.city.consumer.step()
    assert [row.code for row in await ends.city.quarantine()] == ["message.poison"]


async def test_an_error_that_every_office_foresees_is_a_refusal_and_no_poison(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reception.receive, "apply", Poison(NodeError()))
    arrive(ends, "毒")
    await ends.city.consumer.step()
    assert [row.code for row in await ends.city.quarantine()] == ["node.error"]


async def test_while_the_database_is_away_the_batch_is_kept_and_nothing_acknowledged(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrive(ends, "一", "二")
    database = ends.city.room.database
    with monkeypatch.context() as away:
        away.setattr(database, "writing", DatabaseAway())
        for _ in range(3):
            with pytest.raises(OperationalError):
                await ends.city.consumer.step()
    assert (await ends.city.inbox(), await ends.city.quarantine()) == ([], [])
    # Nothing was acknowledged: another consumer would be given both.
    assert len(ends.city.wire._taken) == 2
    assert await ends.city.consumer.step()
    assert (len(await ends.city.inbox()), await ends.city.quarantine()) == (2, [])
    assert len(ends.city.wire._taken) == 0


async def test_a_batch_that_met_an_absent_database_stays_one_batch(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []
    reception_, once = ends.city.consumer._reception, ends.city.consumer._reception.take_in

    async def take_in(deliveries: Any) -> Any:
        sizes.append(len(deliveries))
        return await once(deliveries)

    monkeypatch.setattr(reception_, "take_in", take_in)
    arrive(ends, "一", "二", "三")
    with monkeypatch.context() as away:
        away.setattr(ends.city.room.database, "writing", DatabaseAway())
        with pytest.raises(OperationalError):
            await ends.city.consumer.step()
    await ends.city.consumer.step()
    assert sizes == [3, 3]


async def test_a_database_that_goes_away_while_poison_is_looked_for_makes_no_poison(
    ends: Ends, poison: Poison, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrive(ends, "一", poison.title, "二")
    consumer = ends.city.consumer
    once = consumer._reception.take_in
    calls = 0

    async def take_in(deliveries: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 4:  # all together, the first, the poison; then
            raise OperationalError("BEGIN", None, ConnectionRefusedError())
        return await once(deliveries)

    monkeypatch.setattr(consumer._reception, "take_in", take_in)
    with pytest.raises(OperationalError):
        await consumer.step()
    assert await consumer.step()
    assert [row.code for row in await ends.city.quarantine()] == ["message.poison"]
    assert (len(await ends.city.inbox()), await ends.city.items()) == (2, 2)


async def test_a_consumer_killed_between_commit_and_acknowledgement_does_nothing_twice(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ends.county.forward(3)
    await ends.county.send_all()

    async def killed(self: object, deliveries: object) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(MemoryTransport, "acknowledge", killed)
        with pytest.raises(KilledError):
            await ends.city.consumer.step()
    ends.city.wire.close()
    assert len(ends.switchboard.queue(CITY)) == 3
    ends.city.consumer = Consumer(ends.city.room.desk, ends.city.wire, SETTINGS)
    assert await ends.city.consumer.step()
    assert (len(await ends.city.inbox()), await ends.city.items()) == (3, 3)
    await ends.exchange()
    assert await ends.county.states() == ["received"] * 3
    assert await ends.county.quarantine() == []


async def test_dead_letters_are_taken_in_one_by_one(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []
    once = ends.city.consumer._reception.take_in

    async def take_in(deliveries: Any) -> Any:
        sizes.append(len(deliveries))
        return await once(deliveries)

    monkeypatch.setattr(ends.city.consumer._reception, "take_in", take_in)
    arrive(ends, "一", "二", "三", dead=True)
    await ends.city.take_all()
    assert sizes == [1, 1, 1]
    assert await ends.city.items() == 3


async def test_no_more_is_taken_at_once_than_the_batch_allows(ends: Ends) -> None:
    settings = SETTINGS.model_copy(update={"batch": 2})
    arrive(ends, *"一二三四五")
    consumer = Consumer(ends.city.room.desk, ends.city.wire, settings)
    steps = []
    while await consumer.step():
        steps.append(len(await ends.city.inbox()))
    assert steps == [2, 4, 5]


async def test_the_publisher_is_woken_to_send_the_receipt(ends: Ends) -> None:
    woken = []
    ends.city.room.database.watch.on("outbox", lambda: woken.append(True))
    assert not await ends.city.consumer.step()
    assert not woken
    arrive(ends, "一")
    await ends.city.consumer.step()
    assert woken


async def test_a_bad_receipt_is_kept_apart_and_never_answered(ends: Ends) -> None:
    entry = ReceiptEntry(id=ends.city.new_id(), digest=digest(b""), verdict="received")
    bad = ends.city.seal(Receipt(entries=(entry,)), COUNTY)
    ends.arrive(bad, ends.county, **properties_of(bad, app_id="xishan"))
    await ends.county.take_all()
    assert [row.code for row in await ends.county.quarantine()] == ["message.properties"]
    assert await ends.county.outbox() == []
