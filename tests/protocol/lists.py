"""Revocation lists of the offices in `scene`, honest unless a test asks for something else."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from protocol import revocation_list
from protocol.keys import P256Signer
from protocol.messages.trust import RevocationList, RevokedCertificate
from protocol.revocation import Revoked
from protocol.trust import Chains, serial_of
from tests import authorities
from tests.authorities import Office
from tests.factories import NOW


def issuing_signer(office: Office) -> P256Signer:
    """The office's issuing key, with the chain of its certificate."""
    assert office.issuer is not None
    chain = office.issuers or (authorities.der(office.issuer.certificate),)
    return P256Signer(office.issuer.key, chain)


def entry(office: Office, *, issuing: bool = False, **changed: Any) -> RevokedCertificate:
    """That the office's certificate was revoked an hour ago."""
    certificate = office.certificate
    if issuing:
        assert office.issuer is not None
        certificate = office.issuer.certificate
    right = {
        "serial": serial_of(certificate),
        "node": office.id,
        "at": NOW - timedelta(hours=1),
        "reason": "密钥被盗",
    }
    return RevokedCertificate.model_validate(right | changed)


def make_list(issuer: Office, *revoked: RevokedCertificate, **changed: Any) -> RevocationList:
    """The issuer's list."""
    right = {
        "issuer": issuer.id,
        "number": 1,
        "issued_at": NOW,
        "next_update": NOW + timedelta(days=14),
        "revoked": revoked,
    }
    return RevocationList.model_validate(right | changed)


def sealed(
    issuer: Office, *revoked: RevokedCertificate, signer: P256Signer | None = None, **changed: Any
) -> bytes:
    """The list, signed with the issuing key or by whomever."""
    content = make_list(issuer, *revoked, **changed)
    return revocation_list.seal(content, signer or issuing_signer(issuer), incarnation=1)


def knowing(office: Office, *tokens: bytes) -> Chains:
    """The office's chains, with these lists known."""
    chains = Chains([office.root])
    opened = [revocation_list.open_list(token, chains=chains) for token in tokens]
    chains.revoked = Revoked(one.known for one in opened)
    return chains


def since(hours: float) -> datetime:
    """So many hours ago."""
    return NOW - timedelta(hours=hours)
