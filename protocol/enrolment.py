"""How an office comes below another one: the token it is handed, its request, the welcome it gets.

A token is made above and handed over by people, on paper or over the telephone. It carries a
secret, which opens one request, and the digest of the root certificate, to which the welcome must
then lead. A request holds PKCS #10 requests, signed by the keys that they name. Both ends show the
request's fingerprint, so that two people can compare it. A welcome is one JWS compact token, signed
with the issuing key of the office above. How they are carried is not decided here.

A request is checked in this order (`examine`):

 1. Its PKCS #10 requests can be read, and their own keys signed them.   RequestError
 2. They name the office that the request says.                          RequestError
 3. The issuing key is not the node's key. A root that is named is this
    office's own, on the issuing key.                                    RequestError

and a welcome in this one (`open_welcome`):

 4. It is a welcome.                                                     WelcomeError
 5. Its root is the one that was named beforehand.                       RootError
 6. Its certificates lead to that root.                                  WelcomeError
 7. They name this office, below the office that the welcome says,       WelcomeError
    and no office stands in them twice.                                  PathError
 8. They are on this office's keys.                                      WelcomeError
 9. The office above signed it with its issuing key.                     WelcomeError
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from typing import Annotated, Literal

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from protocol import certificates
from protocol.certificates import asked_for
from protocol.errors import (
    CertificateError,
    PathError,
    ProtocolError,
    RequestError,
    RootError,
    TokenError,
    WelcomeError,
)
from protocol.identifiers import Digest, NodeId, digest
from protocol.offices import OfficeReference
from protocol.trust import Chains, IssuingOffice, issuing_office, key_digest

PREFIX = "ZT1"
SECRET_BYTES = 16
CHECK_BYTES = 2
GROUP = 5
"""Characters between hyphens in a token."""

ALGORITHM = "ES256"
LARGEST_WELCOME = 65_536

Pem = Annotated[str, StringConstraints(max_length=16_384)]
RegionCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]

_UNREADABLE = (
    ValueError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    CertificateError,
)


@dataclass(frozen=True)
class Token:
    """What an administrator hands over. `root` is the SHA-256 of the root certificate (DER)."""

    secret: bytes
    root: Digest

    def __str__(self) -> str:
        content = self.secret + bytes.fromhex(self.root)
        text = base64.b32encode(content + _check(content)).decode()
        return "-".join([PREFIX, *_groups(text, GROUP)])


def read_token(text: str) -> Token:
    """A token as somebody typed it: in any case, with or without hyphens. Raises `TokenError`."""
    plain = "".join(text.replace("-", "").split()).upper()
    if not plain.startswith(PREFIX):
        raise TokenError(f"a token begins with {PREFIX}")
    try:
        # Whoever types a 0 or a 1 has read O or I: neither digit is in the alphabet.
        raw = base64.b32decode(plain.removeprefix(PREFIX), map01="I")
    except binascii.Error as error:
        raise TokenError("the token is not whole, or a character is mistyped") from error
    content, check = raw[:-CHECK_BYTES], raw[-CHECK_BYTES:]
    if len(content) != SECRET_BYTES + hashlib.sha256().digest_size or _check(content) != check:
        raise TokenError("the token is not whole, or a character is mistyped")
    return Token(content[:SECRET_BYTES], Digest(content[SECRET_BYTES:].hex()))


def spell(fingerprint: Digest) -> str:
    """A fingerprint in groups of four, to be read out."""
    return " ".join(_groups(fingerprint, 4))


class Form(BaseModel):
    """A file of enrolment; what it does not know, it refuses."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Request(Form):
    """What an office asks of the office above; a hub asks for an issuing certificate too."""

    format: Literal["zhitong-request-1"] = "zhitong-request-1"
    office: OfficeReference
    region_code: RegionCode | None = None
    node: Pem
    issuing: Pem | None = None
    root: Pem | None = None
    """Of an office that was a top until now: its own root, on the issuing key."""


class Welcome(Form):
    """What the office above answers. Certificates are PEM, the office's own first, without root.

    `broker` is the address that the office dials, in a JWE for its node key alone; it may hold the
    password of its account. Over TLS, the broker proves itself by the certificates of `servers`.
    """

    format: Literal["zhitong-welcome-1"] = "zhitong-welcome-1"
    office: NodeId
    parent: OfficeReference
    root: Pem
    node: list[Pem]
    issuing: list[Pem] | None
    broker: str | None


@dataclass(frozen=True)
class Asked:
    """A request whose signatures fit. `fingerprint` is what two people compare."""

    node: x509.CertificateSigningRequest
    issuing: x509.CertificateSigningRequest | None
    key: ec.EllipticCurvePublicKey
    fingerprint: Digest


def make_request(
    office: OfficeReference,
    region_code: str | None,
    node: ec.EllipticCurvePrivateKey,
    issuing: ec.EllipticCurvePrivateKey | None,
    *,
    root: str | None = None,
) -> Request:
    """The office's request, the same for the same keys. A top names its own root (PEM)."""
    return Request(
        office=office,
        region_code=region_code,
        node=_csr_pem(certificates.request(office.id, node)),
        issuing=None if issuing is None else _csr_pem(certificates.request(office.id, issuing)),
        root=root,
    )


def read_request(text: str | bytes) -> Request:
    """A request from a file. Raises `RequestError`."""
    try:
        return Request.model_validate_json(text)
    except ValidationError as error:
        raise RequestError("this is no request of an office") from error


def examine(request: Request) -> Asked:
    """Check a request. Raises `RequestError`. Whether the office may come is asked elsewhere."""
    node, key = _asked(request.node, request.office.id)
    if request.issuing is None:
        _demand_own_root(request, None)
        return Asked(node, None, key, fingerprint(key, None))
    issuing, issuing_key = _asked(request.issuing, request.office.id)
    # 3.
    if issuing_key == key:
        raise RequestError("the issuing key must be another one than the node's")
    _demand_own_root(request, issuing_key)
    return Asked(node, issuing, key, fingerprint(key, issuing_key))


def fingerprint(
    node: ec.EllipticCurvePublicKey, issuing: ec.EllipticCurvePublicKey | None
) -> Digest:
    """SHA-256 of the node's public key (DER), and of a hub's issuing key after it."""
    keys = [node] if issuing is None else [node, issuing]
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return digest(b"".join(key.public_bytes(*form) for key in keys))


def sign_welcome(welcome: Welcome, issuing: ec.EllipticCurvePrivateKey) -> str:
    """The welcome as it is carried."""
    key = ECKey.import_key(issuing)
    return jws.serialize_compact({"alg": ALGORITHM}, welcome.model_dump_json(), key)


def open_welcome(
    text: str,
    *,
    office: NodeId,
    node: ec.EllipticCurvePublicKey,
    issuing: ec.EllipticCurvePublicKey | None,
    root: Digest | None,
) -> Welcome:
    """The welcome that answers this office's request. Raises `WelcomeError`, `RootError`.

    Without a `root` that was named beforehand, compare `root_of` yourself: the welcome alone proves
    nothing about who sent it. The broker's address is not opened.
    """
    # 4.
    welcome = _unverified(text)
    try:
        anchor = x509.load_pem_x509_certificate(welcome.root.encode())
        chain = [x509.load_pem_x509_certificate(pem.encode()) for pem in welcome.node]
        lower = [x509.load_pem_x509_certificate(pem.encode()) for pem in welcome.issuing or []]
        leaf = chain[0]
    except (ValueError, IndexError) as error:
        raise WelcomeError("the welcome's certificates cannot be read") from error
    # 5.
    if root is not None and root_of(anchor) != root:
        raise RootError
    # 6.
    try:
        chains = Chains([anchor])
        der = tuple(c.public_bytes(Encoding.DER) for c in chain)
        path = chains.verify(der, leaf.not_valid_before_utc + certificates.BACK_DATED).path
        if lower:
            hub = chains.issued_beside(lower[0].public_bytes(Encoding.DER), der)
    except PathError:
        raise
    except (ProtocolError, ValueError) as error:
        raise WelcomeError("the welcome's certificates do not fit together") from error
    # 7.
    if (welcome.office, path.node) != (office, office) or (lower and hub.node != office):
        raise WelcomeError(f"this welcome is for {welcome.office}, not {office}")
    if path.issuers[-1].node != welcome.parent.id:
        raise WelcomeError(f"{path.issuers[-1].node} certified, and {welcome.parent.id} welcomes")
    # 8.
    if leaf.public_key() != node or (lower[0].public_key() if lower else None) != issuing:
        raise WelcomeError("the welcome answers another request than this folder's")
    # 9.
    above = chain[1] if len(chain) > 1 else anchor
    try:
        pem = above.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        jws.deserialize_compact(text, ECKey.import_key(pem), algorithms=[ALGORITHM])
    except (JoseError, ValueError) as error:
        raise WelcomeError("the office above did not sign this welcome") from error
    return welcome


def root_of(certificate: x509.Certificate) -> Digest:
    """By which digest a token names a root: SHA-256 of the certificate (DER)."""
    return digest(certificate.public_bytes(Encoding.DER))


def _unverified(text: str) -> Welcome:
    if len(text) > LARGEST_WELCOME:
        raise WelcomeError("this is no welcome from an office above: it is too large")
    try:
        _, payload, _ = text.split(".")
        content = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
        return Welcome.model_validate(json.loads(content))
    except (ValueError, RecursionError) as error:
        raise WelcomeError("this is no welcome from an office above") from error


def _asked(
    pem: str, office: NodeId
) -> tuple[x509.CertificateSigningRequest, ec.EllipticCurvePublicKey]:
    # 1.
    try:
        csr = x509.load_pem_x509_csr(pem.encode())
        node, key = asked_for(csr)
    except _UNREADABLE as error:
        raise RequestError(f"the request is not usable: {error}") from error
    # 2.
    if node != office:
        raise RequestError(f"the request of {office} asks for a certificate of {node}")
    return csr, key


def _demand_own_root(request: Request, issuing: ec.EllipticCurvePublicKey | None) -> None:
    # 3.
    if request.root is None:
        return
    try:
        root = x509.load_pem_x509_certificate(request.root.encode())
        holder = issuing_office(root)
        Chains([root]).verify_issuing((root.public_bytes(Encoding.DER),), root.not_valid_before_utc)
    except (*_UNREADABLE, ProtocolError) as error:
        raise RequestError(f"the root that it names is not usable: {error}") from error
    if issuing is None or holder != IssuingOffice(request.office.id, key_digest(issuing)):
        raise RequestError("the root that it names is not its own, on its issuing key")


def _check(content: bytes) -> bytes:
    return hashlib.sha256(PREFIX.encode() + content).digest()[:CHECK_BYTES]


def _groups(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def _csr_pem(csr: x509.CertificateSigningRequest) -> str:
    return csr.public_bytes(Encoding.PEM).decode()
