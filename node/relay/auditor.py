"""The auditor: seals audit rows into the hash chain, in batches, after they were committed.

A seal's hash is SHA-256 over the hash before it and the digests of its rows in the order of their
ids. Membership is written on the rows, so one that commits late joins a later seal. Sealing apart
from writing keeps the chain from serialising the writers.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, select, update

from node.storage import bulk
from node.storage.audit import AuditRow, AuditSeal
from node.storage.database import Session
from node.workflow import directory, recovery
from node.workflow.desk import Desk

BATCH = 1_000
GENESIS = "0" * 64


class Deed(NamedTuple):
    """The sealed part of an audit row."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str | None
    detail: dict[str, Any]
    came_from: str | None


COLUMNS = (
    AuditRow.id,
    AuditRow.at,
    AuditRow.actor,
    AuditRow.action,
    AuditRow.subject,
    AuditRow.detail,
    AuditRow.came_from,
)


class Auditor:
    """Seals the audit log of one office."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def step(self) -> bool:
        """Seal one batch; whether there was one. Waits while a restored node recovers."""
        async with self._desk.database.writing.begin() as session:
            if await recovery.is_open(session):
                return False
            deeds = await _read(session, AuditRow.seal.is_(None), BATCH)
            if not deeds:
                return False
            last = await session.scalar(
                select(AuditSeal).order_by(AuditSeal.seal.desc()).limit(1).with_for_update()
            )
            incarnation = await directory.own_incarnation(session, self._desk.node)
            number = last.seal + 1 if last else 1
            if incarnation > (last.incarnation if last else 1):
                number = max(number, await recovery.highest_seal_seen(session) + 1)
            sealed = chain(last.hash if last else GENESIS, deeds)
            session.add(
                AuditSeal(
                    seal=number,
                    rows=len(deeds),
                    hash=sealed,
                    incarnation=incarnation,
                    at=self._desk.clock(),
                )
            )
            await session.execute(
                update(AuditRow)
                .where(bulk.among(session, AuditRow.id, [deed.id for deed in deeds]))
                .values(seal=number)
            )
        return True


async def has_unsealed(session: Session) -> bool:
    """Whether rows wait to be sealed."""
    query = select(AuditRow.id).where(AuditRow.seal.is_(None)).limit(1)
    return await session.scalar(query) is not None


def chain(before: str, rows: Iterable[Deed]) -> str:
    """The hash of a seal over the rows, following the hash before it."""
    total = Total(before)
    for row in rows:
        total.add(row)
    return total.hash


class Total:
    """The hash of a seal while its rows come one by one, in the order of their ids."""

    def __init__(self, before: str) -> None:
        self._hash = hashlib.sha256(bytes.fromhex(before))
        self.rows = 0

    def add(self, row: Deed) -> None:
        """One more row."""
        self._hash.update(hashlib.sha256(_canonical(row)).digest())
        self.rows += 1

    @property
    def hash(self) -> str:
        """Over the rows so far."""
        return self._hash.hexdigest()


def _canonical(row: Deed) -> bytes:
    content = [row.id, row.at.isoformat(), row.actor, row.action, row.subject, row.detail]
    if row.came_from is not None:
        # Rows that were sealed before there was one keep their hash.
        content.append(row.came_from)
    return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


async def _read(session: Session, where: ColumnElement[bool], limit: int) -> list[Deed]:
    # As plain rows: mapped objects are slow, and a burst writes thousands.
    found = await session.execute(select(*COLUMNS).where(where).order_by(AuditRow.id).limit(limit))
    return [Deed(*row) for row in found]
