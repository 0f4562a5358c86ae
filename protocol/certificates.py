"""X.509 certificates of offices: requests, roots, node and issuing certificates.

Rules, which `trust` demands of every certificate it meets: P-256; exactly one urn as URI SAN;
an extended key usage; issuing certificates with a path length, node certificates without the
right to issue. A hub's broker has a server certificate, which names hosts besides, and trusts the
twin of the hub's issuing certificate: neither can sign a message. Certificates are back-dated by
a day, for clocks apart. Serial numbers and time are handed in, and signatures are deterministic,
so the same call makes the same certificate; who may get a certificate is decided elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from protocol.errors import CertificateError
from protocol.identifiers import NodeId, node_of_urn, urn

BACK_DATED = timedelta(hours=24)
MAXIMUM_DEPTH = 6
"""Offices between the root and a leaf, both counted."""

DOCUMENT_SIGNING = ObjectIdentifier("1.3.6.1.5.5.7.3.36")
"""id-kp-documentSigning (RFC 9336)."""

USAGE = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, DOCUMENT_SIGNING])
ISSUING_USAGE = x509.ExtendedKeyUsage([*USAGE, ExtendedKeyUsageOID.SERVER_AUTH])
"""What an issuing certificate passes on: TLS takes the usage of issuers as a limit."""

_LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
HOST = re.compile(rf"{_LABEL}([.]{_LABEL})*", re.ASCII)
LONGEST_HOST = 253
HOST_NAMES = (x509.DNSName, x509.IPAddress)

SERVER_USAGE = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])


@dataclass(frozen=True)
class Issuer:
    """An issuing certificate with its private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Term:
    """When a certificate counts, and its serial number."""

    now: datetime
    days: int
    serial: int


def request(node: NodeId, key: ec.EllipticCurvePrivateKey) -> x509.CertificateSigningRequest:
    """A request (PKCS #10) by which the node asks for a certificate on this key."""
    return (
        x509.CertificateSigningRequestBuilder()
        .subject_name(_name(node))
        .add_extension(_alternative_name(node), critical=False)
        .sign(key, SHA256(), ecdsa_deterministic=True)
    )


def root(node: NodeId, key: ec.EllipticCurvePrivateKey, term: Term) -> x509.Certificate:
    """The self-signed issuing certificate of a top office."""
    name = _name(node, "issuing")
    builder = _builder(name, name, key.public_key(), key.public_key(), term)
    return _as_issuing(builder, node, MAXIMUM_DEPTH - 2).sign(
        key, SHA256(), ecdsa_deterministic=True
    )


def node_certificate(
    asked: x509.CertificateSigningRequest, issuer: Issuer, term: Term
) -> x509.Certificate:
    """The certificate with which a node signs messages. Raises `CertificateError`."""
    node, public_key = asked_for(asked)
    builder = _builder(
        _name(node), issuer.certificate.subject, public_key, issuer.key.public_key(), term
    )
    return (
        builder.add_extension(_alternative_name(node), critical=False)
        .add_extension(USAGE, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signature=True), critical=True)
        .sign(issuer.key, SHA256(), ecdsa_deterministic=True)
    )


def issuing_certificate(
    asked: x509.CertificateSigningRequest, issuer: Issuer, term: Term
) -> x509.Certificate:
    """The certificate with which a hub certifies its children. Raises `CertificateError`."""
    node, public_key = asked_for(asked)
    limits = issuer.certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    if not limits.path_length:
        raise CertificateError(
            f"{node} would stand too deep: the office above may not certify another hub"
        )
    builder = _builder(
        _name(node, "issuing"),
        issuer.certificate.subject,
        public_key,
        issuer.key.public_key(),
        term,
    )
    return _as_issuing(builder, node, limits.path_length - 1).sign(
        issuer.key, SHA256(), ecdsa_deterministic=True
    )


def renewed_issuing(present: x509.Certificate, issuer: Issuer, term: Term) -> x509.Certificate:
    """A hub's issuing certificate, renewed on its own key. Raises `CertificateError`.

    It counts from when the present one did, so that what was signed under that one fits it too.
    """
    limits = issuer.certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    if not limits.path_length:
        raise CertificateError("the office above may not certify another hub")
    node = node_of(present.extensions)
    builder = _builder(
        present.subject,
        issuer.certificate.subject,
        _p256(present.public_key()),
        issuer.key.public_key(),
        term,
        since=present.not_valid_before_utc,
    )
    return _as_issuing(builder, node, limits.path_length - 1).sign(
        issuer.key, SHA256(), ecdsa_deterministic=True
    )


def renewed_root(present: Issuer, term: Term) -> x509.Certificate:
    """The root, renewed on its own key. It counts from when the present one did."""
    name, key = present.certificate.subject, present.key.public_key()
    since = present.certificate.not_valid_before_utc
    node = node_of(present.certificate.extensions)
    builder = _builder(name, name, key, key, term, since=since)
    return _as_issuing(builder, node, MAXIMUM_DEPTH - 2).sign(
        present.key, SHA256(), ecdsa_deterministic=True
    )


def server_certificate(
    node: NodeId,
    public_key: ec.EllipticCurvePublicKey,
    hosts: Sequence[str],
    issuer: Issuer,
    term: Term,
) -> x509.Certificate:
    """The certificate of a hub's broker, under these names and addresses.

    It proves a broker and signs no message. Raises `CertificateError` for a host that is none.
    """
    if not hosts:
        raise CertificateError("a server certificate needs the name under which it is dialled")
    names = [x509.UniformResourceIdentifier(urn(node)), *map(_host, hosts)]
    subject, above = _name(node, "broker"), issuer.key.public_key()
    builder = _builder(subject, issuer.certificate.subject, public_key, above, term)
    return (
        builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(SERVER_USAGE, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signature=True, commitment=False), critical=True)
        .sign(issuer.key, SHA256(), ecdsa_deterministic=True)
    )


def twin(issuer: Issuer, serial: int) -> x509.Certificate:
    """The issuing certificate signed by itself, for as long: what the hub's broker trusts.

    It leads to the certificates that the hub itself issued and, by its path length, no further.
    """
    present = issuer.certificate
    name, key = present.subject, issuer.key.public_key()
    since, until = present.not_valid_before_utc, present.not_valid_after_utc
    builder = _builder(name, name, key, key, Term(until, 0, serial), since=since)
    return _as_issuing(builder, node_of(present.extensions), 0).sign(
        issuer.key, SHA256(), ecdsa_deterministic=True
    )


def node_of(names: x509.Extensions, *, hosts: bool = False) -> NodeId:
    """The node that a certificate or request names, with or without hosts beside it.

    Raises `CertificateError`.
    """
    try:
        found = names.get_extension_for_class(x509.SubjectAlternativeName).value
        uris = found.get_values_for_type(x509.UniformResourceIdentifier)
        others = [name for name in found if not hosts or not isinstance(name, HOST_NAMES)]
        if len(others) != 1 or len(uris) != 1:
            raise CertificateError("a certificate must carry exactly one name, a urn")
        return node_of_urn(uris[0])
    except (x509.ExtensionNotFound, ValueError) as error:
        raise CertificateError(f"a certificate names no node: {error}") from error


def asked_for(
    asked: x509.CertificateSigningRequest,
) -> tuple[NodeId, ec.EllipticCurvePublicKey]:
    """The node and the key of a request that the key signed. Raises `CertificateError`."""
    public_key = _p256(asked.public_key())
    try:
        valid = asked.is_signature_valid
    except InvalidSignature:  # pragma: no cover - some backends raise instead of answering
        valid = False
    if not valid:
        raise CertificateError("the request is not signed by the key that it names")
    return node_of(asked.extensions), public_key


def _p256(key: object) -> ec.EllipticCurvePublicKey:
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise CertificateError("the request's key is not on the curve P-256")
    return key


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    issuer_key: ec.EllipticCurvePublicKey,
    term: Term,
    *,
    since: datetime | None = None,
) -> x509.CertificateBuilder:
    now = term.now.replace(microsecond=0)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(term.serial)
        .not_valid_before(since or now - BACK_DATED)
        .not_valid_after(now + timedelta(days=term.days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False
        )
    )


def _as_issuing(
    builder: x509.CertificateBuilder, node: NodeId, path_length: int
) -> x509.CertificateBuilder:
    limits = x509.BasicConstraints(ca=True, path_length=path_length)
    return (
        builder.add_extension(_alternative_name(node), critical=False)
        .add_extension(ISSUING_USAGE, critical=False)
        .add_extension(limits, critical=True)
        .add_extension(_key_usage(signature=False), critical=True)
    )


def _key_usage(*, signature: bool, commitment: bool = True) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signature,
        content_commitment=signature and commitment,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=not signature,
        crl_sign=not signature,
        encipher_only=False,
        decipher_only=False,
    )


def _name(node: NodeId, what: str | None = None) -> x509.Name:
    common_name = f"{node} {what}" if what else node
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Zhitong"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _alternative_name(node: NodeId) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([x509.UniformResourceIdentifier(urn(node))])


def _host(host: str) -> x509.GeneralName:
    with suppress(ValueError):
        return x509.IPAddress(ip_address(host))
    if len(host) > LONGEST_HOST or not HOST.fullmatch(host):
        raise CertificateError(f"{host!r} is neither the name nor the address of a host")
    return x509.DNSName(host)
