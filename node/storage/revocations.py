"""What this office has revoked, and the newest revocation list of every issuing key."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from node.storage.base import Base


class RevokedCertificate(Base):
    """A certificate of an office below that this office revoked, or, with `hold`, suspended.

    The next list is made of these rows. A hold is taken away when it is lifted; nothing else is.
    """

    __tablename__ = "revoked_certificates"

    serial: Mapped[str] = mapped_column(String(40), primary_key=True)
    node: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]
    compromised_since: Mapped[datetime | None]
    hold: Mapped[bool]
    reason: Mapped[str] = mapped_column(Text)


class RevocationList(Base):
    """The newest list of an issuing key (`key` is its digest), as that key signed it."""

    __tablename__ = "revocation_lists"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    issuer: Mapped[str] = mapped_column(String(40))
    number: Mapped[int] = mapped_column(BigInteger)
    token: Mapped[bytes] = mapped_column(LargeBinary)
    received_at: Mapped[datetime]
