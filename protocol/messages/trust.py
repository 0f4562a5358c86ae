"""What travels about trust itself: who exists, certificates, revocations, purges."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from protocol.offices import (
    BIGGEST,
    Base64,
    Level,
    Line,
    NodeName,
    Record,
    Text,
    Time,
)

Der = Annotated[Base64, StringConstraints(max_length=16_384)]
"""A certificate or a request, DER in base64."""


class DirectoryEntry(Record):
    """One office of the hierarchy."""

    id: NodeName
    name: Line
    level: Level
    parent: NodeName | None = None
    region_code: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")] | None = None


class Directory(Record):
    """Who exists."""

    offices: Annotated[tuple[DirectoryEntry, ...], Field(max_length=5_000)]


class CertificateRequest(Record):
    """A request for a new certificate (DER, PKCS #10), signed by the old key.

    `issuing` is the sender's issuing certificate, to be renewed on its own key.
    """

    request: Der
    issuing: Der | None = None


class Certificate(Record):
    """A renewed certificate and its issuers below the root (DER, leaf first).

    `issuing` is the recipient's issuing certificate, renewed under the same issuers; `roots` are
    the certificates of the root's key.
    """

    chain: Annotated[tuple[Der, ...], Field(min_length=1, max_length=8)]
    issuing: Der | None = None
    roots: Annotated[tuple[Der, ...], Field(max_length=8)] = ()


class RevokedCertificate(Record):
    """A certificate that no longer counts."""

    serial: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{1,40}$")]
    node: NodeName
    at: Time
    compromised_since: Time | None = None
    reason: Line


class Revocations(Record):
    """All that an issuing office has revoked; a higher number replaces a lower one."""

    issuer: NodeName
    number: int = Field(ge=1, le=BIGGEST, strict=True)
    issued_at: Time
    next_update: Time
    revoked: Annotated[tuple[RevokedCertificate, ...], Field(max_length=5_000)]


class Purge(Record):
    """Erase the item's contents."""

    reason: Text


class Purged(Record):
    """The contents were erased: by the sender, or by the `office` that told the sender so."""

    purge: UUID
    at: Time
    office: NodeName | None = None
