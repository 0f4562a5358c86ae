"""Revocation lists as rows: which are known here, what arrives, and who is sent what.

A list is signed by its issuing key and means the same whoever brings it. It travels down to every
office below its issuer, and up to every office above: in other branches nothing counts that was
signed under its issuer. What arrives is dealt with in this order:

 1. It verifies, and its issuer may say something here (`protocol.revocation_list`).
 2. One with the number that is known changes nothing.
 3. One that is older changes nothing, and whoever brought it is sent the known one.
 4. One that leaves out what was revoked for good changes nothing; its issuer is sent the known one.
 5. A newer one is stored, and handed on.
 6. From this office's own list, which comes back after a restore, what was forgotten is entered
    again; the relay then issues a list with a higher number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import select

from node.storage import bulk
from node.storage.database import Session
from node.storage.offices import Link, Office
from node.storage.revocations import RevocationList, RevokedCertificate
from node.workflow import access, audit, outbox
from node.workflow.desk import Actor, Desk
from node.workflow.intake import Intake
from protocol import revocation_list
from protocol.envelope import Opened
from protocol.errors import ProtocolError
from protocol.identifiers import NodeId
from protocol.messages.trust import Revocations
from protocol.revocation import Comparison, KnownList, Revocation, Revoked
from protocol.revocation_list import OpenedList

log = structlog.get_logger()


@dataclass(frozen=True)
class ListView:
    """A list that is known here, as an administrator sees it."""

    issuer: str
    number: int
    issued_at: datetime
    next_update: datetime
    revoked: Sequence[Revocation]


async def views(desk: Desk, actor: Actor) -> Sequence[ListView]:
    """The lists that are known here, by issuer."""
    access.demand(actor, "manage_links")
    async with desk.database.reading() as session:
        found = await _opened(session, desk)
    known = sorted((one.known for one in found), key=lambda one: one.issuer)
    return [
        ListView(one.issuer, one.number, one.issued_at, one.next_update, one.revoked)
        for one in known
    ]


async def above(session: Session, desk: Desk) -> list[bytes]:
    """The lists of the offices on this office's own path, from the top downwards."""
    found = await _opened(session, desk)
    mine = [one for one in found if desk.place.own.issuers[: len(one.chain.line)] == one.chain.line]
    return [one.token for one in sorted(mine, key=lambda one: len(one.chain.line))]


async def refresh(session: Session, desk: Desk) -> None:
    """Have verification know the stored lists, where they are others than it knows."""
    rows = await session.execute(select(RevocationList.key, RevocationList.number))
    if {row.key: row.number for row in rows} != desk.chains.revoked.numbers:
        found = await _opened(session, desk)
        desk.chains.revoked = Revoked(one.known for one in found)
        desk.place.known_below = frozenset(
            one.chain.office
            for one in found
            if desk.place.is_issuer_below(one.chain.line)
            and desk.chains.revocation(one.chain) is None
        )


def learn(desk: Desk, messages: Iterable[Opened]) -> bool:
    """Have verification know the lists in a batch before anything else of it is looked at.

    Whether there was one that is newer. Stores nothing: that is `receive`'s work.
    """
    before = desk.chains.revoked
    for message in messages:
        if isinstance(message.data, Revocations):
            try:
                opened = _arrived(desk, message.data)
            except ProtocolError:
                continue  # `receive` says why
            if desk.place.is_issuer_below(opened.chain.line):
                desk.place.known_below |= {opened.chain.office}
            desk.chains.revoked = desk.chains.revoked.taking(opened.known)
    return desk.chains.revoked is not before


async def receive(intake: Intake, message: Opened) -> None:
    """Take in a list. Raises `RevocationListError`, `RevokedError`, `SuspendedError`."""
    data = message.data
    assert isinstance(data, Revocations)
    desk, session = intake.desk, intake.session
    # 1.
    opened = _arrived(desk, data)
    known, sender = opened.known, message.event.sender
    is_own = desk.place.is_own_issuer(opened.chain.line)
    before = await stored(session, desk, known.key, lock=True)
    comparison = Revoked([] if before is None else [before.known]).compare(known)
    log.info("revocations.came", issuer=known.issuer, number=known.number, is_=comparison.value)
    if is_own:
        # 6.
        await _enter_again(session, known, holds=comparison is Comparison.NEWER)
    if before is not None and comparison is not Comparison.NEWER:
        # 2.
        if comparison is Comparison.KNOWN and before.known != known:
            log.error("revocations.altered", issuer=known.issuer, number=known.number)
        # 3. and 4. To anybody else than its issuer, a list with a higher number would be no news.
        answers = comparison is Comparison.OLDER or (
            comparison is Comparison.LIFTS and sender == known.issuer
        )
        if comparison is Comparison.LIFTS:
            log.error("revocations.lifted", issuer=known.issuer, number=known.number)
        if answers and not is_own:
            content = Revocations(list=before.token.decode())
            outbox.post(session, desk, content, to=sender, now=intake.now)
        return
    # 5.
    await store(session, opened, intake.now)
    await hand_on(session, desk, opened, intake.now, without=sender)
    audit.note(
        session,
        intake.now,
        actor=sender,
        action="revocations_came",
        subject=known.issuer,
        number=known.number,
        revoked=len(known.revoked),
    )


async def store(session: Session, opened: OpenedList, now: datetime) -> None:
    """Keep a list in the place of the one before it."""
    known = opened.known
    await bulk.upsert(
        session,
        RevocationList,
        change=["issuer", "number", "token", "received_at"],
        key=known.key,
        issuer=known.issuer,
        number=known.number,
        token=opened.token,
        received_at=now,
    )


async def stored(
    session: Session, desk: Desk, key: str, *, lock: bool = False
) -> OpenedList | None:
    """The list of an issuing key."""
    row = await session.get(RevocationList, key, with_for_update=lock)
    return None if row is None else _open(desk, row.token)


async def hand_on(
    session: Session, desk: Desk, opened: OpenedList, now: datetime, *, without: str | None = None
) -> None:
    """Send a list to the neighbours that it concerns, but for the one that brought it."""
    for link, relation in await _links(session):
        if link.listed_at is not None and link.peer != without:
            _send(session, desk, opened, link, relation, now)


async def greet(session: Session, desk: Desk, now: datetime) -> bool:
    """Send all lists to the neighbours that have yet to be told of any; whether there were some."""
    new = [(link, relation) for link, relation in await _links(session) if link.listed_at is None]
    if not new:
        return False
    known = await _opened(session, desk)
    for link, relation in new:
        for opened in known:
            _send(session, desk, opened, link, relation, now)
        link.listed_at = now
    return True


def _send(
    session: Session, desk: Desk, opened: OpenedList, link: Link, relation: str, now: datetime
) -> None:
    line, place = opened.chain.line, desk.place
    concerns = place.is_own_issuer(line) or (
        place.is_issuer_above(line) if relation == "child" else place.is_issuer_below(line)
    )
    if concerns:
        content = Revocations(list=opened.token.decode())
        outbox.post(session, desk, content, to=NodeId(link.peer), now=now)


async def _links(session: Session) -> list[tuple[Link, str]]:
    found = await session.execute(
        select(Link, Office.relation)
        .join(Office, Office.id == Link.peer)
        .where(Link.barred.is_(None), Office.relation.in_(("parent", "child")))
        .order_by(Link.peer)
    )
    return [(link, relation) for link, relation in found]


def _arrived(desk: Desk, data: Revocations) -> OpenedList:
    opened = revocation_list.open_list(data.list.encode(), chains=desk.chains)
    revocation_list.demand_entitled(opened, chains=desk.chains, place=desk.place)
    return opened


async def _opened(session: Session, desk: Desk) -> list[OpenedList]:
    tokens = await session.scalars(select(RevocationList.token).order_by(RevocationList.issuer))
    found = [_open(desk, token) for token in tokens]
    return [one for one in found if one is not None]


def _open(desk: Desk, token: bytes) -> OpenedList | None:
    try:
        return revocation_list.open_list(token, chains=desk.chains)
    except ProtocolError as error:
        # It was good when it came: the root that it led to is not trusted any more.
        log.error("revocations.unreadable", code=error.code)
        return None


async def _enter_again(session: Session, known: KnownList, *, holds: bool) -> None:
    for entry in known.revoked:
        if entry.hold and not holds:
            continue
        row = await session.get(RevokedCertificate, entry.serial)
        if row is None:
            session.add(RevokedCertificate(serial=entry.serial, **_columns(entry)))
        elif row.hold and not entry.hold:
            for name, value in _columns(entry).items():
                setattr(row, name, value)


def _columns(entry: Revocation) -> dict[str, object]:
    return {
        "node": entry.node,
        "at": entry.at,
        "compromised_since": entry.compromised_since,
        "hold": entry.hold,
        "reason": entry.reason,
    }
