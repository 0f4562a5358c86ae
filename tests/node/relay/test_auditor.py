"""The auditor seals every deed once, and a chain that was tampered with does not hold."""

from __future__ import annotations

import hashlib
import json

import pytest
from sqlalchemy import select, text

from node.relay import auditor, verification
from node.relay.auditor import GENESIS, Auditor
from node.relay.verification import Flaw
from node.storage.audit import AuditRow, AuditSeal
from node.storage.recovery import Epoch
from node.workflow import audit
from tests.node.rooms import Room
from tests.node.tampering import unprotected


async def note(room: Room, count: int = 1) -> None:
    """Deeds, each of its own."""
    for number in range(count):
        async with room.database.writing.begin() as session:
            audit.note(
                session,
                room.clock(),
                actor="周编辑",
                action="registered",
                subject=room.desk.new_id(),
                number=number,
            )


async def sealed(room: Room, batches: int = 3) -> None:
    """A chain of as many seals, of two deeds each."""
    for _ in range(batches):
        await note(room, 2)
        assert await Auditor(room.desk).step()


async def execute(room: Room, statement: str, **values: object) -> None:
    async with room.database.writing.begin() as session, unprotected(session):
        await session.execute(text(statement), values)


async def broken(room: Room) -> int | None:
    async with room.database.reading() as session:
        flaw = (await verification.verify(session)).flaw
    return None if flaw is None else flaw.seal


async def test_a_chain_of_seals_holds(county: Room) -> None:
    await sealed(county)
    async with county.database.reading() as session:
        assert not await auditor.has_unsealed(session)
        first = await session.get_one(AuditSeal, 1)
        last = await session.get_one(AuditSeal, 3)
        assert await session.get(AuditSeal, 4) is None
    assert GENESIS != first.hash != last.hash
    assert await broken(county) is None


async def test_an_empty_log_is_a_chain_that_holds_and_needs_no_seal(leaf: Room) -> None:
    assert not await Auditor(leaf.desk).step()
    assert await broken(leaf) is None


async def test_a_batch_has_a_limit_and_the_rest_follows(
    leaf: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auditor, "BATCH", 3)
    await note(leaf, 7)
    steps = 0
    while await Auditor(leaf.desk).step():
        steps += 1
    assert steps == 3
    assert await broken(leaf) is None


async def test_a_deed_that_commits_late_joins_a_later_seal(leaf: Room) -> None:
    # Its number was given out before the others committed.
    await note(leaf, 3)
    await execute(leaf, "UPDATE audit SET id = id + 100 WHERE id > 1")
    await execute(leaf, "UPDATE audit SET id = 50 WHERE id = 1")
    await Auditor(leaf.desk).step()
    await note(leaf)
    await execute(leaf, "UPDATE audit SET id = 7 WHERE seal IS NULL")
    async with leaf.database.reading() as session:
        assert await auditor.has_unsealed(session)
    assert await Auditor(leaf.desk).step()
    assert await broken(leaf) is None


TAMPERED = {
    "another actor": ("UPDATE audit SET actor = 'nobody' WHERE id = 3", 2, "changed"),
    "another deed": ("UPDATE audit SET action = 'declined' WHERE id = 3", 2, "changed"),
    "another subject": ("UPDATE audit SET subject = NULL WHERE id = 3", 2, "changed"),
    "another detail": ("UPDATE audit SET detail = '{}' WHERE id = 3", 2, "changed"),
    "another place": ("UPDATE audit SET came_from = 'there' WHERE id = 3", 2, "changed"),
    "no place": ("UPDATE audit SET came_from = NULL WHERE id = 3", 2, "changed"),
    "another time": (
        "UPDATE audit SET at = '2020-01-01 00:00:00.000000' WHERE id = 3",
        2,
        "changed",
    ),
    "a deed removed": ("DELETE FROM audit WHERE id = 4", 2, "removed"),
    "a deed added to a seal": (
        """INSERT INTO audit (id, at, actor, action, subject, detail, came_from, seal)
        SELECT 9, at, actor, action, subject, detail, came_from, 2 FROM audit WHERE id = 1""",
        2,
        "added",
    ),
    "deeds moved between seals": (
        "UPDATE audit SET seal = CASE id WHEN 3 THEN 3 ELSE 2 END WHERE id IN (3, 5)",
        2,
        "changed",
    ),
    "another hash": (f"UPDATE audit_seals SET hash = '{GENESIS}' WHERE seal = 1", 1, "changed"),
    "no hash at all": ("UPDATE audit_seals SET hash = '' WHERE seal = 2", 2, "changed"),
    "a seal removed": ("DELETE FROM audit_seals WHERE seal = 2", 3, "gap"),
    "the first seal removed": ("DELETE FROM audit_seals WHERE seal = 1", 2, "gap"),
    "the last seal removed without its deeds": (
        "DELETE FROM audit_seals WHERE seal = 3",
        3,
        "stray",
    ),
    "a seal of no epoch": (
        "UPDATE audit_seals SET seal = 4, incarnation = 2 WHERE seal = 3",
        4,
        "gap",
    ),
    "another count": ("UPDATE audit_seals SET rows = 1 WHERE seal = 3", 3, "added"),
}


@pytest.mark.parametrize("page", [verification.PAGE, 1])
@pytest.mark.parametrize("what", TAMPERED)
async def test_what_is_changed_after_it_was_sealed_is_found_there_and_named(
    leaf: Room, what: str, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "PAGE", page)
    monkeypatch.setattr(verification, "ROWS", page)
    statement, seal, kind = TAMPERED[what]
    await sealed(leaf)
    assert await broken(leaf) is None
    await execute(leaf, statement)
    async with leaf.database.reading() as session:
        flaw = (await verification.verify(session)).flaw
    assert flaw is not None
    assert (flaw.seal, flaw.kind) == (seal, kind)


async def test_deeds_from_before_there_was_a_place_keep_their_seal(leaf: Room) -> None:
    await note(leaf, 2)
    await execute(leaf, "UPDATE audit SET came_from = NULL")
    await Auditor(leaf.desk).step()
    assert await broken(leaf) is None
    async with leaf.database.reading() as session:
        seal = await session.get_one(AuditSeal, 1)
        rows = (await session.scalars(select(AuditRow).order_by(AuditRow.id))).all()
    total = hashlib.sha256(bytes.fromhex(GENESIS))
    for row in rows:
        content = [row.id, row.at.isoformat(), row.actor, row.action, row.subject, row.detail]
        text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        total.update(hashlib.sha256(text.encode()).digest())
    assert seal.hash == total.hexdigest()


async def test_a_deed_that_waits_for_its_seal_for_an_hour_is_a_flaw(leaf: Room) -> None:
    await note(leaf)
    async with leaf.database.reading() as session:
        assert await verification.overdue(session, leaf.clock()) is None
        leaf.clock.move(verification.LONGEST_WAIT)
        assert await verification.overdue(session, leaf.clock()) == Flaw("overdue", None)


async def test_while_the_node_recovers_deeds_may_wait_for_their_seal(leaf: Room) -> None:
    await note(leaf)
    now = leaf.clock()
    async with leaf.database.writing.begin() as session:
        session.add(Epoch(incarnation=2, began_at=now, backup_at=now, token=b""))
    leaf.clock.move(2 * verification.LONGEST_WAIT)
    async with leaf.database.reading() as session:
        assert await verification.overdue(session, leaf.clock()) is None


async def test_a_log_whose_history_was_rewritten_has_another_head(leaf: Room) -> None:
    await sealed(leaf)
    async with leaf.database.reading() as session:
        head = (await session.get_one(AuditSeal, 3)).hash
    await execute(leaf, "UPDATE audit SET actor = 'nobody' WHERE id = 1")
    await execute(leaf, "UPDATE audit SET seal = NULL")
    await execute(leaf, "DELETE FROM audit_seals")
    while await Auditor(leaf.desk).step():
        pass
    assert await broken(leaf) is None, "on its own it looks right"
    async with leaf.database.reading() as session:
        rewritten = await session.get_one(AuditSeal, 1)
    assert rewritten.hash != head, "but a neighbour holds the old head"
