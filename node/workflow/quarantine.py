"""The quarantine as administrators see it, and what they decide: replay, or discard.

Replaying needs the relay's reception, which pages do not know: it is asked for by a mark on the
row, and the relay carries it out (`node/relay/replay`). Discarding takes the bytes away and keeps
the row, the digest, and who decided it, when and why. Contents are not shown here: administrators
are not readers of items.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from sqlalchemy import ColumnElement, func, select

from node.errors import QuarantineDecidedError, UnknownQuarantinedError
from node.storage.database import Session
from node.storage.messages import Incoming, Quarantined
from node.workflow import access, advice, audit
from node.workflow.desk import Actor, Desk
from protocol import envelope
from protocol.errors import ZhitongError

PAGE = 50
STATES = ("held", "wanted", "replayed", "discarded")
COLUMNS = (
    Quarantined.id,
    Quarantined.digest,
    Quarantined.code,
    Quarantined.detail,
    Quarantined.permanent,
    Quarantined.peer,
    Quarantined.message_id,
    Quarantined.queue,
    func.length(Quarantined.body).label("size"),
    Quarantined.times,
    Quarantined.first_at,
    Quarantined.last_at,
    Quarantined.state,
    Quarantined.decided_at,
    Quarantined.decided_by,
    Quarantined.reason,
    Quarantined.outcome,
)


@dataclass(frozen=True)
class Held:
    """A message in quarantine, without its bytes.

    `received_since`: the same message was taken in by another way, for instance sent again.
    """

    id: UUID
    digest: str
    code: str
    detail: str
    permanent: bool
    peer: str | None
    message_id: UUID | None
    queue: str
    size: int
    times: int
    first_at: datetime
    last_at: datetime
    state: str
    decided_at: datetime | None
    decided_by: str | None
    reason: str | None
    outcome: str | None
    received_since: bool

    @property
    def advice(self) -> str:
        """What a person can do about it."""
        return advice.to_receiver(self.code, permanent=self.permanent)


@dataclass(frozen=True)
class Group:
    """All messages that were refused for one reason."""

    code: str
    permanent: bool
    messages: int
    times: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True)
class Page:
    """The reasons, and a part of the messages, the newest first."""

    groups: Sequence[Group]
    rows: Sequence[Held]
    total: int


@dataclass(frozen=True)
class Seen:
    """A message in quarantine, and what its envelope says if it is opened now.

    `verdict` is `verified`, or the code with which the envelope fails. The rest is signed content
    and known for a verified one alone.
    """

    held: Held
    verdict: str
    name: str | None = None
    subject: UUID | None = None
    signed_at: datetime | None = None


async def list_held(
    desk: Desk,
    actor: Actor,
    *,
    state: str | None = None,
    code: str | None = None,
    peer: str | None = None,
    offset: int = 0,
    limit: int = PAGE,
) -> Page:
    """What is in quarantine, by reason and one by one. Raises `ForbiddenError`."""
    access.demand(actor, "manage_links")
    wanted: list[ColumnElement[bool]] = []
    for column, value in (
        (Quarantined.state, state),
        (Quarantined.code, code),
        (Quarantined.peer, peer),
    ):
        if value is not None:
            wanted.append(column == value)
    by_code = (
        select(
            Quarantined.code,
            Quarantined.permanent,
            func.count(),
            func.sum(Quarantined.times),
            func.min(Quarantined.first_at),
            func.max(Quarantined.last_at),
        )
        .where(*wanted)
        .group_by(Quarantined.code, Quarantined.permanent)
        .order_by(Quarantined.code)
    )
    newest = (
        select(*COLUMNS, _received_since())
        .where(*wanted)
        .order_by(Quarantined.last_at.desc(), Quarantined.id)
        .offset(offset)
        .limit(limit)
    )
    async with desk.database.reading() as session:
        groups = [Group(*row) for row in await session.execute(by_code)]
        rows = [Held(*row) for row in await session.execute(newest)]
    return Page(groups, rows, sum(group.messages for group in groups))


async def show(desk: Desk, actor: Actor, id: UUID) -> Seen:
    """One message, opened as far as it can be. Raises `UnknownQuarantinedError`."""
    access.demand(actor, "manage_links")
    async with desk.database.reading() as session:
        row = (
            await session.execute(select(*COLUMNS, _received_since()).where(Quarantined.id == id))
        ).one_or_none()
        if row is None:
            raise UnknownQuarantinedError
        token = await session.scalar(select(Quarantined.body).where(Quarantined.id == id))
    held = Held(*row)
    try:
        opened = envelope.open_message(token or b"", chains=desk.chains, place=desk.place, now=None)
    except ZhitongError as error:
        return Seen(held, error.code)
    return Seen(held, "verified", opened.name, opened.event.subject, opened.signed_at)


async def bytes_of(desk: Desk, actor: Actor, id: UUID) -> bytes:
    """The raw bytes, to be examined outside. Noted in the audit log: they may hold an item."""
    access.demand(actor, "manage_links")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        row = await _locked(session, id)
        audit.note(session, now, actor=actor, action="quarantine_read", subject=id)
        return row.body


async def replay(desk: Desk, actor: Actor, id: UUID) -> None:
    """Ask the relay to take the message in. Raises `QuarantineDecidedError`.

    May be asked any number of times, also for what was replayed before.
    """
    access.demand(actor, "manage_links")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        row = await _locked(session, id)
        if row.state == "discarded" or sha256(row.body).hexdigest() != row.digest:
            raise QuarantineDecidedError
        row.state, row.outcome = "wanted", None
        row.decided_at, row.decided_by, row.reason = now, actor.username, None
        _note(session, now, actor, "quarantine_replay_wanted", row)


async def discard(desk: Desk, actor: Actor, id: UUID, reason: str) -> None:
    """Take the message's bytes away, for a reason. What is discarded stays so.

    Raises `QuarantineDecidedError` when it was discarded or replayed before.
    """
    access.demand(actor, "manage_links")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        row = await _locked(session, id)
        if row.state in ("discarded", "replayed"):
            raise QuarantineDecidedError(f"the message was {row.state} before")
        row.state, row.body = "discarded", b""
        row.decided_at, row.decided_by, row.reason = now, actor.username, reason
        _note(session, now, actor, "quarantine_discarded", row)


def _note(session: Session, now: datetime, actor: Actor, action: str, row: Quarantined) -> None:
    audit.note(
        session,
        now,
        actor=actor,
        action=action,
        subject=row.id,
        code=row.code,
        digest=row.digest,
        peer=row.peer,
    )


async def _locked(session: Session, id: UUID) -> Quarantined:
    row = await session.scalar(select(Quarantined).where(Quarantined.id == id).with_for_update())
    if row is None:
        raise UnknownQuarantinedError
    return row


def _received_since() -> ColumnElement[bool]:
    return (
        select(Incoming.id)
        .where(Incoming.source == Quarantined.peer, Incoming.id == Quarantined.message_id)
        .exists()
        .label("received_since")
    )
