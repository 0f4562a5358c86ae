"""Deliveries to the city that break one rule of the envelope, and are right in everything else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from node.keys import file as keys
from protocol import certificates
from protocol.certificates import Issuer, Term
from protocol.envelope import BEHIND, MAXIMUM_TOKEN
from protocol.keys import P256Signer
from tests import authorities
from tests.factories import make_feedback
from tests.node.relay.ends import CITY, COUNTY, SIBLING, Ends
from tests.protocol.forgery import edit

Forge = Callable[[Ends], bytes]


def honest(ends: Ends, **overrides: Any) -> bytes:
    """A submission of the county, as it should be."""
    item = ends.county.item()
    return ends.county.seal(item, CITY, subject=ends.county.new_id(), **overrides)


def edited(ends: Ends, **members: Any) -> bytes:
    """The submission, members of its event changed before it was signed."""
    payload = ends.county.payload(ends.county.item(), CITY, subject=ends.county.new_id())
    return ends.county.seal(edit(payload, **members), CITY)


def certified(ends: Ends, name: str, issuer: Issuer, above: tuple[bytes, ...], term: Term) -> Any:
    """A signer whose certificate the issuer made."""
    key = authorities.key(f"{name}/forged")
    asked = certificates.request(authorities.node_id(name), key)
    leaf = certificates.node_certificate(asked, issuer, term)
    return P256Signer(key, (authorities.der(leaf), *above))


def issuer_of(ends: Ends, office: str) -> Issuer:
    """The issuing certificate of a hub of the hierarchy, with its key."""
    settings = ends.hierarchy.settings(office)
    [certificate] = keys.read_certificates(settings.path(settings.keys.issuing_chain))
    return Issuer(
        certificate, keys.read_private_key(settings.path(settings.keys.issuing_key), None)
    )


def from_a_wrong_path(ends: Ends) -> bytes:
    """The name is right and the chain leads to the root, but through the sibling county."""
    key = ec.generate_private_key(ec.SECP256R1())
    asked = certificates.request(SIBLING, key)
    term = Term(ends.clock.now, 30, 4711)
    issuing = certificates.issuing_certificate(asked, issuer_of(ends, CITY), term)
    signer = certified(ends, COUNTY, Issuer(issuing, key), (authorities.der(issuing),), term)
    return honest(ends, signer=signer)


def with_an_expired_certificate(ends: Ends) -> bytes:
    term = Term(ends.clock.now - timedelta(days=60), 30, 4712)
    return honest(ends, signer=certified(ends, COUNTY, issuer_of(ends, CITY), (), term))


def from_another_hierarchy(ends: Ends) -> bytes:
    """The same names and the same depth below another root."""
    others = authorities.line(CITY, COUNTY, now=ends.clock.now)
    return honest(ends, signer=others[COUNTY].signer)


def signed_too_long_ago(ends: Ends) -> bytes:
    token = honest(ends)
    ends.wait((BEHIND + timedelta(minutes=1)).total_seconds())
    return token


def unsigned(ends: Ends) -> bytes:
    return honest(ends).rpartition(b".")[0] + b"."


def with_another_payload(ends: Ends) -> bytes:
    head, _, signature = honest(ends).split(b".")
    return b".".join((head, honest(ends).split(b".")[1], signature))


UNPROVEN: dict[str, tuple[str, Forge]] = {
    "not JSON": ("envelope.malformed", lambda ends: b"hello"),
    "empty": ("envelope.malformed", lambda ends: b""),
    "binary": ("envelope.malformed", lambda ends: bytes(range(256))),
    "not signed": ("envelope.signature", unsigned),
    "signed content that is not JSON": (
        "envelope.payload",
        lambda ends: ends.county.seal(b"hello", CITY),
    ),
    "another payload under the signature": ("envelope.signature", with_another_payload),
    "signed by a stranger": ("envelope.chain", from_another_hierarchy),
    "signed by a sibling in the county's name": (
        "envelope.source",
        lambda ends: honest(ends, signer=ends.signer(SIBLING)),
    ),
    "from a wrong path": ("envelope.stranger", from_a_wrong_path),
    "an expired certificate": ("envelope.expired", with_an_expired_certificate),
    "for another recipient": (
        "envelope.recipient",
        lambda ends: ends.county.seal(ends.county.item(), SIBLING, subject=ends.county.new_id()),
    ),
    "too large": ("envelope.too_large", lambda ends: b"a" * (MAXIMUM_TOKEN + 1)),
    "of an unknown type": (
        "envelope.type",
        lambda ends: edited(ends, type="cn.zhitong.unheard_of.v1"),
    ),
    "of an unknown major version": (
        "envelope.type",
        lambda ends: edited(ends, type="cn.zhitong.submission.v2"),
    ),
    "in the wrong direction": (
        "envelope.direction",
        lambda ends: ends.county.seal(make_feedback(), CITY, subject=ends.county.new_id()),
    ),
    "with data that do not fit": ("envelope.data", lambda ends: edited(ends, data={"title": ""})),
    "signed too long ago": ("envelope.time", signed_too_long_ago),
    "signed in the future": (
        "envelope.time",
        lambda ends: honest(ends, at=ends.clock.now + timedelta(hours=1)),
    ),
}
