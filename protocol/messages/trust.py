"""What travels about trust itself: who exists, certificates, revocations, purges."""

from __future__ import annotations

from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, StrictBool, StringConstraints, model_validator

from protocol.messages.items import Token
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


MOST_REVOKED = 800
"""With reasons of full length, a list of so many can still be carried."""


class RevokedCertificate(Record):
    """A certificate that no longer counts; with `hold`, until a later list leaves it out."""

    serial: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{1,40}$")]
    node: NodeName
    at: Time
    compromised_since: Time | None = None
    hold: StrictBool = False
    reason: Line

    @model_validator(mode="after")
    def _compromised_before(self) -> Self:
        if self.compromised_since is not None and self.compromised_since > self.at:
            raise ValueError("a key is revoked after it was compromised")
        return self


class RevocationList(Record):
    """All that an issuing office has revoked; a higher number replaces a lower one.

    It is no message: it is signed by the issuing key, and travels inside `Revocations`.
    """

    issuer: NodeName
    number: int = Field(ge=1, le=BIGGEST, strict=True)
    issued_at: Time
    next_update: Time
    revoked: Annotated[tuple[RevokedCertificate, ...], Field(max_length=MOST_REVOKED)]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.next_update <= self.issued_at:
            raise ValueError("the next list is due after this one")
        if len({entry.serial for entry in self.revoked}) != len(self.revoked):
            raise ValueError("a serial number stands there twice")
        return self


class Revocations(Record):
    """A revocation list as its issuer signed it, whoever hands it on."""

    list: Token


class NewIssuers(Record):
    """An office's new chain, told to those that it certified; a higher number replaces a lower one.

    It is no message: it is signed by the issuing key, and travels inside `Issuers`. `roots` are new
    ones (DER); `above` is the statement by which the office learned of them itself.
    """

    office: NodeName
    number: int = Field(ge=1, le=BIGGEST, strict=True)
    issued_at: Time
    roots: Annotated[tuple[Der, ...], Field(max_length=8)] = ()
    above: Token | None = None


class Issuers(Record):
    """A statement about the sender's new issuers, as its issuing key signed it."""

    statement: Token


class Purge(Record):
    """Erase the item's contents."""

    reason: Text


class Purged(Record):
    """The contents were erased: by the sender, or by the `office` that told the sender so."""

    purge: UUID
    at: Time
    office: NodeName | None = None
