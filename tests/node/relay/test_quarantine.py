"""Quarantine: what was refused is kept, once, with what an operator needs to judge it."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from node.errors import QuarantineDecidedError
from node.relay import quarantine
from node.relay.errors import AlteredError, PoisonError
from node.relay.transport import Delivery, Properties
from node.storage.audit import AuditRow
from node.workflow import quarantine as held
from protocol.envelope import MAXIMUM_TOKEN
from tests.factories import make_note
from tests.node.relay.ends import CITY, COUNTY, SIBLING, Ends, properties_of


async def actions(ends: Ends) -> list[tuple[str, str]]:
    async with ends.city.room.database.reading() as session:
        rows = await session.scalars(select(AuditRow).order_by(AuditRow.id))
        return [(row.actor, row.action) for row in rows]


async def test_the_same_bytes_refused_again_count_up(ends: Ends) -> None:
    ends.arrive(b"no token", ends.city)
    await ends.city.take_all()
    ends.wait(3600)
    for _ in range(3):
        ends.arrive(b"no token", ends.city)
    await ends.city.take_all()
    [kept] = await ends.city.quarantine()
    assert kept.times == 4
    assert (kept.last_at - kept.first_at).total_seconds() >= 3600


async def test_other_bytes_are_kept_beside_the_first(ends: Ends) -> None:
    for body in (b"one", b"two", b"one"):
        ends.arrive(body, ends.city)
    await ends.city.take_all()
    kept = await ends.city.quarantine()
    assert sorted((row.body, row.times) for row in kept) == [(b"one", 2), (b"two", 1)]


async def test_the_same_bytes_refused_for_another_reason_are_kept_beside_the_first(
    ends: Ends,
) -> None:
    delivery = Delivery(b"token", Properties(), "zt.yunzhou.in")
    desk = ends.city.room.desk
    for error in (AlteredError(), PoisonError(), AlteredError()):
        async with desk.database.writing.begin() as session:
            await quarantine.put(session, desk, delivery, error, ends.clock())
    kept = {row.code: row.times for row in await ends.city.quarantine()}
    assert kept == {"message.altered": 2, "message.poison": 1}


async def test_a_refused_message_of_a_proven_sender_is_kept_with_its_name_and_told_each_time(
    ends: Ends,
) -> None:
    note = ends.county.seal(make_note(), CITY)
    for _ in range(2):
        ends.arrive(note, ends.city, **properties_of(note))
        await ends.city.take_all()
    [kept] = await ends.city.quarantine()
    assert (kept.peer, str(kept.message_id)) == (COUNTY, properties_of(note)["message_id"])
    assert (kept.body, kept.times) == (note, 2)
    assert kept.properties == properties_of(note)
    assert len(await ends.city.receipts()) == 2


async def test_the_audit_log_says_who_was_refused(ends: Ends) -> None:
    note = ends.county.seal(make_note(), CITY)
    ends.arrive(note, ends.city, **properties_of(note))
    ends.arrive(b"no token", ends.city)
    ends.arrive(b"no token", ends.city)
    await ends.city.take_all()
    assert sorted(deed for deed in await actions(ends) if deed[1] == "message_refused") == [
        (COUNTY, "message_refused"),
        ("system", "message_refused"),
    ]


async def test_the_audit_log_tells_of_a_reason_once_for_each_sender_and_day(ends: Ends) -> None:
    for _ in range(2):
        for to in (CITY, SIBLING, CITY, SIBLING):
            token = ends.county.seal(make_note(), to)
            ends.arrive(token, ends.city, **properties_of(token))
            await ends.city.take_all()
        ends.wait(24 * 3600)
    kept = await ends.city.quarantine()
    assert len(kept) == 8
    async with ends.city.room.database.reading() as session:
        refused = select(AuditRow).where(AuditRow.action == "message_refused")
        rows = list(await session.scalars(refused.order_by(AuditRow.id)))
    unproven, proven = ("system", "envelope.recipient"), (COUNTY, "message.unsupported")
    assert [(row.actor, row.detail["code"]) for row in rows] == [proven, unproven] * 2
    assert (rows[0].subject, rows[0].detail["digest"]) == (str(kept[0].id), kept[0].digest)


async def test_of_an_enormous_body_only_the_beginning_is_kept(ends: Ends) -> None:
    ends.arrive(b"x" * (MAXIMUM_TOKEN + 1), ends.city)
    await ends.city.take_all()
    [kept] = await ends.city.quarantine()
    assert (kept.code, len(kept.body)) == ("envelope.too_large", quarantine.BEGINNING)


async def test_a_flood_from_one_sender_is_counted_and_fills_no_disk(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quarantine, "MOST_MESSAGES", 3)
    for number in range(8):
        ends.arrive(f"no token {number}".encode(), ends.city)
    await ends.city.take_all()
    # Others are none the worse for it.
    note = ends.county.seal(make_note(), CITY)
    ends.arrive(note, ends.city, **properties_of(note))
    await ends.city.take_all()
    kept = await ends.city.quarantine()
    rows = sorted((row.peer or "", len(row.body) > 0, row.times) for row in kept)
    assert rows == [("", False, 5), ("", True, 1), ("", True, 1), ("", True, 1), (COUNTY, True, 1)]
    assert [deed for _, deed in await actions(ends)].count("refusals_counted") == 1
    # What is only counted cannot be replayed; tomorrow is another day.
    [counted] = [row for row in kept if row.detail == quarantine.COUNTED]
    with pytest.raises(QuarantineDecidedError):
        await held.replay(ends.city.room.desk, ends.city.room.admin, counted.id)
    ends.wait(86_400)
    ends.arrive(b"no token tomorrow", ends.city)
    await ends.city.take_all()
    assert len(await ends.city.quarantine()) == 6


async def test_a_sender_of_large_messages_is_stopped_by_their_bytes(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quarantine, "MOST_BYTES", 2_500)
    for number in range(4):
        ends.arrive(bytes([number]) * 1_000, ends.city)
    await ends.city.take_all()
    kept = await ends.city.quarantine()
    assert sorted((len(row.body), row.times) for row in kept) == [(0, 2), (1_000, 1), (1_000, 1)]
