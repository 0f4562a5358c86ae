"""Statements of account (对账): both ends of a link count what went over it, day by day.

What a message's day is, its id says (UTC), so both ends agree on it. One round, for one day:

 1. The sender counts what it first sent more than an hour ago and was not refused, and says so.
 2. The receiver counts what it has of that day, and answers. If it counts otherwise, it lists the
    ids, in pages.
 3. The sender compares. What the receiver lacks is sent again under the same id. What the receiver
    has and the sender never sent is an alarm: the sender has forgotten it. What was purged since is
   not sent again, and no longer counted.

A statement is lost as easily as any link message; the next one says it again. Once a day everything
is stated that changed or did not agree; an operator can ask for it at any time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import structlog
from sqlalchemy import ScalarSelect, func, select, update
from sqlalchemy.orm import aliased

from node.errors import PurgedItemError, UnknownOfficeError
from node.storage import bulk
from node.storage.database import Session
from node.storage.messages import Incoming, Outgoing
from node.storage.offices import Link
from node.storage.purges import is_erased
from node.storage.statements import Account
from node.workflow import access, audit, outbox
from node.workflow.desk import Actor, Desk
from protocol.envelope import Opened
from protocol.identifiers import NodeId, day_of, earliest
from protocol.messages.catalogue import LINK
from protocol.messages.links import Statement

log = structlog.get_logger()

SETTLED = timedelta(hours=1)
"""What was first sent less than this ago may still be on its way."""

LOOK_BACK = timedelta(days=60)
"""How old a message can be that is first sent today: an office may have been off so long."""

PAGE = 2_000
LATER = timedelta(days=1)
"""A difference that is still there after this is an alarm: sending again did not help."""


@dataclass(frozen=True)
class Agreement:
    """Up to which day both ends agree on what went each way, and how many days differ."""

    sent_until: date | None
    received_until: date | None
    differing: int


@dataclass(frozen=True)
class Count:
    """One day's messages: how many, and a digest over their ids and contents."""

    count: int
    digest: str


async def state(session: Session, desk: Desk, link: Link, now: datetime) -> int:
    """Queue a statement for each day that changed or does not agree; how many days that were."""
    # 1.
    days = await _open_days(session, link, now)
    for day in days:
        account = await _account(session, link.peer, "sent", day, now)
        count = _count(await _sent(session, link.peer, day, until=now - SETTLED))
        if (account.count, account.digest) != (count.count, count.digest):
            account.agreed_at = None
        account.count, account.digest, account.stated_at = count.count, count.digest, now
        statement = Statement(side="sent", day=day, count=count.count, digest=count.digest)
        outbox.post(session, desk, statement, to=NodeId(link.peer), now=now)
    link.stated_at = now
    return len(days)


async def take(session: Session, desk: Desk, message: Opened, now: datetime) -> None:
    """Answer a peer's statement, or act on its answer to ours."""
    statement, peer = message.data, message.event.sender
    assert isinstance(statement, Statement)
    if statement.side == "sent":
        await _answer(session, desk, peer, statement, now)
    else:
        await _compare(session, peer, statement, now)


async def reconcile(desk: Desk, actor: Actor, peer: str) -> int:
    """State now what is open on one link; how many days. Raises `UnknownOfficeError`."""
    access.demand(actor, "manage_links")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        link = await session.get(Link, peer, with_for_update=True)
        if link is None:
            raise UnknownOfficeError(f"{peer} is no neighbour of this office")
        days = await state(session, desk, link, now)
        audit.note(session, now, actor=actor, action="link_reconciled", subject=peer)
    return days


async def agreements(session: Session, peer: str | None = None) -> dict[str, Agreement]:
    """How the accounts with all neighbours stand, or with this one."""

    def until(side: str) -> ScalarSelect[date]:
        open_day = aliased(Account)
        first_open = (
            select(func.min(open_day.day))
            .where(open_day.peer == Link.peer, open_day.side == side, open_day.agreed_at.is_(None))
            .correlate(Link)
            .scalar_subquery()
        )
        return (
            select(func.max(Account.day))
            .where(
                Account.peer == Link.peer,
                Account.side == side,
                Account.day < func.coalesce(first_open, date.max),
            )
            .correlate(Link)
            .scalar_subquery()
        )

    differing = (
        select(func.count())
        .select_from(Account)
        .where(
            Account.peer == Link.peer,
            Account.agreed_at.is_(None),
            Account.differs_since.is_not(None),
        )
        .scalar_subquery()
    )
    query = select(Link.peer, until("sent"), until("received"), differing)
    if peer is not None:
        query = query.where(Link.peer == peer)
    rows = await session.execute(query)
    return {name: Agreement(sent, received, count) for name, sent, received, count in rows}


async def _answer(
    session: Session, desk: Desk, peer: NodeId, statement: Statement, now: datetime
) -> None:
    # 2.
    rows = await _received(session, peer, statement.day)
    count = _count(rows)
    account = await _account(session, peer, "received", statement.day, now)
    account.count, account.digest, account.stated_at = count.count, count.digest, now
    account.peer_count, account.peer_digest = statement.count, statement.digest
    agreed = (count.count, count.digest) == (statement.count, statement.digest)
    _settle(account, agreed, now)
    pages: Sequence[tuple[UUID, ...] | None] = [None] if agreed else _pages([id for id, _ in rows])
    for number, ids in enumerate(pages, start=1):
        answer = Statement(
            side="received",
            day=statement.day,
            count=count.count,
            digest=count.digest,
            page=number,
            pages=len(pages),
            ids=ids,
        )
        outbox.post(session, desk, answer, to=peer, now=now)


async def _compare(session: Session, peer: NodeId, statement: Statement, now: datetime) -> None:
    # 3.
    account = await _account(session, peer, "sent", statement.day, now)
    account.peer_count, account.peer_digest = statement.count, statement.digest
    if statement.ids is None:
        _settle(
            account, (account.count, account.digest) == (statement.count, statement.digest), now
        )
        return
    if statement.page == 1:
        account.missing = account.surplus = 0
    low, high = _bounds(statement)
    sent = {id for id, _ in await _sent(session, peer, statement.day, until=now - SETTLED)}
    listed = set(statement.ids)
    lacking = sorted(id for id in sent - listed if low <= id <= high)
    missing, changed = await _settle_erased(session, peer, lacking, listed, now)
    surplus = listed - await _ours(session, peer, listed)
    # Of a count that changed now, the peer hears with the next statement.
    account.missing += len(missing) + changed
    account.surplus += len(surplus)
    if missing:
        log.warning("statement.missing", peer=peer, day=str(statement.day), messages=len(missing))
        await session.execute(
            update(Outgoing)
            .where(bulk.among(session, Outgoing.id, missing))
            .values(state="pending", resend_at=None, answered_at=None)
        )
    for id in sorted(surplus):
        log.error("statement.surplus", peer=peer, message_id=str(id))
    if statement.page == statement.pages:
        # What was sent within the hour was not stated, and may have arrived.
        everything = _count(await _sent(session, peer, statement.day, until=now))
        same = (everything.count, everything.digest) == (statement.count, statement.digest)
        _settle(account, same and account.missing == account.surplus == 0, now)


def _settle(account: Account, agreed: bool, now: datetime) -> None:
    if agreed:
        account.agreed_at, account.differs_since = now, None
        account.missing = account.surplus = 0
        return
    account.agreed_at = None
    account.differs_since = account.differs_since or now
    if now - account.differs_since >= LATER:
        log.error(
            "statement.differs",
            peer=account.peer,
            side=account.side,
            day=str(account.day),
            count=account.count,
            peer_count=account.peer_count,
        )


async def _open_days(session: Session, link: Link, now: datetime) -> list[date]:
    since = (link.stated_at or now - LOOK_BACK) - SETTLED
    ids = await session.stream_scalars(
        select(Outgoing.id).where(
            Outgoing.peer == link.peer,
            Outgoing.name.not_in(LINK),
            Outgoing.id >= earliest(now - LOOK_BACK),
            Outgoing.first_sent_at > since - SETTLED,
        )
    )
    days = {day_of(id) async for id in ids}
    days |= set(
        await session.scalars(
            select(Account.day).where(
                Account.peer == link.peer, Account.side == "sent", Account.agreed_at.is_(None)
            )
        )
    )
    return sorted(days)


async def _account(session: Session, peer: str, side: str, day: date, now: datetime) -> Account:
    found = await session.get(Account, (peer, side, day))
    if found is None:
        found = Account(
            peer=peer,
            side=side,
            day=day,
            count=0,
            digest=_count(()).digest,
            stated_at=now,
            missing=0,
            surplus=0,
        )
        session.add(found)
        await session.flush()
    return found


async def _sent(
    session: Session, peer: str, day: date, *, until: datetime
) -> list[tuple[UUID, str]]:
    low, high = _day(day)
    rows = await session.execute(
        select(Outgoing.id, Outgoing.digest)
        .where(
            Outgoing.id >= low,
            Outgoing.id < high,
            Outgoing.peer == peer,
            Outgoing.name.not_in(LINK),
            Outgoing.first_sent_at <= until,
            Outgoing.state != "refused",
        )
        .order_by(Outgoing.id)
    )
    return [(id, digest) for id, digest in rows]


async def _received(session: Session, peer: str, day: date) -> list[tuple[UUID, str]]:
    low, high = _day(day)
    rows = await session.execute(
        select(Incoming.id, Incoming.digest)
        .where(Incoming.source == peer, Incoming.id >= low, Incoming.id < high)
        .order_by(Incoming.id)
    )
    return [(id, digest) for id, digest in rows]


async def _settle_erased(
    session: Session, peer: str, lacking: Sequence[UUID], listed: set[UUID], now: datetime
) -> tuple[list[UUID], int]:
    """What the peer lacks and can be sent again; what was purged cannot, and counts as refused.

    What it has received after all, it has received, also where it was purged here meanwhile. With
    it, of how many messages the state changed.
    """
    arrived = await session.scalars(
        update(Outgoing)
        .where(
            bulk.among(session, Outgoing.id, listed),
            Outgoing.peer == peer,
            Outgoing.state == "refused",
            is_erased(Outgoing),
        )
        .values(state="received", code=None, permanent=None, answered_at=now)
        .returning(Outgoing.id)
    )
    gone = set(
        await session.scalars(
            update(Outgoing)
            .where(bulk.among(session, Outgoing.id, lacking), is_erased(Outgoing))
            .values(state="refused", code=PurgedItemError.code, permanent=True, resend_at=None)
            .returning(Outgoing.id)
        )
    )
    return [id for id in lacking if id not in gone], len(arrived.all()) + len(gone)


async def _ours(session: Session, peer: str, ids: set[UUID]) -> set[UUID]:
    return set(
        await session.scalars(
            select(Outgoing.id).where(bulk.among(session, Outgoing.id, ids), Outgoing.peer == peer)
        )
    )


def _count(rows: Iterable[tuple[UUID, str]]) -> Count:
    total, number = hashlib.sha256(), 0
    for number, (id, digest) in enumerate(rows, start=1):  # noqa: B007 - the last one is the count
        total.update(id.bytes + bytes.fromhex(digest))
    return Count(number, total.hexdigest())


def _pages(ids: Sequence[UUID]) -> list[tuple[UUID, ...]]:
    # Each page begins with the last id of the one before: nothing lies between two pages.
    step = PAGE - 1
    return [tuple(ids[start : start + PAGE]) for start in range(0, max(1, len(ids) - 1), step)]


def _bounds(statement: Statement) -> tuple[UUID, UUID]:
    low, high = _day(statement.day)
    ids = statement.ids or ()
    return (
        low if statement.page == 1 or not ids else ids[0],
        high if statement.page == statement.pages or not ids else ids[-1],
    )


def _day(day: date) -> tuple[UUID, UUID]:
    midnight = datetime.combine(day, time(), UTC)
    return earliest(midnight), earliest(midnight + timedelta(days=1))
