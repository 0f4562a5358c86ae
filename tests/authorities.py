"""Hierarchies of offices with their certificates, made in memory and the same on every run.

    offices = hierarchy(JIANGYUAN, now=now)          # the whole province
    offices = line("jiangyuan", "donghu", now=now)   # a county directly under its province
    offices["donghu"].signer, .place, .chains, .certificate, .issuer, .root

Keys follow from names, times are handed in, signatures are deterministic: so certificates, and
tokens made with them, can be compared byte for byte. For certificates that break a rule see
`certify` (a true certificate for a false name) and `tests/protocol/forgery.py` (false forms).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from protocol import certificates
from protocol.certificates import Issuer, Term
from protocol.identifiers import NodeId, node_id
from protocol.keys import P256Signer
from protocol.offices import OfficeReference
from protocol.place import Place
from protocol.trust import Chains, Path, issuing_office

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
DAYS = 3650

JIANGYUAN: dict[str, str | None] = {
    "jiangyuan": None,
    "yunzhou": "jiangyuan",
    "donghu": "yunzhou",
    "xishan": "yunzhou",
    "lanjiang": "jiangyuan",
    "nanhe": "lanjiang",
    "beigang": "lanjiang",
}
"""A province: each office with the office above it."""

NAMES = {
    "quanguo": ("全国政协", "nation"),
    "jiangyuan": ("江原省政协", "province"),
    "yunzhou": ("云州市政协", "city"),
    "lanjiang": ("澜江市政协", "city"),
    "donghu": ("东湖县政协", "county"),
    "xishan": ("西山县政协", "county"),
    "nanhe": ("南河区政协", "county"),
    "beigang": ("北港县政协", "county"),
}


@dataclass(frozen=True)
class Office:
    """One office with everything that its node holds or that a test may want to abuse."""

    id: NodeId
    parent: NodeId | None
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    signer: P256Signer
    issuer: Issuer | None
    """The issuing certificate with its key; None where the office has nobody below it."""
    chains: Chains
    place: Place
    root: x509.Certificate

    @property
    def path(self) -> Path:
        """The office's own path."""
        return self.place.own

    @property
    def reference(self) -> OfficeReference:
        """The office as a message names it."""
        name, level = NAMES.get(self.id, (f"{self.id}政协", "county"))
        return OfficeReference(id=self.id, name=name, level=level)

    @property
    def issuers(self) -> tuple[bytes, ...]:
        """What follows a child's certificate in its chain: issuing certificates below the root."""
        assert self.issuer is not None, f"{self.id} certifies nobody"
        return () if self.parent is None else (der(self.issuer.certificate), *self.signer.chain[1:])


def hierarchy(
    parents: Mapping[str, str | None] = JIANGYUAN,
    *,
    now: datetime,
    days: int = DAYS,
    seed: str = "",
) -> dict[str, Office]:
    """The offices by id. Parents come before their children; another seed gives other keys."""
    offices: dict[str, Office] = {}
    hubs = set(parents.values())
    for name, above in parents.items():
        parent = offices[above] if above is not None else None
        offices[name] = _office(name, parent, name in hubs, now=now, days=days, seed=seed)
    return offices


def line(*names: str, now: datetime, days: int = DAYS, seed: str = "") -> dict[str, Office]:
    """A hierarchy of one office per level, the top first."""
    parents = dict(zip(names, (None, *names), strict=False))
    return hierarchy(parents, now=now, days=days, seed=seed)


def key(name: str) -> ec.EllipticCurvePrivateKey:
    """The P-256 key that follows from the name. For tests only: everybody can compute it."""
    number = int.from_bytes(hashlib.sha512(name.encode()).digest(), "big")
    return ec.derive_private_key(number % (P256_ORDER - 1) + 1, ec.SECP256R1())


def certify(
    name: str, office: Office, *, now: datetime, days: int = DAYS, seed: str = ""
) -> P256Signer:
    """A signer for any name at all, certified by the office: what a dishonest hub could make."""
    assert office.issuer is not None, f"{office.id} certifies nobody"
    secret = key(f"{seed}/{name}/node")
    asked = certificates.request(node_id(name), secret)
    term = Term(now, days, _serial(f"{seed}/{name}/node/{office.id}"))
    certificate = certificates.node_certificate(asked, office.issuer, term)
    return P256Signer(secret, (der(certificate), *office.issuers))


def der(certificate: x509.Certificate) -> bytes:
    """The certificate's bytes."""
    return certificate.public_bytes(Encoding.DER)


def pem(certificate: x509.Certificate) -> str:
    """The certificate as text."""
    return certificate.public_bytes(Encoding.PEM).decode()


def _office(
    name: str, parent: Office | None, is_hub: bool, *, now: datetime, days: int, seed: str
) -> Office:
    node = node_id(name)
    secret, issuing_secret = key(f"{seed}/{name}/node"), key(f"{seed}/{name}/issuing")
    term = Term(now, days, _serial(f"{seed}/{name}/issuing"))
    issuer: Issuer | None = None
    if parent is None:
        issuer = Issuer(certificates.root(node, issuing_secret, term), issuing_secret)
    elif is_hub:
        assert parent.issuer is not None
        asked = certificates.request(node, issuing_secret)
        certificate = certificates.issuing_certificate(asked, parent.issuer, term)
        issuer = Issuer(certificate, issuing_secret)
    above = parent.issuer if parent is not None else issuer
    assert above is not None
    root = parent.root if parent is not None else above.certificate
    chains = parent.chains if parent is not None else Chains([root])
    certificate = certificates.node_certificate(
        certificates.request(node, secret), above, Term(now, days, _serial(f"{seed}/{name}/node"))
    )
    signer = P256Signer(secret, (der(certificate), *(parent.issuers if parent is not None else ())))
    own = chains.verify(signer.chain, now).path
    return Office(
        id=node,
        parent=parent.id if parent is not None else None,
        key=secret,
        certificate=certificate,
        signer=signer,
        issuer=issuer,
        chains=chains,
        place=Place(own, issuing_office(issuer.certificate) if issuer is not None else None),
        root=root,
    )


def _serial(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") >> 1 | 1
