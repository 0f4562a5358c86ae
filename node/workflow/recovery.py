"""Going on from a backup: while it lasts, this office takes in no work.

A restored node must not decide anything before it knows what it decided since the backup: it would
give out the same numbers again, and contradict itself. What the neighbours hold is brought back by
`relay/recovery`; here is what the rest of the node asks about it.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select, update

from node.errors import InputError, RecoveringError, SupersededError, UnknownOfficeError
from node.storage.database import Session
from node.storage.recovery import Epoch, Recovery
from node.workflow import access, audit, directory
from node.workflow.desk import Actor, Desk
from protocol.identifiers import NodeId

# Built once: it is asked before every deed and every batch.
OPEN = select(Epoch.incarnation).where(Epoch.recovered_at.is_(None)).limit(1)


async def newest_epoch(session: Session) -> Epoch | None:
    """The newest epoch, where this node was ever restored."""
    found: Epoch | None = await session.scalar(
        select(Epoch).order_by(Epoch.incarnation.desc()).limit(1)
    )
    return found


async def is_open(session: Session) -> bool:
    """Whether this node is still recovering."""
    return await session.scalar(OPEN) is not None


async def unanswered_since(session: Session) -> datetime | None:
    """Since when something may be missing that a neighbour was asked for and has not answered."""
    query = select(Recovery.peer).where(Recovery.answered_at.is_(None)).limit(1)
    if await session.scalar(query) is None:
        return None
    epoch = await newest_epoch(session)
    return epoch.backup_at if epoch is not None else None


async def close(session: Session, now: datetime) -> None:
    """All that could be brought back is back."""
    await session.execute(
        update(Epoch).where(Epoch.recovered_at.is_(None)).values(recovered_at=now)
    )


async def waive(desk: Desk, actor: Actor, peer: str, reason: str) -> None:
    """Go on without the answer of a neighbour that is off for long. Raises `UnknownOfficeError`.

    What only that neighbour knows may then be contradicted: numbers that it was told, facts that
    were decided for it. An administrator weighs that against waiting.
    """
    access.demand(actor, "manage_links")
    if not reason.strip():
        raise InputError("a reason is needed")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        asked = await session.get(Recovery, peer)
        if asked is None or asked.answered_at is not None:
            raise UnknownOfficeError(f"nobody waits for an answer of {peer}")
        asked.waived_at = now
        audit.note(
            session,
            now,
            actor=actor,
            action="recovery_waived",
            subject=peer,
            reason=reason.strip(),
        )


async def demand_work_allowed(session: Session, node: NodeId) -> None:
    """Raises `RecoveringError`, or `SupersededError` where another copy of this node goes on."""
    if await directory.superseded_by(session, node) is not None:
        raise SupersededError
    if await is_open(session):
        raise RecoveringError


async def highest_seal_seen(session: Session) -> int:
    """The highest seal of this office's audit chain that a neighbour said it had seen."""
    return await session.scalar(select(func.max(Recovery.audit_seal))) or 0
