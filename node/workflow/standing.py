"""Offices below that are suspended, revoked, or taken up again.

Everything here is rows. The link is barred from this transaction on: nothing is sent and nothing
is taken in. The relay then signs the list that tells all others (`relay/revoker`).

Suspending and revoking, in one transaction:

 1. The office stands below, and its present standing allows it.
 2. Every certificate that it was issued is entered: for good, or for the time being.
 3. Its link is barred, and what it asked to have renewed is refused. Of one that is revoked, no
    welcome can be fetched any more, and its keys are those of a revoked office.

and taking up again, which is for suspended ones alone:

 4. The entries are taken away, the link is opened, and all lists will be sent to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography import x509
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import delete, select, update

from node.errors import InputError, StandingError, UnknownOfficeError
from node.storage.certificates import CertificateRequest, IssuedCertificate
from node.storage.database import Session
from node.storage.enrolments import Enrolment
from node.storage.messages import Incoming
from node.storage.offices import Link, Office
from node.storage.revocations import RevokedCertificate
from node.workflow import access, audit, certificates
from node.workflow.desk import Actor, Desk
from node.workflow.signers import certificate_of
from protocol.messages.trust import MOST_REVOKED
from protocol.offices import Line
from protocol.trust import serial_of

SUSPENDED, REVOKED = "suspended", "revoked"

Issued = tuple[str, x509.Certificate]
"""What a certificate is for (`node` or `issuing`), and the certificate."""

_LINE: TypeAdapter[str] = TypeAdapter(Line)


@dataclass(frozen=True)
class CertificateView:
    """A certificate that an office below was issued. `standing` is good, suspended or revoked."""

    serial: str
    kind: str
    issued_at: datetime
    not_after: datetime
    standing: str


@dataclass(frozen=True)
class StandingView:
    """How an office below stands."""

    office: str
    name: str
    standing: str
    since: datetime | None
    reason: str | None
    certificates: Sequence[CertificateView]


async def show(desk: Desk, actor: Actor, office: str) -> StandingView:
    """How the office stands. Raises `UnknownOfficeError`."""
    access.demand(actor, "manage_links")
    async with desk.database.reading() as session:
        link = await _child(session, office)
        name = (await session.get_one(Office, office)).name
        holds = {row.serial: row.hold for row in await _entered(session, office)}
        issued = await session.scalars(
            select(IssuedCertificate)
            .where(IssuedCertificate.node == office)
            .order_by(IssuedCertificate.issued_at, IssuedCertificate.serial)
        )
        found = [
            CertificateView(
                row.serial, row.kind, row.issued_at, row.not_after, _named(holds.get(row.serial))
            )
            for row in issued
        ]
    return StandingView(
        office, name, link.barred or "good", link.barred_at, link.barred_reason, found
    )


async def suspend(
    desk: Desk, actor: Actor, office: str, reason: str, compromised_since: datetime | None = None
) -> None:
    """Let nothing of the office count, until it is taken up again.

    Raises `UnknownOfficeError`, `StandingError`, `InputError`.
    """
    await _bar(desk, actor, office, reason, compromised_since, standing=SUSPENDED)


async def revoke(
    desk: Desk, actor: Actor, office: str, reason: str, compromised_since: datetime | None = None
) -> None:
    """Let nothing of the office count any more. It can come back with new certificates alone.

    Raises the same. An office that was suspended counts as compromised since then, unless it is
    said otherwise.
    """
    await _bar(desk, actor, office, reason, compromised_since, standing=REVOKED)


async def resume(desk: Desk, actor: Actor, office: str) -> None:
    """Take a suspended office up again. Raises `UnknownOfficeError`, `StandingError`."""
    access.demand(actor, "manage_links")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        link = await _child(session, office, lock=True)
        if link.barred != SUSPENDED:
            raise StandingError
        # 4.
        await session.execute(
            delete(RevokedCertificate).where(
                RevokedCertificate.node == office, RevokedCertificate.hold
            )
        )
        open_link(link)
        audit.note(session, now, actor=actor, action="office_resumed", subject=office)


def open_link(link: Link) -> None:
    """Deal with the office again, and tell it everything that it was not told meanwhile."""
    link.barred, link.barred_at, link.barred_reason, link.listed_at = None, None, None, None
    link.silent_since, link.probe_at, link.probes = None, None, 0


async def admit(session: Session, node: str, found: Iterable[Issued], now: datetime) -> None:
    """Open the link of an office that comes below with these certificates; earlier ones stay out.

    The account of one that was revoked is the new one: its password was drawn anew.
    """
    link = await session.get_one(Link, node, with_for_update=True)
    open_link(link)
    link.account_closed = False
    issued(session, node, found, now)


def issued(session: Session, node: str, found: Iterable[Issued], now: datetime) -> None:
    """Remember certificates, each with its kind, in the transaction that hands them out."""
    for kind, certificate in found:
        session.add(
            IssuedCertificate(
                serial=serial_of(certificate),
                node=node,
                kind=kind,
                issued_at=now,
                not_after=certificate.not_valid_after_utc,
            )
        )


async def _bar(
    desk: Desk,
    actor: Actor,
    office: str,
    reason: str,
    compromised_since: datetime | None,
    *,
    standing: str,
) -> None:
    access.demand(actor, "manage_links")
    now = desk.clock()
    reason = _line(reason)
    if compromised_since is not None and compromised_since > now:
        raise InputError("a key cannot have been compromised in the future")
    async with desk.database.writing.begin() as session:
        # 1.
        link = await _child(session, office, lock=True)
        if link.barred == REVOKED or link.barred == standing:
            raise StandingError
        # 2.
        entered = {row.serial: row for row in await _entered(session, office)}
        serials = await _serials(session, office)
        if not serials:
            raise StandingError(f"no certificate is known that {office} was issued")
        for serial in sorted(serials):
            row = entered.get(serial)
            if row is None:
                row = RevokedCertificate(serial=serial, node=office)
                row.compromised_since = compromised_since
                session.add(row)
            elif row.hold:
                row.compromised_since = compromised_since or row.compromised_since or row.at
            else:
                continue
            row.at, row.hold, row.reason = now, standing == SUSPENDED, reason
        await session.flush()
        await _demand_room(session)
        # 3.
        link.barred, link.barred_at, link.barred_reason = standing, now, reason
        await _refuse_requests(session, office, now, actor)
        if standing == REVOKED:
            await session.execute(
                update(Enrolment)
                .where(Enrolment.office == office, Enrolment.state != "refused")
                .values(state=REVOKED, welcome=None, password=None)
            )
        audit.note(
            session,
            now,
            actor=actor,
            action=f"office_{standing}",
            subject=office,
            reason=reason,
            certificates=len(serials),
        )


async def _child(session: Session, office: str, *, lock: bool = False) -> Link:
    row = await session.get(Office, office)
    link = await session.get(Link, office, with_for_update=lock)
    if row is None or row.relation != "child" or link is None:
        raise UnknownOfficeError(f"{office} does not stand below this office")
    return link


async def _entered(session: Session, office: str) -> Sequence[RevokedCertificate]:
    found = await session.scalars(
        select(RevokedCertificate).where(RevokedCertificate.node == office).with_for_update()
    )
    return found.all()


async def _serials(session: Session, office: str) -> set[str]:
    found = set(
        await session.scalars(
            select(IssuedCertificate.serial).where(IssuedCertificate.node == office)
        )
    )
    # One that was issued after the backup from which this node was restored is known by its use.
    token = await session.scalar(
        select(Incoming.token)
        .where(Incoming.source == office)
        .order_by(Incoming.id.desc())
        .limit(1)
    )
    return found if token is None else found | {serial_of(certificate_of(token))}


async def _demand_room(session: Session) -> None:
    if len((await session.scalars(select(RevokedCertificate.serial))).all()) > MOST_REVOKED:
        raise InputError(f"a revocation list has room for {MOST_REVOKED} certificates")


async def _refuse_requests(session: Session, office: str, now: datetime, actor: Actor) -> None:
    rows = await session.scalars(
        select(CertificateRequest)
        .where(
            CertificateRequest.peer == office,
            CertificateRequest.state.in_((*certificates.UNDECIDED, "approved")),
        )
        .with_for_update()
    )
    for row in rows:
        certificates.decide(session, row, now, state="refused", by=actor)


def _line(reason: str) -> str:
    try:
        return _LINE.validate_python(reason)
    except ValidationError as error:
        raise InputError("理由须是一行文字，最多 200 字") from error


def _named(hold: Any) -> str:
    if hold is None:
        return "good"
    return SUSPENDED if hold else REVOKED
