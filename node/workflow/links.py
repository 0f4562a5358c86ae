"""The links to the neighbours as administrators see them: pause, resume, probe.

All of it is rows: the relay reads them before it sends. Nothing here talks to a broker.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, func, or_, select, update

from node.errors import LinkPausedError, StandingError, UnknownOfficeError
from node.storage.database import Session
from node.storage.messages import Incoming, Outgoing, is_open
from node.storage.offices import Link, Office
from node.workflow import access, accounts, advice, audit
from node.workflow.accounts import Agreement
from node.workflow.backlog import NOT_PURGED, Backlog, backlogs_of
from node.workflow.desk import Actor, Desk
from node.workflow.signers import certificate_of

PAGE = 50


@dataclass(frozen=True)
class Pause:
    """Why business messages are held back."""

    at: datetime
    by: str
    reason: str


@dataclass(frozen=True)
class Bar:
    """That nothing goes to the office and nothing is taken from it. `standing` says why:
    suspended or revoked.
    """

    standing: str
    at: datetime
    reason: str


@dataclass(frozen=True)
class AuditWitness:
    """The newest seal of the neighbour's audit chain that it told of."""

    seal: int
    hash: str


@dataclass(frozen=True)
class LinkView:
    """How a link stands. `next_attempt_at` is None where nothing waits, or it goes out at once."""

    peer: str
    name: str
    level: str
    relation: str
    backlog: Backlog
    heard_at: datetime | None
    silent_since: datetime | None
    next_attempt_at: datetime | None
    paused: Pause | None
    barred: Bar | None
    ends_at: datetime | None
    exported_at: datetime | None
    certificate_until: datetime | None
    audit: AuditWitness | None
    agreement: Agreement
    highest_level: str


@dataclass(frozen=True)
class Refusal:
    """A message of ours that the neighbour refused, and what can be done."""

    id: UUID
    name: str
    subject: UUID | None
    code: str
    permanent: bool
    answered_at: datetime
    attempts: int
    next_attempt_at: datetime | None

    @property
    def advice(self) -> str:
        """What a person can do about it."""
        return advice.to_sender(self.code, permanent=self.permanent)


@dataclass(frozen=True)
class RefusalPage:
    """A part of the refusals, the newest first."""

    rows: Sequence[Refusal]
    total: int


async def list_links(desk: Desk, actor: Actor, *, received: bool = True) -> Sequence[LinkView]:
    """Every neighbour: the parent first, then the children by id. Raises `ForbiddenError`.

    Without `received`, it is not counted what has arrived there, of which there are years.
    """
    access.demand(actor, "manage_links")
    async with desk.database.reading() as session:
        return await views(session, received=received)


async def show(desk: Desk, actor: Actor, peer: str) -> LinkView:
    """One link. Raises `UnknownOfficeError`."""
    access.demand(actor, "manage_links")
    async with desk.database.reading() as session:
        for view in await views(session, peer):
            return view
    raise UnknownOfficeError(f"{peer} is no neighbour of this office")


async def refusals(
    desk: Desk, actor: Actor, peer: str, *, offset: int = 0, limit: int = PAGE
) -> RefusalPage:
    """What this neighbour refused of ours. Raises `UnknownOfficeError`."""
    access.demand(actor, "manage_links")
    refused = (Outgoing.peer == peer, is_open(), Outgoing.state == "refused", NOT_PURGED)
    query = (
        select(
            Outgoing.id,
            Outgoing.name,
            Outgoing.subject,
            func.coalesce(Outgoing.code, ""),
            func.coalesce(Outgoing.permanent, True),
            func.coalesce(Outgoing.answered_at, Outgoing.created_at),
            Outgoing.attempts,
            Outgoing.resend_at,
        )
        .where(*refused)
        .order_by(Outgoing.answered_at.desc(), Outgoing.id)
        .offset(offset)
        .limit(limit)
    )
    async with desk.database.reading() as session:
        await demand(session, peer)
        rows = [Refusal(*row) for row in await session.execute(query)]
        total = await session.scalar(select(func.count()).select_from(Outgoing).where(*refused))
    return RefusalPage(rows, total or 0)


async def pause(desk: Desk, actor: Actor, peer: str, reason: str) -> None:
    """Send this neighbour nothing but receipts and revocation lists, until `resume`. What it sends
    is taken in.
    """
    access.demand(actor, "manage_links")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        link = await demand(session, peer, lock=True)
        link.paused_at, link.paused_by, link.paused_reason = now, actor.username, reason
        audit.note(session, now, actor=actor, action="link_paused", subject=peer)


async def resume(desk: Desk, actor: Actor, peer: str) -> None:
    """Send again. Changes nothing on a link that is not paused."""
    access.demand(actor, "manage_links")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        link = await demand(session, peer, lock=True)
        if link.paused_at is not None:
            link.paused_at, link.paused_by, link.paused_reason = None, None, None
            audit.note(session, now, actor=actor, action="link_resumed", subject=peer)


async def probe(desk: Desk, actor: Actor, peer: str) -> None:
    """Try now: send the oldest unanswered message again, and what was put off.

    Raises `LinkPausedError`, `StandingError`.
    """
    access.demand(actor, "manage_links")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        link = await demand(session, peer, lock=True)
        if link.barred is not None:
            raise StandingError
        if link.paused_at is not None:
            raise LinkPausedError
        if link.silent_since is not None:
            link.probe_at, link.probes = now, 0
        oldest = await session.scalar(
            select(Outgoing.id)
            .where(Outgoing.peer == peer, Outgoing.state == "sent")
            .order_by(Outgoing.created_at, Outgoing.id)
            .limit(1)
        )
        temporary = and_(Outgoing.state == "refused", Outgoing.permanent.is_(False))
        put_off = or_(Outgoing.id == oldest, Outgoing.state == "pending", temporary)
        await session.execute(
            update(Outgoing).where(Outgoing.peer == peer, put_off).values(resend_at=now)
        )
        audit.note(session, now, actor=actor, action="link_probed", subject=peer)


async def demand(session: Session, peer: str, *, lock: bool = False) -> Link:
    """The link, locked where it is to be changed. Raises `UnknownOfficeError`."""
    link = await session.get(Link, peer, with_for_update=lock)
    if link is None:
        raise UnknownOfficeError(f"{peer} is no neighbour of this office")
    return link


async def views(
    session: Session, peer: str | None = None, *, received: bool = True
) -> list[LinkView]:
    """How all links stand, or this one; for use-cases that have asked who wants to know.

    A few queries for however many links: a province has hundreds.
    """
    # The newest message that was taken in: ids are ordered by time.
    newest = (
        select(Incoming.token)
        .where(Incoming.source == Link.peer)
        .order_by(Incoming.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = select(Link, Office, newest).join(Office, Office.id == Link.peer)
    if peer is not None:
        query = query.where(Link.peer == peer)
    found = (await session.execute(query.order_by(Link.peer))).all()
    backlogs = await backlogs_of(session, peer, received=received)
    agreements = await accounts.agreements(session, peer)
    made = [
        _view(
            link,
            office,
            backlogs[link.peer],
            None if token is None else certificate_of(token).not_valid_after_utc,
            agreements[link.peer],
        )
        for link, office, token in found
    ]
    return sorted(made, key=lambda view: view.relation != "parent")


def _view(
    link: Link, office: Office, backlog: Backlog, until: datetime | None, agreement: Agreement
) -> LinkView:
    paused = None
    if link.paused_at is not None:
        paused = Pause(link.paused_at, link.paused_by or "", link.paused_reason or "")
    barred = None
    if link.barred is not None and link.barred_at is not None:
        barred = Bar(link.barred, link.barred_at, link.barred_reason or "")
    witness = None
    if link.audit_seal is not None and link.audit_hash is not None:
        witness = AuditWitness(link.audit_seal, link.audit_hash)
    attempt = backlog.resend_at if link.silent_since is None else link.probe_at
    return LinkView(
        peer=link.peer,
        name=office.name,
        level=office.level,
        relation=office.relation,
        backlog=backlog,
        heard_at=link.heard_at,
        silent_since=link.silent_since,
        next_attempt_at=None if paused or barred else attempt,
        paused=paused,
        barred=barred,
        ends_at=link.ends_at,
        exported_at=link.exported_at,
        certificate_until=until,
        audit=witness,
        agreement=agreement,
        highest_level=link.highest_level,
    )
