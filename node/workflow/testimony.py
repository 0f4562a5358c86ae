"""Asking the neighbours what they have seen of this office's audit chain, and their answers.

The question is a `replay` that lacks nothing: it names the last id that there can be, so that
nothing is sent again, and the answer names the seals alone. The answer is kept as the signed token
that it is, and read again each time: what stands in this database counts for nothing here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from node.errors import UnknownOfficeError
from node.storage import bulk
from node.storage.audit import AuditAnswer
from node.storage.database import Session
from node.storage.offices import Link
from node.storage.recovery import Recovery
from node.workflow import access, audit, outbox
from node.workflow.desk import Actor, Desk
from protocol import envelope
from protocol.envelope import Opened
from protocol.errors import ZhitongError
from protocol.identifiers import NodeId
from protocol.messages.links import AuditHead, Replay

LAST = UUID(int=2**128 - 1)


@dataclass(frozen=True)
class Said:
    """What a neighbour answered. `code` says why an answer proves nothing."""

    peer: str
    question: UUID
    asked_at: datetime
    answered_at: datetime | None
    heads: tuple[AuditHead, ...] = ()
    code: str | None = None


async def ask(desk: Desk, actor: Actor) -> Sequence[UUID]:
    """Ask every neighbour; the ids of the questions. Raises `UnknownOfficeError` if there is none.

    One that has yet to answer what it holds since a restore is not asked: its answer to this would
    be taken for that one.
    """
    access.demand(actor, "read_audit")
    now = desk.clock()
    questions: list[UUID] = []
    async with desk.database.writing.begin() as session:
        busy = select(Recovery.peer).where(Recovery.answered_at.is_(None))
        peers = await session.scalars(
            select(Link.peer).where(Link.peer.not_in(busy)).order_by(Link.peer)
        )
        for peer in peers.all():
            question = Replay(since=now, after=LAST)
            id = outbox.post(session, desk, question, to=NodeId(peer), now=now)
            values = {"question": id, "asked_at": now, "answered_at": None, "token": None}
            await bulk.upsert(session, AuditAnswer, change=values, peer=peer, **values)
            audit.note(session, now, actor=actor, action="audit_asked", subject=peer)
            questions.append(id)
        if not questions:
            raise UnknownOfficeError("there is no neighbour that could be asked now")
    return questions


async def take(session: Session, message: Opened, now: datetime) -> bool:
    """Keep the answer to the question that was asked last; whether it is one."""
    asked = await session.get(AuditAnswer, message.event.sender)
    if asked is None or asked.question != message.event.causationid:
        return False
    asked.answered_at, asked.token = now, message.token
    return True


async def read(session: Session, desk: Desk) -> Sequence[Said]:
    """What every neighbour that was asked has answered, verified anew."""
    rows = await session.scalars(select(AuditAnswer).order_by(AuditAnswer.peer))
    return [_said(desk, row) for row in rows.all()]


def _said(desk: Desk, row: AuditAnswer) -> Said:
    plain = Said(row.peer, row.question, row.asked_at, row.answered_at)
    if row.token is None:
        return plain
    heads: tuple[AuditHead, ...] = ()
    code: str | None = None
    try:
        message = envelope.open_message(
            row.token,
            chains=desk.chains,
            place=desk.place,
            now=None,
            known_since=row.answered_at,
        )
    except ZhitongError as error:
        code = error.code
    else:
        answer = message.data
        asked = (row.peer, row.question)
        if not isinstance(answer, Replay) or asked != (
            message.event.sender,
            message.event.causationid,
        ):
            code = "audit.other_answer"
        elif answer.heads is not None:
            heads = answer.heads
        elif answer.audit is not None:
            heads = (answer.audit,)
    return Said(row.peer, row.question, row.asked_at, row.answered_at, heads, code)
