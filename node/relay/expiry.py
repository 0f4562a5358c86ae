"""Warnings before this office's certificates end: 60, 30 and 7 days before, each said once.

A chain ends with the first of its certificates, so an office is also warned of what its neighbours
above must renew first. The log line is the warning; the row remembers that it was said.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import structlog
from cryptography import x509

from node.keys import file
from node.keys.ring import KeyRing
from node.storage.certificates import ExpiryWarning
from node.workflow import audit
from node.workflow.desk import Desk
from protocol import certificates

log = structlog.get_logger()

THRESHOLDS = (7, 30, 60)


class ExpiryWatch:
    """Looks at the certificates of one office."""

    def __init__(self, desk: Desk, ring: KeyRing) -> None:
        self._desk = desk
        self._ring = ring

    async def step(self) -> bool:
        """Say what is to be said. Never says that there is more to do."""
        now = self._desk.clock()
        files = (self._ring.node_chain, self._ring.issuing_chain, self._ring.root)
        first = [ends_first(file.read_certificates(path)) for path in files if path.exists()]
        async with self._desk.database.writing.begin() as session:
            for certificate in dict.fromkeys(first):
                days = days_left(certificate, now)
                due = next((threshold for threshold in THRESHOLDS if days < threshold), None)
                serial = f"{certificate.serial_number:x}"
                if due is None or await session.get(ExpiryWarning, (serial, due)) is not None:
                    continue
                session.add(ExpiryWarning(serial=serial, days=due, said_at=now))
                office = certificates.node_of(certificate.extensions)
                until = certificate.not_valid_after_utc.isoformat()
                audit.note(
                    session,
                    now,
                    actor="system",
                    action="certificate_expiring",
                    subject=office,
                    until=until,
                )
                log.warning("certificate.expiring", office=office, days=days, until=until)
        return False


def ends_first(chain: Sequence[x509.Certificate]) -> x509.Certificate:
    """The certificate of a chain that ends before the others."""
    return min(chain, key=lambda certificate: certificate.not_valid_after_utc)


def days_left(certificate: x509.Certificate, now: datetime) -> int:
    """Whole days until the certificate ends; below zero where it has ended."""
    return (certificate.not_valid_after_utc - now).days
