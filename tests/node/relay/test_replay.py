"""Deciding on what lies in quarantine: replay, any number of times, and discard."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update

from node.errors import (
    ForbiddenError,
    QuarantineDecidedError,
    UnknownQuarantinedError,
    UnsupportedTypeError,
)
from node.relay import reception
from node.relay.replay import Replayer
from node.storage.audit import AuditRow
from node.storage.messages import Incoming, Quarantined
from node.workflow import quarantine, receive
from node.workflow.intake import Intake
from protocol.envelope import BEHIND, MAXIMUM_TOKEN, Opened
from tests.factories import make_note
from tests.node.relay.ends import CITY, COUNTY, SETTINGS, Ends, KilledError, properties_of


class Ailing:
    """A program that refuses every submission until it is mended."""

    def __init__(self) -> None:
        self.mended = False

    async def __call__(self, intake: Intake, message: Opened) -> bool:
        if not self.mended:
            raise UnsupportedTypeError("not yet")
        return await receive_apply(intake, message)


receive_apply = receive.apply


@pytest.fixture
def ailing(monkeypatch: pytest.MonkeyPatch) -> Ailing:
    made = Ailing()
    monkeypatch.setattr(reception.receive, "apply", made)
    return made


async def refused(ends: Ends) -> Quarantined:
    """The county's submission was refused by the city, and the county knows."""
    await ends.county.forward()
    await ends.exchange()
    assert await ends.county.states() == ["refused"]
    [kept] = await ends.city.quarantine()
    return kept


async def ask(ends: Ends, id: UUID) -> None:
    await quarantine.replay(ends.city.room.desk, ends.city.room.admin, id)


async def replay(ends: Ends, id: UUID) -> Quarantined:
    """Ask for it, and have the relay carry it out; the row then."""
    await ask(ends, id)
    assert await replayer(ends).step()
    return await row(ends, id)


def replayer(ends: Ends) -> Replayer:
    return Replayer(ends.city.room.desk, SETTINGS)


async def row(ends: Ends, id: UUID) -> Quarantined:
    [found] = [row for row in await ends.city.quarantine() if row.id == id]
    return found


async def deeds(ends: Ends) -> list[tuple[str, str]]:
    async with ends.city.room.database.reading() as session:
        rows = await session.scalars(
            select(AuditRow).where(AuditRow.action.like("quarantine%")).order_by(AuditRow.id)
        )
        return [(row.actor, row.action) for row in rows]


async def test_what_was_refused_is_taken_in_and_its_sender_told_so(
    each_ends: Ends, ailing: Ailing
) -> None:
    ends = each_ends
    kept = await refused(ends)
    ailing.mended = True
    done = await replay(ends, kept.id)
    assert (done.state, done.decided_by, done.outcome) == ("replayed", "admin", None)
    assert await ends.city.items() == 1
    await ends.exchange()
    [message] = await ends.county.outbox()
    assert (message.state, message.code) == ("received", None)
    assert await deeds(ends) == [
        ("admin", "quarantine_replay_wanted"),
        ("admin", "quarantine_replayed"),
    ]


async def test_a_replay_may_be_asked_any_number_of_times(each_ends: Ends, ailing: Ailing) -> None:
    ends = each_ends
    kept = await refused(ends)
    ailing.mended = True
    for _ in range(3):
        done = await replay(ends, kept.id)
        await ends.exchange()
        assert (done.state, done.times) == ("replayed", 1)
        assert (await ends.city.items(), len(await ends.city.inbox())) == (1, 1)
        assert await ends.county.states() == ["received"]
    assert not await replayer(ends).step()


async def test_what_is_refused_again_is_held_again_and_counts_no_second_arrival(
    each_ends: Ends, ailing: Ailing
) -> None:
    ends = each_ends
    kept = await refused(ends)
    for _ in range(2):
        done = await replay(ends, kept.id)
        assert (done.state, done.outcome) == ("held", "message.unsupported")
        assert (done.times, done.last_at) == (kept.times, kept.last_at)
    assert len(await ends.city.quarantine()) == 1
    await ends.exchange()
    assert await ends.county.states() == ["refused"]


async def test_what_was_in_time_when_it_came_is_taken_in_a_year_later(
    ends: Ends, ailing: Ailing
) -> None:
    kept = await refused(ends)
    ailing.mended = True
    ends.clock.move(timedelta(days=365))
    assert (await replay(ends, kept.id)).state == "replayed"
    assert await ends.city.items() == 1


async def test_what_came_too_late_stays_refused_until_it_is_signed_anew(ends: Ends) -> None:
    [parcel] = [await ends.county.forward(), await ends.county.send_all()][1]
    ends.clock.move(BEHIND + timedelta(minutes=1))
    await ends.city.take_all()
    [kept] = await ends.city.quarantine()
    assert (kept.code, kept.body) == ("envelope.time", parcel.body)
    assert (await replay(ends, kept.id)).outcome == "envelope.time"
    await ends.exchange()
    assert await ends.county.states() == ["received"]


async def test_every_row_of_the_same_bytes_is_marked(ends: Ends, ailing: Ailing) -> None:
    kept = await refused(ends)
    ends.arrive(kept.body, ends.city, **{**kept.properties, "app_id": "xishan"})
    await ends.city.take_all()
    assert len(await ends.city.quarantine()) == 2
    ailing.mended = True
    await replay(ends, kept.id)
    assert [row.state for row in await ends.city.quarantine()] == ["replayed"] * 2


async def test_a_relay_killed_before_it_marked_the_replay_does_it_again_with_one_effect(
    ends: Ends, ailing: Ailing, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = await refused(ends)
    ailing.mended = True
    await ask(ends, kept.id)

    async def killed(*_: object) -> None:
        raise KilledError

    with monkeypatch.context() as context:
        context.setattr(Replayer, "_mark", killed)
        with pytest.raises(KilledError):
            await replayer(ends).step()
    assert (await row(ends, kept.id)).state == "wanted"
    assert await replayer(ends).step()
    assert (await row(ends, kept.id)).state == "replayed"
    assert (await ends.city.items(), len(await ends.city.inbox())) == (1, 1)


async def test_what_breaks_the_program_in_a_replay_is_held_as_poison(
    ends: Ends, ailing: Ailing, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = await refused(ends)

    async def broken(*_: object) -> bool:
        raise ZeroDivisionError

    monkeypatch.setattr(reception.receive, "apply", broken)
    assert (await replay(ends, kept.id)).outcome == "message.poison"
    assert not await replayer(ends).step()


async def test_what_was_sent_again_and_taken_in_meanwhile_says_so(
    each_ends: Ends, ailing: Ailing
) -> None:
    ends = each_ends
    kept = await refused(ends)
    desk, admin = ends.city.room.desk, ends.city.room.admin
    assert not (await quarantine.show(desk, admin, kept.id)).held.received_since
    ailing.mended = True
    ends.wait(3600)
    await ends.exchange()
    seen = await quarantine.show(desk, admin, kept.id)
    assert (seen.held.received_since, seen.verdict, seen.name) == (True, "verified", "submission")


async def test_discarding_takes_the_bytes_and_keeps_who_when_why_and_the_digest(
    each_ends: Ends, ailing: Ailing
) -> None:
    ends = each_ends
    kept = await refused(ends)
    desk, admin = ends.city.room.desk, ends.city.room.admin
    await quarantine.discard(desk, admin, kept.id, "与对方核实，无效")
    done = await row(ends, kept.id)
    assert (done.state, done.body, done.digest) == ("discarded", b"", kept.digest)
    assert (done.decided_by, done.reason) == ("admin", "与对方核实，无效")
    assert done.decided_at is not None
    assert await deeds(ends) == [("admin", "quarantine_discarded")]
    for decide in (ask(ends, kept.id), quarantine.discard(desk, admin, kept.id, "再次")):
        with pytest.raises(QuarantineDecidedError):
            await decide


async def test_what_was_discarded_stays_so_when_it_comes_again_and_counts_up(ends: Ends) -> None:
    note = ends.county.seal(make_note(), CITY)
    ends.arrive(note, ends.city, **properties_of(note))
    await ends.city.take_all()
    [kept] = await ends.city.quarantine()
    await quarantine.discard(ends.city.room.desk, ends.city.room.admin, kept.id, "不需要")
    ends.arrive(note, ends.city, **properties_of(note))
    await ends.city.take_all()
    [again] = await ends.city.quarantine()
    assert (again.state, again.times, again.body) == ("discarded", 2, b"")


async def test_a_discard_during_a_replay_stands(ends: Ends, ailing: Ailing) -> None:
    kept = await refused(ends)
    await ask(ends, kept.id)
    ailing.mended = True
    once = Replayer._mark

    async def first_discard(self: Replayer, *words: object) -> None:
        desk, admin = ends.city.room.desk, ends.city.room.admin
        await quarantine.discard(desk, admin, kept.id, "不需要")
        await once(self, *words)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as context:
        context.setattr(Replayer, "_mark", first_discard)
        await replayer(ends).step()
    assert (await row(ends, kept.id)).state == "discarded"


async def test_of_what_only_the_beginning_was_kept_nothing_is_replayed(ends: Ends) -> None:
    ends.arrive(b"x" * (MAXIMUM_TOKEN + 1), ends.city)
    await ends.city.take_all()
    [kept] = await ends.city.quarantine()
    with pytest.raises(QuarantineDecidedError):
        await ask(ends, kept.id)


async def test_what_was_replayed_and_is_refused_anew_is_held_again(
    ends: Ends, ailing: Ailing
) -> None:
    kept = await refused(ends)
    ailing.mended = True
    await replay(ends, kept.id)
    async with ends.city.room.database.writing.begin() as session:
        await session.execute(update(Incoming).values(digest="0" * 64))
        await session.execute(update(Quarantined).values(code="message.altered"))
    ends.arrive(kept.body, ends.city, **kept.properties)
    await ends.city.take_all()
    assert (await row(ends, kept.id)).state == "held"


async def test_the_list_is_grouped_by_reason_and_filtered(each_ends: Ends) -> None:
    ends = each_ends
    for body in (b"one", b"two", b"one"):
        ends.arrive(body, ends.city)
    note = ends.county.seal(make_note(), CITY)
    ends.arrive(note, ends.city, **properties_of(note))
    await ends.city.take_all()
    desk, admin = ends.city.room.desk, ends.city.room.admin
    page = await quarantine.list_held(desk, admin)
    assert [(g.code, g.permanent, g.messages, g.times) for g in page.groups] == [
        ("envelope.malformed", True, 2, 3),
        ("message.unsupported", False, 1, 1),
    ]
    assert page.total == 3
    assert sorted(held.size for held in page.rows) == sorted([3, 3, len(note)])
    known = await quarantine.list_held(desk, admin, peer=COUNTY)
    assert ([held.code for held in known.rows], known.total) == (["message.unsupported"], 1)
    by_code = await quarantine.list_held(desk, admin, code="envelope.malformed", limit=1)
    assert (len(by_code.rows), by_code.total) == (1, 2)
    assert (await quarantine.list_held(desk, admin, state="discarded")).total == 0
    unproven = await quarantine.show(desk, admin, by_code.rows[0].id)
    assert (unproven.verdict, unproven.name, unproven.signed_at) == (
        "envelope.malformed",
        None,
        None,
    )


async def test_only_the_system_administrator_sees_and_decides(ends: Ends, ailing: Ailing) -> None:
    kept = await refused(ends)
    room = ends.city.room
    for person in (room.lin, room.editor, room.security):
        for deed in (
            quarantine.list_held(room.desk, person),
            quarantine.show(room.desk, person, kept.id),
            quarantine.bytes_of(room.desk, person, kept.id),
            quarantine.replay(room.desk, person, kept.id),
            quarantine.discard(room.desk, person, kept.id, "理由"),
        ):
            with pytest.raises(ForbiddenError):
                await deed
    assert (await row(ends, kept.id)).state == "held"
    assert await deeds(ends) == []
    with pytest.raises(UnknownQuarantinedError):
        await quarantine.replay(room.desk, room.admin, room.desk.new_id())
