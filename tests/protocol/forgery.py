"""Tokens and certificates that break one rule, and are right in everything else.

`sign` signs any header over any payload; `header` is the right header of a signer; `edit` changes
members of a payload. `certificate` makes a certificate as `protocol.certificates` does, with the
parts that are named replaced.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from protocol import certificates
from protocol.certificates import Issuer
from protocol.envelope import TYPE
from protocol.identifiers import node_id, urn
from protocol.keys import P256Signer, Signer
from tests import authorities
from tests.authorities import Office
from tests.factories import NOW

URLSAFE = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def encode(data: bytes) -> bytes:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def decode(segment: bytes) -> bytes:
    """What a segment holds."""
    return base64.urlsafe_b64decode(segment + b"=" * (-len(segment) % 4))


def respell(segment: bytes) -> bytes:
    """Another base64url text of the same bytes: bits that nobody reads are set otherwise."""
    assert len(segment) % 4, "a segment of whole groups has no unread bits"
    position = URLSAFE.index(segment[-1])
    other = segment[:-1] + URLSAFE[position ^ 1 : (position ^ 1) + 1]
    assert other != segment
    assert decode(other) == decode(segment)
    return other


def header(signer: Signer, *, at: datetime = NOW, **members: Any) -> dict[str, Any]:
    """The right header, with members replaced or added; None takes a member out."""
    right = {
        "alg": signer.algorithm,
        "typ": TYPE,
        "iat": int(at.timestamp()),
        "inc": 1,
        "x5c": [base64.b64encode(der).decode() for der in signer.chain],
    }
    return {name: value for name, value in (right | members).items() if value is not None}


def sign(head: dict[str, Any] | bytes, payload: bytes, signer: Signer) -> bytes:
    """A token over exactly this header and payload."""
    text = head if isinstance(head, bytes) else json.dumps(head).encode()
    signing_input = encode(text) + b"." + encode(payload)
    return signing_input + b"." + encode(signer.sign(signing_input))


def edit(payload: bytes, **members: Any) -> bytes:
    """The event with members replaced or added; None takes a member out."""
    content = json.loads(payload) | members
    kept = {name: value for name, value in content.items() if value is not None}
    return json.dumps(kept, ensure_ascii=False).encode()


@dataclass(frozen=True)
class Shape:
    """What a certificate says, where it differs from the rules."""

    names: Sequence[x509.GeneralName] | None = None
    usage: x509.ExtendedKeyUsage | None = certificates.USAGE
    ca: bool = False
    path_length: int | None = None
    signs: bool = True
    states_usage: bool = True
    not_before: datetime = NOW - timedelta(days=1)
    not_after: datetime = NOW + timedelta(days=365)


def certificate(
    name: str, key: ec.EllipticCurvePublicKey, issuer: Issuer, shape: Shape
) -> x509.Certificate:
    """A certificate for the name and key in the given shape."""
    names = shape.names
    if names is None:
        names = [uri(urn(node_id(name)))]
    common_name = f"{name} issuing" if shape.ca else name
    builder = (
        x509.CertificateBuilder()
        .subject_name(
            x509.Name(
                [
                    x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Zhitong"),
                    x509.NameAttribute(NameOID.COMMON_NAME, common_name),
                ]
            )
        )
        .issuer_name(issuer.certificate.subject)
        .public_key(key)
        .serial_number(77)
        .not_valid_before(shape.not_before)
        .not_valid_after(shape.not_after)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()),
            critical=False,
        )
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if shape.usage is not None:
        builder = builder.add_extension(shape.usage, critical=False)
    if shape.states_usage:
        constraints = x509.BasicConstraints(ca=shape.ca, path_length=shape.path_length)
        builder = builder.add_extension(constraints, critical=True)
        builder = builder.add_extension(_key_usage(shape), critical=True)
    return builder.sign(issuer.key, SHA256(), ecdsa_deterministic=True)


def signer(name: str, office: Office, shape: Shape) -> P256Signer:
    """A signer whose own certificate, issued by the office, has the shape."""
    assert office.issuer is not None
    secret = authorities.key(f"/{name}/node")
    own = certificate(name, secret.public_key(), office.issuer, shape)
    return P256Signer(secret, (authorities.der(own), *office.issuers))


def signer_below(name: str, hub: Office, above: Office, shape: Shape) -> P256Signer:
    """A signer with a right certificate, whose issuer's certificate has the shape."""
    assert hub.issuer is not None
    assert above.issuer is not None
    issuing = certificate(hub.id, hub.issuer.key.public_key(), above.issuer, shape)
    secret = authorities.key(f"/{name}/node")
    own = certificate(name, secret.public_key(), Issuer(issuing, hub.issuer.key), Shape())
    chain = (authorities.der(own), authorities.der(issuing), *above.issuers)
    return P256Signer(secret, chain)


def uri(text: str) -> x509.UniformResourceIdentifier:
    """A name for `Shape.names`."""
    return x509.UniformResourceIdentifier(text)


def _key_usage(shape: Shape) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=shape.signs,
        content_commitment=shape.signs,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=shape.ca,
        crl_sign=shape.ca,
        encipher_only=False,
        decipher_only=False,
    )
