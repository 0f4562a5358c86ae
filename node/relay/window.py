"""What may be sent on a link now: the window, resending, and probing a silent peer.

At most `window` messages of a link wait for their receipt. A receipt that is overdue means one of
two things. If the peer was heard since the message was sent, the message or its receipt was lost:
it is sent again, later each time: the peer may be unable to read it, and so to answer. If not, the
peer is silent: then only the oldest message is sent again, as a probe, with growing pauses, and
anything heard from the peer reopens the link. On a link that was paused only receipts and
revocation lists go out, and what comes is taken in; to an office that is suspended or revoked, and
on a link that has ended, nothing goes out. Nothing is ever given up, and nothing is sent again
under a new id.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import structlog
from sqlalchemy import Select, and_, bindparam, case, func, or_, select, update

from node.config import RelaySettings
from node.storage.database import Session
from node.storage.messages import Outgoing, is_open
from node.storage.offices import Link
from protocol.identifiers import NodeId

log = structlog.get_logger()


COLUMNS = (
    Outgoing.id,
    Outgoing.peer,
    Outgoing.name,
    Outgoing.priority,
    Outgoing.attempts,
    Outgoing.payload,
)

# Built once: they are asked before every sending, and building takes longer than running them.
NOW = bindparam("now", type_=Outgoing.resend_at.type)
COUNTED = (
    select(
        Outgoing.peer,
        Outgoing.state,
        func.count(),
        func.min(Outgoing.resend_at),
        func.min(Outgoing.sent_at),
        func.min(case((Outgoing.resend_at > NOW, Outgoing.resend_at))),
    )
    .where(is_open())
    .group_by(Outgoing.peer, Outgoing.state)
)
LINKS = select(Link).where(
    Link.peer.in_(bindparam("peers", expanding=True)),
    Link.barred.is_(None),
    or_(Link.ends_at.is_(None), Link.ends_at > NOW),
)


@dataclass(frozen=True)
class Standing:
    """How a link stands: its row, what waits for a receipt on it, and whether more waits to go.

    `next_at` is when something that was put off, or a receipt that is waited for, is due.
    """

    link: Link
    unanswered: int
    overdue_at: datetime | None
    waiting: bool
    next_at: datetime | None = None

    def due_at(self, now: datetime) -> datetime | None:
        """When there is something to do on the link again, though nothing happens until then."""
        probe_at = self.link.probe_at if self.link.silent_since is not None else None
        times = (self.next_at, probe_at)
        return min((time for time in times if time is not None and time > now), default=None)


def everyone(_: NodeId) -> bool:
    """All neighbours are carried by one publisher."""
    return True


async def standings(
    session: Session,
    settings: RelaySettings,
    now: datetime,
    carries: Callable[[NodeId], bool] = everyone,
) -> dict[NodeId, Standing]:
    """How the links stand that have anything open; one whose receipts are overdue is marked silent.

    Of the neighbours that are carried, and no others: another publisher marks theirs. Two queries
    for however many links: a province has hundreds, and most of them rest.
    """
    sent: dict[str, tuple[int, datetime | None, datetime | None]] = {}
    waiting: set[str] = set()
    later: dict[str, datetime] = {}
    rows = await session.execute(COUNTED, {"now": now})
    for peer, state, count, overdue_at, sent_at, next_at in rows:
        if state == "sent":
            sent[peer] = (count, overdue_at, sent_at)
        else:
            waiting.add(peer)
        if next_at is not None:
            later[peer] = min(next_at, later.get(peer, next_at))
    mine = [peer for peer in sent.keys() | waiting if carries(NodeId(peer))]
    if not mine:
        return {}
    found = {}
    for link in await session.scalars(LINKS, {"now": now, "peers": mine}):
        count, overdue_at, sent_at = sent.get(link.peer, (0, None, None))
        overdue = overdue_at is not None and overdue_at <= now
        unheard = link.heard_at is None or (sent_at is not None and link.heard_at < sent_at)
        if overdue and unheard and link.silent_since is None:
            link.silent_since, link.probe_at, link.probes = now, now, 0
            log.info("link.silent", peer=link.peer, unanswered=count)
        found[NodeId(link.peer)] = Standing(
            link, count, overdue_at, link.peer in waiting, later.get(link.peer)
        )
    return found


class Due(NamedTuple):
    """A row of the outbox that is to be sent."""

    id: UUID
    peer: str
    name: str
    priority: int
    attempts: int
    payload: bytes


async def due(
    session: Session, standing: Standing, settings: RelaySettings, now: datetime, share: int
) -> list[Due]:
    """What to send on the link now, at most `share` rows."""
    link = standing.link
    if link.paused_at is not None:
        return await _new(session, link, now, share, room=0)
    again: list[Due] = []
    if link.silent_since is None:
        if standing.overdue_at is not None and standing.overdue_at <= now:
            again = await _lost(session, link, now, share)
    elif link.probe_at is None or link.probe_at <= now:
        again = await _probe(session, link, settings, now)
    if not standing.waiting:
        return again
    return again + await _new(session, link, now, share, settings.window - standing.unanswered)


async def heard(session: Session, settings: RelaySettings, peers: set[str], now: datetime) -> None:
    """Something verified came from these peers: their links are open again.

    What they have not answered yet gets the usual time before it counts as lost.
    """
    links = await session.scalars(
        select(Link).where(Link.peer.in_(peers)).order_by(Link.peer).with_for_update()
    )
    for link in links:
        link.heard_at = now
        if link.silent_since is None:
            continue
        link.silent_since, link.probe_at, link.probes = None, None, 0
        log.info("link.heard", peer=link.peer)
        await session.execute(
            update(Outgoing)
            .where(Outgoing.peer == link.peer, is_open(), Outgoing.state == "sent")
            .values(resend_at=now + timedelta(seconds=settings.receipt_within))
        )


def patience(settings: RelaySettings, attempts: int) -> timedelta:
    """How long to wait for a receipt after so many attempts: doubled each time, up to a limit."""
    longest = max(settings.receipt_within, settings.longest_probe)
    return timedelta(seconds=min(settings.receipt_within * 2 ** min(attempts, 30), longest))


def pause(settings: RelaySettings, times: int) -> timedelta:
    """The pause after the n-th attempt in vain: doubled each time, up to a limit."""
    return timedelta(
        seconds=min(settings.first_probe * 2 ** min(times, 30), settings.longest_probe)
    )


async def _lost(session: Session, link: Link, now: datetime, share: int) -> list[Due]:
    return await _read(
        session,
        select(*COLUMNS)
        .where(
            Outgoing.peer == link.peer,
            is_open(),
            Outgoing.state == "sent",
            Outgoing.resend_at <= now,
        )
        .order_by(Outgoing.priority, Outgoing.created_at, Outgoing.id)
        .limit(share),
    )


async def _probe(session: Session, link: Link, settings: RelaySettings, now: datetime) -> list[Due]:
    oldest = await _read(
        session,
        select(*COLUMNS)
        .where(Outgoing.peer == link.peer, is_open(), Outgoing.state == "sent")
        .order_by(Outgoing.created_at, Outgoing.id)
        .limit(1),
    )
    link.probe_at = now + pause(settings, link.probes)
    link.probes += 1
    return oldest


async def _new(session: Session, link: Link, now: datetime, share: int, room: int) -> list[Due]:
    ready = or_(Outgoing.resend_at.is_(None), Outgoing.resend_at <= now)
    temporary = and_(Outgoing.state == "refused", Outgoing.permanent.is_(False))
    query = select(*COLUMNS).where(
        Outgoing.peer == link.peer,
        is_open(),
        or_(Outgoing.state == "pending", temporary),
        ready,
    )
    if room <= 0:
        # Receipts and lists are never held back, neither by the window nor by a pause.
        query = query.where(Outgoing.priority == 0)
    return await _read(
        session,
        query.order_by(Outgoing.priority, Outgoing.created_at, Outgoing.id).limit(
            min(share, room) if room > 0 else share
        ),
    )


async def _read(session: Session, query: Select[UUID, str, str, int, int, bytes]) -> list[Due]:
    # As plain rows: mapped objects are of no use to the publisher, and slow.
    return [Due(*row) for row in await session.execute(query)]
