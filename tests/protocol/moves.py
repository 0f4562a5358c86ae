"""Offices after a move: the same keys, certified anew."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from datetime import datetime

from cryptography import x509

from protocol import certificates, issuers
from protocol.certificates import Issuer, Term
from protocol.keys import P256Signer
from protocol.messages.trust import NewIssuers
from protocol.place import Former, Place
from protocol.trust import Chains, Path, issuing_office
from tests.authorities import DAYS, Office, der
from tests.factories import NOW


@dataclass(frozen=True)
class Moved:
    """An office under its new parent, with the signer of its statements."""

    office: Office
    statement: P256Signer


def under(office: Office, parent: Office, *, until: datetime | None = None) -> Moved:
    """The office, which certifies others, moved under another parent."""
    assert office.issuer is not None
    assert parent.issuer is not None
    term = Term(NOW, DAYS, 4711)
    asked = certificates.request(office.id, office.key)
    leaf = certificates.node_certificate(asked, parent.issuer, term)
    hub = certificates.issuing_certificate(
        certificates.request(office.id, office.issuer.key), parent.issuer, term
    )
    own = issuing_office(hub)
    above = tuple(issuing_office(c) for c in (parent.root,))
    line = parent.place.certifies
    assert line is not None
    assert line[:1] == above
    drains = office.parent is not None
    place = Place(Path(line, office.id), own, (Former(office.path, drains, until),))
    moved = replace(
        office,
        parent=parent.id,
        certificate=leaf,
        signer=P256Signer(office.key, (der(leaf), *parent.issuers)),
        issuer=Issuer(hub, office.issuer.key),
        chains=Chains([*{parent.root: None, office.root: None}]),
        place=place,
        root=parent.root,
    )
    return Moved(moved, P256Signer(office.issuer.key, (der(hub), *parent.issuers)))


def statement(
    signer: P256Signer,
    office: Office,
    *,
    number: int = 1,
    roots: tuple[x509.Certificate, ...] = (),
    above: str | None = None,
) -> str:
    """What the office says of its new chain."""
    content = NewIssuers(
        office=office.id,
        number=number,
        issued_at=NOW,
        roots=tuple(base64.b64encode(der(root)).decode() for root in roots),
        above=above,
    )
    return issuers.seal(content, signer, incarnation=1).decode()


def learned(office: Office, told: str) -> Office:
    """The office after it took the statement in."""
    opened = issuers.open_issuers(told, chains=office.chains, place=office.place, known=0)
    roots = [*opened.roots, *office.chains.roots]
    return replace(
        office,
        signer=P256Signer(office.key, (der(office.certificate), *opened.chain)),
        chains=Chains(roots),
        place=Place(opened.own, office.place.issuing, (Former(office.path),)),
    )
