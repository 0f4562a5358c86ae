"""What one office alone cannot find in its audit chain, its neighbour's copy shows."""

from __future__ import annotations

from collections import Counter

import pytest
from sqlalchemy import select, text

from node.errors import ForbiddenError, UnknownOfficeError
from node.relay import returning, verification, witnesses
from node.relay.auditor import Auditor
from node.storage.audit import AuditAnswer, AuditRow, Witnessed
from node.storage.offices import Office
from node.storage.recovery import Epoch, Recovery
from node.workflow import audit, testimony
from node.workflow.testimony import Said
from protocol.messages.links import AuditHead, Receipt, ReceiptEntry, Replay
from tests.factories import make_note
from tests.node.relay import restoring
from tests.node.relay.ends import CITY, COUNTY, End, Ends, properties_of
from tests.node.rooms import Room
from tests.node.tampering import unprotected


async def deed(end: End) -> None:
    """The office does something, seals it, and tells the city in a receipt."""
    room = end.room
    async with room.database.writing.begin() as session:
        audit.note(session, room.clock(), actor="editor", action="registered")
    while await Auditor(room.desk).step():
        pass


async def told(ends: Ends, times: int = 1) -> None:
    """The city writes, and the county's receipt carries its newest seal."""
    for _ in range(times):
        await deed(ends.county)
        await ends.city.post(make_note(), to=COUNTY)
        await ends.exchange()


async def ask(ends: Ends) -> Said:
    """The county asks, and is answered."""
    await testimony.ask(ends.county.room.desk, ends.county.room.auditor)
    await ends.exchange()
    return await answer(ends)


async def answer(ends: Ends) -> Said:
    """What the county has of the city's answer."""
    async with ends.county.room.database.reading() as session:
        [said] = await testimony.read(session, ends.county.room.desk)
    return said


async def verdicts(ends: Ends, heads: tuple[AuditHead, ...]) -> Counter[str]:
    """How the county's chain stands to the seals that the city has seen."""
    async with ends.county.room.database.reading() as session:
        return Counter(one.verdict for one in await witnesses.compare(session, heads))


async def holds(room: Room) -> bool:
    """Whether the chain holds in itself."""
    async with room.database.reading() as session:
        return (await verification.verify(session)).flaw is None


async def cut(ends: Ends, seals: int) -> None:
    """Remove the county's newest seals with their deeds, and what waits, in its database."""
    async with ends.county.room.database.writing.begin() as session, unprotected(session):
        newest = await session.scalar(text("SELECT max(seal) FROM audit_seals"))
        for statement in (
            "DELETE FROM audit WHERE seal > :last OR seal IS NULL",
            "DELETE FROM audit_seals WHERE seal > :last",
        ):
            await session.execute(text(statement), {"last": newest - seals})


async def test_what_nobody_touched_is_what_the_neighbour_has_seen(ends: Ends) -> None:
    await told(ends, 3)
    said = await ask(ends)
    assert said.code is None
    assert [head.seal for head in said.heads] == [3, 2, 1]
    assert await verdicts(ends, said.heads) == {"fits": 3}


async def test_deeds_cut_off_at_the_end_with_their_seals_are_missed_by_the_neighbour(
    each_ends: Ends,
) -> None:
    await told(each_ends, 3)
    await cut(each_ends, 2)
    assert await holds(each_ends.county.room), "on its own it looks right"
    said = await ask(each_ends)
    assert await verdicts(each_ends, said.heads) == {"fits": 1, "cut": 2}


async def test_a_log_that_was_cut_and_has_grown_again_is_told_from_the_old_one(ends: Ends) -> None:
    await told(ends, 3)
    await cut(ends, 2)
    await told(ends, 4)
    assert await holds(ends.county.room)
    said = await ask(ends)
    # Seal 5 is newer than all that the city had seen; that of 2 and 3 it has not forgotten.
    assert await verdicts(ends, said.heads) == {"fits": 3, "differs": 2}


async def test_a_neighbour_that_is_told_two_hashes_of_one_number_raises_an_alarm(
    ends: Ends,
) -> None:
    await told(ends, 2)
    first = await ends.city.link(COUNTY)
    await cut(ends, 1)
    await told(ends)
    assert (await ends.city.link(COUNTY)).audit_hash == first.audit_hash
    async with ends.city.room.database.reading() as session:
        query = select(AuditRow).where(AuditRow.action == "audit_forked")
        [alarm] = await session.scalars(query)
    assert (alarm.subject, alarm.detail["seal"]) == (COUNTY, 2)
    assert alarm.detail["known"] == first.audit_hash != alarm.detail["hash"]


async def test_a_history_that_was_calculated_anew_differs_from_what_the_neighbour_has(
    ends: Ends,
) -> None:
    await told(ends, 3)
    async with ends.county.room.database.writing.begin() as session, unprotected(session):
        await session.execute(text("UPDATE audit SET actor = 'nobody', seal = NULL"))
        await session.execute(text("DELETE FROM audit_seals"))
    for _ in range(3):
        await deed(ends.county)
    assert await holds(ends.county.room)
    said = await ask(ends)
    assert (await verdicts(ends, said.heads))["differs"] == 3


async def test_what_was_lost_with_a_disk_is_explained_and_later_seals_are_not(ends: Ends) -> None:
    await told(ends)
    backup = await restoring.back_up(ends.county)
    await told(ends, 2)
    recoverer = await restoring.restore(ends.county, backup)
    async with ends.county.room.database.writing.begin() as session:
        (await session.get_one(Office, COUNTY)).incarnation = 2
    ends.county.publisher._incarnation = 2
    await restoring.recover(ends, recoverer)
    await told(ends, 2)
    async with ends.county.room.database.reading() as session:
        chain = await verification.verify(session)
    assert chain.flaw is None
    assert [(one.seal, one.after) for one in chain.epochs] == [(4, 1)]

    said = await ask(ends)
    assert await verdicts(ends, said.heads) == {"fits": 4, "lost": 2}

    await cut(ends, 1)
    said = await ask(ends)
    assert await verdicts(ends, said.heads) == {"fits": 3, "lost": 2, "cut": 1}


async def test_the_receipt_that_proves_the_newest_seal_is_kept(ends: Ends) -> None:
    await told(ends, 2)
    async with ends.city.room.database.reading() as session:
        rows = (await session.scalars(select(Witnessed).order_by(Witnessed.seal))).all()
        [known] = await witnesses.newest(session)
    assert [row.token is None for row in rows] == [True, False]
    assert (known.peer, known.seal, known.token) == (COUNTY, 2, rows[1].token)
    assert known.token in [parcel.body for parcel in ends.county.wire.sent]


async def test_a_neighbour_does_not_keep_seals_for_ever(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(witnesses, "KEPT", 2)
    await told(ends, 4)
    async with ends.city.room.database.reading() as session:
        assert sorted(await session.scalars(select(Witnessed.seal))) == [3, 4]


async def test_a_receipt_that_comes_late_adds_its_older_seal(ends: Ends) -> None:
    entry = ReceiptEntry(id=ends.county.new_id(), digest="ab" * 32, verdict="received")
    for seal in (7, 6):
        receipt = Receipt(entries=(entry,), audit=AuditHead(seal=seal, hash=f"{seal}a" * 32))
        token = ends.county.seal(receipt, CITY)
        ends.arrive(token, ends.city, **properties_of(token))
        await ends.city.take_all()
    async with ends.city.room.database.reading() as session:
        rows = await session.execute(select(Witnessed.seal, Witnessed.token.is_(None)))
        assert sorted(rows.all()) == [(6, True), (7, False)]
    assert (await ends.city.link(COUNTY)).audit_seal == 7


async def test_the_question_has_nothing_sent_again(ends: Ends) -> None:
    await told(ends)
    await ends.city.forward(2, to=COUNTY)
    ends.city.wire.connected = False
    before = await ends.city.states()
    await testimony.ask(ends.county.room.desk, ends.county.room.auditor)
    await ends.county.send_all()
    await ends.city.take_all()
    [reply] = [row for row in await ends.city.outbox() if row.name == "replay"]
    assert (await ends.city.states())[: len(before)] == before
    assert b'tokens":[]' in reply.payload.replace(b" ", b"")


async def test_an_answer_is_that_of_the_neighbour_to_the_last_question_or_proves_nothing(
    ends: Ends,
) -> None:
    await told(ends)
    first = await ask(ends)
    async with ends.county.room.database.reading() as session:
        old = (await session.get_one(AuditAnswer, CITY)).token
    second = await ask(ends)
    assert (first.code, second.code) == (None, None)
    for token, code in ((old, "audit.other_answer"), (b"no token", "envelope.malformed")):
        async with ends.county.room.database.writing.begin() as session:
            (await session.get_one(AuditAnswer, CITY)).token = token
        said = await answer(ends)
        assert (said.code, said.heads) == (code, ())


async def test_an_answer_that_nobody_waits_for_is_not_kept(ends: Ends) -> None:
    await testimony.ask(ends.county.room.desk, ends.county.room.auditor)
    token = ends.city.seal(Replay(), COUNTY)
    ends.arrive(token, ends.county, **properties_of(token))
    await ends.county.take_all()
    assert (await answer(ends)).answered_at is None


async def test_a_neighbour_of_an_older_version_answers_with_the_newest_seal_alone(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_: object) -> None:
        return None

    monkeypatch.setattr(returning.witnesses, "heads", nothing)
    await told(ends, 2)
    said = await ask(ends)
    assert [(head.seal, head.incarnation) for head in said.heads] == [(2, None)]
    assert await verdicts(ends, said.heads) == {"fits": 1}


async def test_who_has_yet_to_answer_about_a_restore_is_not_asked(ends: Ends) -> None:
    now = ends.clock()
    async with ends.county.room.database.writing.begin() as session:
        session.add(Epoch(incarnation=2, began_at=now, backup_at=now, token=b""))
        session.add(Recovery(peer=CITY, waived_at=now))
    with pytest.raises(UnknownOfficeError, match="no neighbour that could be asked"):
        await testimony.ask(ends.county.room.desk, ends.county.room.auditor)


async def test_only_an_auditor_asks(ends: Ends) -> None:
    for actor in (ends.county.room.admin, ends.county.room.editor, ends.county.room.lin):
        with pytest.raises(ForbiddenError):
            await testimony.ask(ends.county.room.desk, actor)
