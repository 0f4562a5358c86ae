"""Offices that come below this one: tokens, requests, and what an administrator decides.

Everything here is rows. What needs a key or the broker is carried out by the relay
(`relay/enroller`), whichever way a request came: over HTTPS with a token, or as a file.

A request is checked in this order; 1, 5, 6 and 7 where it came with a token:

 1. This office gave out the token.                            EnrolmentTokenError
 2. Its form, and that its keys signed it (`examine`).         RequestError
 3. It is not the name of this office or one above.            EnrolmentAboveError
 4. There is room for a hub below this office.                 EnrolmentDepthError
 5. The token is not used, or it was used for this request,
    which stands as it does.                                   EnrolmentTokenUsedError
 6. It has not expired.                                        EnrolmentTokenExpiredError
 7. It is for this office, where it is for one alone.          EnrolmentTokenNameError
 8. The name is free, or its office was revoked and comes with
    new keys. Asked again for the same keys it is the same
    request, while it is open.                                 EnrolmentTakenError
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from node.enrolment_errors import (
    EnrolmentAboveError,
    EnrolmentDepthError,
    EnrolmentLeafError,
    EnrolmentTakenError,
    EnrolmentTokenError,
    EnrolmentTokenExpiredError,
    EnrolmentTokenNameError,
    EnrolmentTokenUsedError,
    UnknownEnrolmentError,
)
from node.errors import InputError
from node.storage.database import Session
from node.storage.enrolments import Enrolment, EnrolmentToken
from node.storage.offices import Link, Office
from node.workflow import access, audit
from node.workflow.desk import Actor, Desk
from node.workflow.standing import REVOKED, SUSPENDED
from protocol.certificates import MAXIMUM_DEPTH
from protocol.enrolment import Asked, Request, Token, examine, read_request, root_of
from protocol.identifiers import Digest, NodeId, digest, node_id

OPEN = ("waiting", "approved", "entered", "ready")
LONGEST_HOURS = 24 * 14


@dataclass(frozen=True)
class EnrolmentView:
    """A request, as an administrator sees it."""

    id: UUID
    office: str
    name: str
    level: str
    hub: bool
    fingerprint: Digest
    state: str
    asked_at: datetime
    came_from: str
    decided_at: datetime | None
    decided_by: str | None
    reason: str | None
    problem: str | None
    fetched_at: datetime | None


@dataclass(frozen=True)
class Answer:
    """How a request stands, as the office that asked is told."""

    id: UUID
    state: str
    fingerprint: Digest
    reason: str | None
    welcome: str | None


async def make_token(
    desk: Desk, actor: Actor, *, secret: bytes, office: str | None, hours: int
) -> Token:
    """Make a token for one request, perhaps of this office alone. It is told once.

    Raises `InputError`, `EnrolmentLeafError`.
    """
    access.demand(actor, "manage_links")
    if desk.place.issuing is None:
        raise EnrolmentLeafError
    if not 1 <= hours <= LONGEST_HOURS:
        raise InputError(f"a token lasts from 1 to {LONGEST_HOURS} hours")
    now = desk.clock()
    row = EnrolmentToken(
        digest=digest(secret),
        office=None if office is None else _name(office),
        made_at=now,
        made_by=actor.username,
        expires_at=now + timedelta(hours=hours),
    )
    async with desk.database.writing.begin() as session:
        session.add(row)
        audit.note(session, now, actor=actor, action="enrolment_token_made", subject=office)
    return Token(secret, root_of(desk.chains.roots[0]))


async def ask(desk: Desk, token: Token, request: Request, *, came_from: str) -> Answer:
    """Keep a request that came with a token until it is decided on; how it stands."""
    now = desk.clock()
    try:
        async with desk.database.writing.begin() as session:
            # 1.
            held = await session.get(EnrolmentToken, digest(token.secret), with_for_update=True)
            if held is None:
                raise EnrolmentTokenError
            asked = _examine(desk, request)
            if held.enrolment_id is not None:
                # 5.
                row = await session.get_one(Enrolment, held.enrolment_id)
                if (row.office, row.fingerprint) != (request.office.id, asked.fingerprint):
                    raise EnrolmentTokenUsedError
                return _answer(row)
            # 6.
            if held.expires_at <= now:
                raise EnrolmentTokenExpiredError
            # 7.
            if held.office not in (None, request.office.id):
                raise EnrolmentTokenNameError(f"this token is for {held.office}")
            row = await _open_or_new(desk, session, request, asked, came_from)
            held.enrolment_id = row.id
            return _answer(row)
    except IntegrityError as error:
        raise EnrolmentTakenError from error


async def enter(desk: Desk, actor: Actor, text: str | bytes) -> EnrolmentView:
    """Keep a request that came as a file until it is decided on."""
    access.demand(actor, "manage_links")
    if desk.place.issuing is None:
        raise EnrolmentLeafError
    request = read_request(text)
    asked = _examine(desk, request)
    try:
        async with desk.database.writing.begin() as session:
            return _view(await _open_or_new(desk, session, request, asked, actor.came_from))
    except IntegrityError as error:
        raise EnrolmentTakenError from error


async def answer(desk: Desk, token: Token, id: UUID) -> Answer:
    """How a request stands, for who holds its token. Raises `EnrolmentTokenError`."""
    async with desk.database.reading() as session:
        held = await session.get(EnrolmentToken, digest(token.secret))
        # 1.
        if held is None or held.enrolment_id != id:
            raise EnrolmentTokenError
        row = await session.get_one(Enrolment, id)
    if row.state == "ready" and row.fetched_at is None:
        await note_fetched(desk, id, by=row.office)
    return _answer(row)


async def hand_out(desk: Desk, actor: Actor, id: UUID) -> str | None:
    """The welcome, to be carried as a file; None where it is not there yet, or has lapsed."""
    access.demand(actor, "manage_links")
    async with desk.database.reading() as session:
        row = await session.get_one(Enrolment, id)
    if row.welcome is not None:
        await note_fetched(desk, id, by=actor)
    return row.welcome


async def note_fetched(desk: Desk, id: UUID, *, by: Actor | str) -> None:
    """The welcome leaves this office."""
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        row = await session.get_one(Enrolment, id, with_for_update=True)
        if row.fetched_at is None:
            row.fetched_at = now
            audit.note(session, now, actor=by, action="enrolment_fetched", subject=row.office)


async def list_all(desk: Desk, actor: Actor) -> Sequence[EnrolmentView]:
    """Every request, the newest first."""
    access.demand(actor, "manage_links")
    query = select(Enrolment).order_by(Enrolment.asked_at.desc(), Enrolment.id)
    async with desk.database.reading() as session:
        return [_view(row) for row in await session.scalars(query)]


async def approve(desk: Desk, actor: Actor, office: str) -> UUID:
    """Have the relay welcome the office; approved before, it changes nothing.

    Raises `UnknownEnrolmentError`.
    """
    access.demand(actor, "manage_links")
    async with desk.database.writing.begin() as session:
        row = await _open(session, office)
        if row.state == "waiting":
            _decide(session, row, desk.clock(), "approved", actor)
        return row.id


async def refuse(desk: Desk, actor: Actor, office: str, reason: str) -> None:
    """Do not take the office in, and tell it why. Possible until it is entered.

    Raises `UnknownEnrolmentError`, `InputError`.
    """
    access.demand(actor, "manage_links")
    if not reason.strip():
        raise InputError("a refusal needs a reason")
    async with desk.database.writing.begin() as session:
        row = await _open(session, office)
        if row.state not in ("waiting", "approved"):
            raise UnknownEnrolmentError
        _decide(session, row, desk.clock(), "refused", actor, reason.strip())
        row.password = None


def _decide(
    session: Session,
    row: Enrolment,
    now: datetime,
    state: str,
    by: Actor,
    reason: str | None = None,
) -> None:
    row.state, row.decided_at, row.decided_by, row.reason = state, now, by.username, reason
    audit.note(session, now, actor=by, action=f"enrolment_{state}", subject=row.office)


def _examine(desk: Desk, request: Request) -> Asked:
    # 2.
    asked = examine(request)
    # 3.
    if request.office.id in desk.place.own.offices:
        raise EnrolmentAboveError
    # 4. Below a hub there must be room for an office that it certifies.
    if asked.issuing is not None and len(desk.place.own.offices) + 2 > MAXIMUM_DEPTH:
        raise EnrolmentDepthError
    return asked


async def _open(session: Session, office: str) -> Enrolment:
    query = select(Enrolment).where(Enrolment.office == office, Enrolment.state.in_(OPEN))
    row: Enrolment | None = await session.scalar(query.with_for_update())
    if row is None:
        raise UnknownEnrolmentError
    return row


async def _open_or_new(
    desk: Desk, session: Session, request: Request, asked: Asked, came_from: str
) -> Enrolment:
    # 8.
    name = request.office.id
    query = select(Enrolment).where(Enrolment.office == name, Enrolment.state != "refused")
    rows = (await session.scalars(query)).all()
    link = await session.get(Link, name)
    barred = None if link is None else link.barred
    if barred == SUSPENDED:
        raise EnrolmentTakenError(f"{name} is suspended: take it up again instead")
    if any(row.state == REVOKED and row.fingerprint == asked.fingerprint for row in rows):
        raise EnrolmentTakenError(f"these keys of {name} were revoked: it must make new ones")
    earlier = [row for row in rows if row.state != REVOKED]
    if any(row.fingerprint != asked.fingerprint for row in earlier):
        raise EnrolmentTakenError(f"{name} asked, or came, with other keys before")
    if not earlier and barred is None and await session.get(Office, name) is not None:
        raise EnrolmentTakenError(f"there is an office {name} already")
    for row in earlier:
        if row.state in OPEN:
            return row
    row = Enrolment(
        id=desk.new_id(),
        office=name,
        request=request.model_dump_json(),
        fingerprint=asked.fingerprint,
        state="waiting",
        asked_at=desk.clock(),
        came_from=came_from,
    )
    session.add(row)
    await session.flush()
    audit.note(
        session,
        row.asked_at,
        actor=name,
        action="enrolment_asked",
        subject=name,
        came_from=came_from,
    )
    return row


def _answer(row: Enrolment) -> Answer:
    return Answer(row.id, row.state, Digest(row.fingerprint), row.reason, row.welcome)


def _view(row: Enrolment) -> EnrolmentView:
    request = Request.model_validate_json(row.request)
    return EnrolmentView(
        id=row.id,
        office=row.office,
        name=request.office.name,
        level=request.office.level,
        hub=request.issuing is not None,
        fingerprint=Digest(row.fingerprint),
        state=row.state,
        asked_at=row.asked_at,
        came_from=row.came_from,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
        reason=row.reason,
        problem=row.problem,
        fetched_at=row.fetched_at,
    )


def _name(office: str) -> NodeId:
    try:
        return node_id(office)
    except ValueError as error:
        raise InputError(str(error)) from error
