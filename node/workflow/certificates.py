"""Certificates that are renewed, both ends: what this office asks above, and what is asked of it.

Everything here is rows. What needs a key is carried out by the relay: `relay/renewer` makes the new
key, asks, and puts the answer in place; `relay/certifier` issues what was approved.

A request from below is checked in this order:

 1. It is a PKCS #10 request that its own key signed.                  CertificateRequestError
 2. It names the office that sent it.                                  CertificateNameError
 3. Its key is a new one.                                              CertificateRequestError
 4. An issuing certificate that is to be renewed was issued to that
    office, by the issuer of the certificate that signed the message.  CertificateIssuingError

and an answer from above in this one:

 5. A renewal asked for the key of the new certificate. Where it is
    done already, the answer changes nothing.                          CertificateUnaskedError
 6. The chain leads to a root, now, on this office's own path.         CertificatePathError, and
                                                                       those of `Chains`
 7. A renewed issuing certificate is on this office's issuing key.     CertificatePathError
 8. New roots are on the key of a root that is trusted already.        CertificatePathError
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select, update

from node.errors import (
    CertificateIssuingError,
    CertificateNameError,
    CertificatePathError,
    CertificateRequestError,
    CertificateUnaskedError,
    InputError,
    UnknownCertificateRequestError,
)
from node.storage.certificates import CertificateRequest, Renewal
from node.storage.database import Session
from node.storage.offices import Office
from node.workflow import access, audit
from node.workflow.desk import Actor, Desk
from node.workflow.intake import Intake
from protocol.certificates import asked_for
from protocol.envelope import Opened
from protocol.errors import CertificateError, ChainError
from protocol.identifiers import Digest
from protocol.messages import trust as messages
from protocol.trust import key_digest

UNDECIDED = ("asked", "waiting")
UNREADABLE = (
    ValueError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    CertificateError,
)
"""What reading a stranger's bytes as a request or certificate may raise."""


@dataclass(frozen=True)
class RequestView:
    """A child's request, as an administrator sees it. `key` is the digest of the new key."""

    id: UUID
    peer: str
    name: str
    state: str
    issuing: bool
    key: Digest
    asked_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    reason: str | None


async def renew(desk: Desk, actor: Actor) -> None:
    """Have this office's certificates renewed; one that is under way is asked for again."""
    access.demand(actor, "manage_links")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        renewal = await open_renewal(session, lock=True)
        if renewal is None:
            session.add(
                Renewal(id=desk.new_id(), state="wanted", wanted_at=now, wanted_by=actor.username)
            )
        elif renewal.state == "asked":
            renewal.state = "wanted"
        audit.note(session, now, actor=actor, action="renewal_wanted")


async def open_renewal(session: Session, *, lock: bool = False) -> Renewal | None:
    """The renewal that is under way."""
    query = select(Renewal).where(Renewal.state != "done").limit(1)
    found: Renewal | None = await session.scalar(query.with_for_update() if lock else query)
    return found


async def requests(desk: Desk, actor: Actor) -> Sequence[RequestView]:
    """What the offices below asked for, the newest first."""
    access.demand(actor, "manage_links")
    async with desk.database.reading() as session:
        found = await session.execute(
            select(CertificateRequest, Office.name)
            .join(Office, Office.id == CertificateRequest.peer)
            .order_by(CertificateRequest.asked_at.desc(), CertificateRequest.id)
        )
        return [_view(row, name) for row, name in found]


async def approve(desk: Desk, actor: Actor, id: UUID) -> None:
    """Have the relay issue the certificate. Raises `UnknownCertificateRequestError`."""
    await _decide(desk, actor, id, "approved", None)


async def refuse(desk: Desk, actor: Actor, id: UUID, reason: str) -> None:
    """Issue nothing. The office below is not told: its present certificate counts as before.

    Raises `UnknownCertificateRequestError`, `InputError`.
    """
    if not reason.strip():
        raise InputError("a refusal needs a reason")
    await _decide(desk, actor, id, "refused", reason.strip())


async def _decide(desk: Desk, actor: Actor, id: UUID, state: str, reason: str | None) -> None:
    access.demand(actor, "manage_links")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        row = await session.get(CertificateRequest, id, with_for_update=True)
        if row is None or row.state not in UNDECIDED:
            raise UnknownCertificateRequestError
        decide(session, row, now, state=state, by=actor, reason=reason)


def decide(
    session: Session,
    row: CertificateRequest,
    now: datetime,
    *,
    state: str,
    by: Actor | str,
    reason: str | None = None,
) -> None:
    """Enter a decision on a request."""
    name = by.username if isinstance(by, Actor) else by
    row.state, row.decided_at, row.decided_by, row.reason = state, now, name, reason
    audit.note(session, now, actor=by, action=f"certificate_{state}", subject=row.peer)


async def receive_request(intake: Intake, message: Opened) -> None:
    """Keep the request of a child until it is decided on."""
    data = message.data
    assert isinstance(data, messages.CertificateRequest)
    # 1.
    try:
        request = base64.b64decode(data.request)
        node, key = asked_for(x509.load_der_x509_csr(request))
    except UNREADABLE as error:
        raise CertificateRequestError(f"the request is not usable: {error}") from error
    # 2.
    sender = message.event.sender
    if node != sender:
        raise CertificateNameError(f"{sender} asks for a certificate of {node}")
    # 3.
    if key == x509.load_der_x509_certificate(message.chain[0]).public_key():
        raise CertificateRequestError("the request is for the key that signed it: make a new one")
    # 4.
    issuing = None
    if data.issuing is not None:
        try:
            issuing = base64.b64decode(data.issuing)
            holder = intake.desk.chains.issued_beside(issuing, message.chain).node
        except (ValueError, CertificateError, ChainError) as error:
            raise CertificateIssuingError from error
        if holder != sender:
            raise CertificateIssuingError(f"{sender} sent the issuing certificate of {holder}")
    await intake.session.execute(
        update(CertificateRequest)
        .where(CertificateRequest.peer == sender, CertificateRequest.state.in_(UNDECIDED))
        .values(state="replaced")
    )
    intake.session.add(
        CertificateRequest(
            id=message.event.id,
            peer=sender,
            request=request,
            issuing=issuing,
            state="asked",
            asked_at=intake.now,
        )
    )
    audit.note(intake.session, intake.now, actor=sender, action="certificate_asked", subject=sender)


async def receive(intake: Intake, message: Opened) -> None:
    """Keep the new certificates until the relay puts them in place."""
    data = message.data
    assert isinstance(data, messages.Certificate)
    desk = intake.desk
    chain = tuple(_bytes(text) for text in data.chain)
    # 5.
    query = select(Renewal).where(Renewal.key == _key_of(chain[0])).limit(1)
    renewal = await intake.session.scalar(query.with_for_update())
    if renewal is None:
        raise CertificateUnaskedError
    if renewal.state == "done":
        return  # asked twice, or the office above was restored and answered again
    # 6.
    path = desk.chains.verify(chain, intake.now).path
    if path != desk.place.own:
        raise CertificatePathError(f"the certificate is for {path}")
    # 7.
    if data.issuing is not None and (
        desk.chains.issued_beside(_bytes(data.issuing), chain) != desk.place.issuing
    ):
        raise CertificatePathError("the issuing certificate is on another key than ours")
    # 8.
    for text in data.roots:
        if not desk.chains.root_again(_bytes(text)):
            raise CertificatePathError("a new root must be on the key of the present one")
    renewal.state, renewal.answer = "arrived", data.model_dump_json()
    audit.note(intake.session, intake.now, actor=message.event.sender, action="certificate_came")


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text)
    except ValueError as error:
        raise CertificateError("a certificate is not in base64") from error


def _key_of(der: bytes) -> Digest | None:
    try:
        key = x509.load_der_x509_certificate(der).public_key()
    except UNREADABLE:
        return None
    return key_digest(key) if isinstance(key, ec.EllipticCurvePublicKey) else None


def _view(row: CertificateRequest, name: str) -> RequestView:
    _, key = asked_for(x509.load_der_x509_csr(row.request))
    return RequestView(
        id=row.id,
        peer=row.peer,
        name=name,
        state=row.state,
        issuing=row.issuing is not None,
        key=key_digest(key),
        asked_at=row.asked_at,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
        reason=row.reason,
    )
