"""The certifier: decides by policy on requests from below, and issues what is approved.

One step, for one request:

 1. Where nobody decided yet: approve it if the policy is `automatic` and the link to this child is
    in good standing (a child, neither paused nor suspended); else let it wait for a person.
 2. Where it is approved: read the issuing key and issue. Nothing is written yet.
 3. In one transaction, unless the decision changed meanwhile: the request is answered, what was
    issued is remembered, and the answer stands in the outbox.

Killed between 2 and 3, the certificate is issued again, with another serial number; nobody has seen
the first. The key is read for each answer and kept in no memory.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from datetime import datetime

import structlog
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import select

from node.config import CertificateSettings
from node.keys.ring import KeyRing
from node.keys.terms import ISSUING_DAYS, NODE_DAYS, term
from node.storage.certificates import CertificateRequest
from node.storage.database import Session
from node.storage.offices import Link, Office
from node.workflow import audit, certificates, outbox, standing
from node.workflow.desk import Desk
from protocol import certificates as forms
from protocol.identifiers import NodeId
from protocol.messages.trust import Certificate

log = structlog.get_logger()

POLICY = "policy"


class Certifier:
    """Carries out what was asked of, and decided at, one office."""

    def __init__(self, desk: Desk, ring: KeyRing, settings: CertificateSettings) -> None:
        self._desk = desk
        self._ring = ring
        self._settings = settings

    async def step(self) -> bool:
        """Decide on, or answer, one request; whether there was one."""
        now = self._desk.clock()
        async with self._desk.database.reading() as session:
            if (
                await _oldest(session, "asked") is None
                and await _oldest(session, "approved") is None
            ):
                return False
        # 1.
        async with self._desk.database.writing.begin() as session:
            row = await _oldest(session, "asked", lock=True)
            if row is not None:
                approved = self._settings.renewal == "automatic" and await _good(session, row.peer)
                state = "approved" if approved else "waiting"
                certificates.decide(session, row, now, state=state, by=POLICY)
                log.info("certificate.asked", peer=row.peer, state=state)
                return True
        async with self._desk.database.reading() as session:
            row = await _oldest(session, "approved")
        if row is None:
            return False
        # 2. A passphrase takes a quarter of a second to try.
        answer, issued = await asyncio.to_thread(self._issue, row, now)
        # 3.
        async with self._desk.database.writing.begin() as session:
            current = await session.get_one(CertificateRequest, row.id, with_for_update=True)
            if current.state != "approved":
                return True
            current.state = "answered"
            peer = NodeId(row.peer)
            standing.issued(session, peer, issued, now)
            outbox.post(session, self._desk, answer, to=peer, now=now, causation=row.id)
            audit.note(session, now, actor=POLICY, action="certificate_issued", subject=peer)
        log.info("certificate.issued", peer=row.peer)
        return True

    def _issue(
        self, row: CertificateRequest, now: datetime
    ) -> tuple[Certificate, list[tuple[str, x509.Certificate]]]:
        issuer, above, roots = self._ring.issuer(), self._ring.issuers(), self._ring.roots()
        asked = x509.load_der_x509_csr(row.request)
        leaf = forms.node_certificate(asked, issuer, term(now, NODE_DAYS))
        issued, issuing = [("node", leaf)], None
        if row.issuing is not None:
            present = x509.load_der_x509_certificate(row.issuing)
            issuing = forms.renewed_issuing(present, issuer, term(now, ISSUING_DAYS))
            issued.append(("issuing", issuing))
        below_root = [c for c in above if c.issuer != c.subject]
        answer = Certificate(
            chain=texts([leaf, *below_root]),
            issuing=None if issuing is None else texts([issuing])[0],
            roots=texts(roots),
        )
        return answer, issued


def texts(found: Sequence[x509.Certificate]) -> tuple[str, ...]:
    """Certificates as messages carry them."""
    return tuple(base64.b64encode(c.public_bytes(Encoding.DER)).decode() for c in found)


async def _oldest(session: Session, state: str, *, lock: bool = False) -> CertificateRequest | None:
    query = (
        select(CertificateRequest)
        .where(CertificateRequest.state == state)
        .order_by(CertificateRequest.asked_at, CertificateRequest.id)
        .limit(1)
    )
    found: CertificateRequest | None = await session.scalar(
        query.with_for_update() if lock else query
    )
    return found


async def _good(session: Session, peer: str) -> bool:
    office, link = await session.get(Office, peer), await session.get(Link, peer)
    return (
        office is not None
        and office.relation == "child"
        and link is not None
        and link.paused_at is None
        and link.barred is None
    )
