"""Certificates that are renewed: what is asked above, what is asked from below, what was said."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from node.storage.base import Base


class Renewal(Base):
    """A renewal of this office's own certificates: wanted → asked → arrived → done.

    At most one is open. `key` is the digest of the new public key. `answer` holds the data of the
    message that brought the certificates, until they are in place.
    """

    __tablename__ = "renewals"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(String(10))
    wanted_at: Mapped[datetime]
    wanted_by: Mapped[str] = mapped_column(String(60))
    asked_at: Mapped[datetime | None]
    key: Mapped[str | None] = mapped_column(String(64))
    answer: Mapped[str | None] = mapped_column(Text)
    done_at: Mapped[datetime | None]

    __table_args__ = (
        # The relay goes on with the one that is open.
        Index(
            "ix_renewals_open",
            "state",
            postgresql_where=text("state <> 'done'"),
            sqlite_where=text("state <> 'done'"),
        ),
    )


class CertificateRequest(Base):
    """A child's wish for a new certificate; `id` is that of its message.

    `state` is asked, then by the office's policy approved or waiting for an administrator, who
    approves or refuses; approved ones are answered by the relay. A newer request of the same
    office has those that still wait replaced.
    """

    __tablename__ = "certificate_requests"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    peer: Mapped[str] = mapped_column(String(40))
    request: Mapped[bytes] = mapped_column(LargeBinary)
    issuing: Mapped[bytes | None] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(String(10))
    asked_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None] = mapped_column(String(60))
    reason: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        # The relay decides on, and answers, the oldest.
        Index(
            "ix_certificate_requests_open",
            "asked_at",
            postgresql_where=text("state in ('asked', 'approved')"),
            sqlite_where=text("state in ('asked', 'approved')"),
        ),
    )


class ExpiryWarning(Base):
    """That a certificate ends within so many days was said."""

    __tablename__ = "expiry_warnings"

    serial: Mapped[str] = mapped_column(String(40), primary_key=True)
    days: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    said_at: Mapped[datetime]


class IssuedCertificate(Base):
    """A certificate that this office issued to an office below. `kind` is node or issuing."""

    __tablename__ = "issued_certificates"

    serial: Mapped[str] = mapped_column(String(40), primary_key=True)
    node: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(10))
    issued_at: Mapped[datetime]
    not_after: Mapped[datetime]

    # Revoking an office revokes all that it was issued.
    __table_args__ = (Index("ix_issued_certificates_node", "node"),)
