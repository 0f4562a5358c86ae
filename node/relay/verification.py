"""Verifying the whole audit chain, in bounded memory. What is looked for, in this order:

 1. Each seal's number follows the one before it, but where an epoch begins: a restored node goes on
    after the highest number that a neighbour had seen.
 2. A seal has as many rows as it says.
 3. A seal's hash covers its rows and the hash before it.
 4. No row names a seal that there is not.
 5. No row has waited for its seal for long, unless the node is recovering.

What was cut off at the end leaves nothing here that could be found: `witnesses` compares with what
the neighbours know. That goes for a chain that was calculated anew, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import exists, select

from node.relay.auditor import COLUMNS, GENESIS, Deed, Total
from node.storage.audit import AuditRow, AuditSeal
from node.storage.database import Session
from node.storage.recovery import Epoch
from node.workflow import recovery

PAGE = 200
"""Seals read at once; their rows come one after the other."""
ROWS = 1_000
LONGEST_WAIT = timedelta(hours=1)

Kind = Literal["gap", "removed", "added", "changed", "stray", "overdue"]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Flaw:
    """What is wrong, and at which seal; at an overdue row there is none."""

    kind: Kind
    seal: int | None
    rows: int = 0
    """How many the seal has to have."""
    found: int = 0


@dataclass(frozen=True)
class Epochal:
    """The first seal of an incarnation that began with a backup, and the number before it."""

    seal: int
    after: int
    incarnation: int


@dataclass
class Verified:
    """How far the chain holds: up to its end, or up to the first flaw."""

    seals: int = 0
    rows: int = 0
    number: int = 0
    hash: str = GENESIS
    incarnation: int = 1
    epochs: list[Epochal] = field(default_factory=list)
    flaw: Flaw | None = None


async def verify(session: Session, progress: Progress | None = None) -> Verified:
    """Walk the chain (1 to 4). The session must see one state of the database all the while."""
    so_far = Verified()
    begun = set(await session.scalars(select(Epoch.incarnation)))
    while seals := await _page(session, so_far.number):
        await _walk(session, seals, begun, so_far)
        if so_far.flaw is not None:
            return so_far
        if progress is not None:
            progress(so_far.seals, so_far.rows)
    # 4.
    sealed = exists().where(AuditSeal.seal == AuditRow.seal)
    stray = await session.scalar(
        select(AuditRow.seal)
        .where(AuditRow.seal.is_not(None), ~sealed)
        .order_by(AuditRow.seal)
        .limit(1)
    )
    if stray is not None:
        so_far.flaw = Flaw("stray", stray)
    return so_far


async def overdue(session: Session, now: datetime) -> Flaw | None:
    """The flaw of rows that wait for their seal for longer than any auditor takes."""
    # 5.
    query = select(AuditRow.id).where(AuditRow.seal.is_(None), AuditRow.at < now - LONGEST_WAIT)
    if await session.scalar(query.limit(1)) is None or await recovery.is_open(session):
        return None
    return Flaw("overdue", None)


async def _page(session: Session, after: int) -> Sequence[Any]:
    query = select(AuditSeal.seal, AuditSeal.rows, AuditSeal.hash, AuditSeal.incarnation)
    found = await session.execute(
        query.where(AuditSeal.seal > after).order_by(AuditSeal.seal).limit(PAGE)
    )
    return found.all()


async def _walk(session: Session, seals: Sequence[Any], begun: set[int], so_far: Verified) -> None:
    rows = await session.stream(
        select(AuditRow.seal, *COLUMNS)
        .where(AuditRow.seal > so_far.number, AuditRow.seal <= seals[-1].seal)
        .order_by(AuditRow.seal, AuditRow.id)
        .execution_options(yield_per=ROWS)
    )
    waiting = iter(seals)
    seal, total = next(waiting), Total(so_far.hash)
    async for part in rows.partitions():
        for number, *deed in part:
            while number > seal.seal:
                if not _close(seal, total, begun, so_far):
                    await rows.close()
                    return
                seal, total = next(waiting), Total(so_far.hash)
            if number == seal.seal:
                total.add(Deed(*deed))
    while _close(seal, total, begun, so_far):
        if (following := next(waiting, None)) is None:
            return
        seal, total = following, Total(so_far.hash)


def _close(seal: Any, total: Total, begun: set[int], so_far: Verified) -> bool:
    """Whether the seal fits; then it counts as verified."""
    goes_on = seal.incarnation > so_far.incarnation and seal.incarnation in begun
    # 1.
    if seal.seal != so_far.number + 1 and not goes_on:
        so_far.flaw = Flaw("gap", seal.seal)
    # 2.
    elif seal.rows != total.rows:
        kind: Kind = "removed" if total.rows < seal.rows else "added"
        so_far.flaw = Flaw(kind, seal.seal, seal.rows, total.rows)
    # 3.
    elif seal.hash != total.hash:
        so_far.flaw = Flaw("changed", seal.seal)
    else:
        if goes_on:
            so_far.epochs.append(Epochal(seal.seal, so_far.number, seal.incarnation))
        so_far.number, so_far.hash = seal.seal, seal.hash
        so_far.incarnation = max(so_far.incarnation, seal.incarnation)
        so_far.seals += 1
        so_far.rows += total.rows
    return so_far.flaw is None
