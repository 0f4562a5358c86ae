"""The auditor: seals audit rows into the hash chain, in batches, after they were committed.

A seal's hash is SHA-256 over the hash before it and the digests of its rows in the order of their
ids. Membership is written on the rows, so one that commits late joins a later seal. Sealing apart
from writing keeps the chain from serialising the writers.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from sqlalchemy import select

from node.storage.audit import AuditRow, AuditSeal
from node.storage.database import Session
from node.workflow.desk import Desk

BATCH = 1_000
GENESIS = "0" * 64


class Auditor:
    """Seals the audit log of one office."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def step(self) -> bool:
        """Seal one batch; whether there was one."""
        async with self._desk.database.writing.begin() as session:
            rows = await _unsealed(session)
            if not rows:
                return False
            last = await session.scalar(
                select(AuditSeal).order_by(AuditSeal.seal.desc()).limit(1).with_for_update()
            )
            number = last.seal + 1 if last else 1
            sealed = chain(last.hash if last else GENESIS, rows)
            session.add(AuditSeal(seal=number, rows=len(rows), hash=sealed, at=self._desk.clock()))
            for row in rows:
                row.seal = number
        return True


async def has_unsealed(session: Session) -> bool:
    """Whether rows wait to be sealed."""
    query = select(AuditRow.id).where(AuditRow.seal.is_(None)).limit(1)
    return await session.scalar(query) is not None


async def broken_seal(session: Session) -> int | None:
    """The number of the first seal that does not fit its rows; None when the chain holds."""
    before = GENESIS
    for number, seal in enumerate(
        (await session.scalars(select(AuditSeal).order_by(AuditSeal.seal))).all(), start=1
    ):
        rows = (
            await session.scalars(
                select(AuditRow).where(AuditRow.seal == seal.seal).order_by(AuditRow.id)
            )
        ).all()
        if seal.seal != number or seal.rows != len(rows) or seal.hash != chain(before, rows):
            return seal.seal
        before = seal.hash
    return None


def chain(before: str, rows: Sequence[AuditRow]) -> str:
    """The hash of a seal over the rows, following the hash before it."""
    total = hashlib.sha256(bytes.fromhex(before))
    for row in rows:
        total.update(hashlib.sha256(_canonical(row)).digest())
    return total.hexdigest()


def _canonical(row: AuditRow) -> bytes:
    content = [row.id, row.at.isoformat(), row.actor, row.action, row.subject, row.detail]
    return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


async def _unsealed(session: Session) -> list[AuditRow]:
    rows = await session.scalars(
        select(AuditRow).where(AuditRow.seal.is_(None)).order_by(AuditRow.id).limit(BATCH)
    )
    return list(rows)
