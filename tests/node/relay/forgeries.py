"""What attackers work with: an honest submission, and the offices that a dishonest hub can make up.

The line is 江原 (`PROVINCE`), 云州 (`CITY`), 东湖 (`COUNTY`) and beside it 西山 (`SIBLING`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from node.keys import file as keys
from protocol.certificates import USAGE, Issuer
from protocol.identifiers import NodeId
from protocol.keys import P256Signer, Signer
from protocol.offices import OfficeReference, Record
from protocol.trust import issuing_office
from tests import authorities
from tests.factories import make_fact, make_feedback, make_note, make_payload
from tests.node.relay.ends import CITY, COUNTY, Ends
from tests.protocol import forgery
from tests.protocol.forgery import Shape, edit

PROVINCE = NodeId("jiangyuan")
OTHER_CITY = NodeId("lanjiang")
OTHER_COUNTY = NodeId("nanhe")
OF_PROVINCE = OfficeReference(id=PROVINCE, name="江原省政协", level="province")


@dataclass(frozen=True)
class Hub:
    """An office that certifies others: its issuer, and what follows its children's certificates."""

    issuer: Issuer
    above: tuple[bytes, ...]


def honest(ends: Ends, **overrides: Any) -> bytes:
    """A submission of the county, as it should be."""
    return ends.county.seal(payload(ends), CITY, **overrides)


def payload(ends: Ends) -> bytes:
    """What the county signs in it."""
    return ends.county.payload(ends.county.item(), CITY, subject=ends.county.new_id())


def edited(ends: Ends, **members: Any) -> bytes:
    """The submission, members of its event changed before it was signed."""
    return ends.county.seal(edit(payload(ends), **members), CITY)


def headed(ends: Ends, **members: Any) -> bytes:
    """The submission, members of its header changed before it was signed."""
    head = forgery.header(ends.county.signer, at=ends.clock.now, **members)
    return forgery.sign(head, payload(ends), ends.county.signer)


def spoken(
    ends: Ends, name: NodeId, to: NodeId, signer: Signer, data: Record | None = None
) -> bytes:
    """A note in the name of any office, signed by whomever."""
    content = make_payload(data or make_note(), sender=name, recipient=to)
    return ends.county.seal(content, to, signer=signer)


def provinces_fact(ends: Ends, *, about: UUID, kind: str = "registered") -> bytes:
    """What the province tells the city about one of its items."""
    fact = make_feedback(make_fact(kind, office=OF_PROVINCE))
    payload = make_payload(fact, sender=PROVINCE, recipient=CITY, subject=about)
    return ends.city.seal(payload, CITY, signer=ends.signer(PROVINCE))


def handed_down(ends: Ends, inner: bytes, *, about: UUID) -> bytes:
    """The city shows it to the county as evidence about an item."""
    return ends.city.seal(make_feedback(evidence=inner), COUNTY, subject=about)


def hub(ends: Ends, office: NodeId) -> Hub:
    """A hub of the hierarchy, with the key of its issuing certificate."""
    settings = ends.hierarchy.settings(office)
    [certificate] = keys.read_certificates(settings.path(settings.keys.issuing_chain))
    issuer = Issuer(
        certificate, keys.read_private_key(settings.path(settings.keys.issuing_key), None)
    )
    return Hub(issuer, () if office == PROVINCE else (authorities.der(certificate),))


def pretended_hub(ends: Ends, office: NodeId) -> Hub:
    """An office that may certify nobody, doing so with the certificate of its node."""
    settings = ends.hierarchy.settings(office)
    chain = keys.read_certificates(settings.path(settings.keys.node_chain))
    issuer = Issuer(chain[0], keys.read_private_key(settings.path(settings.keys.node_key), None))
    return Hub(issuer, tuple(authorities.der(certificate) for certificate in chain))


def hub_below(ends: Ends, name: NodeId, above: Hub, *, path_length: int) -> Hub:
    """A hub that the other one certified."""
    key = authorities.key(f"{name}/issuing")
    shape = _shape(ends, ca=True, path_length=path_length, signs=False)
    certificate = forgery.certificate(name, key.public_key(), above.issuer, shape)
    return Hub(Issuer(certificate, key), (authorities.der(certificate), *above.above))


def certified(ends: Ends, office: Hub, above: Hub) -> Hub:
    """The hub with the key that it has, certified anew by another one."""
    name = issuing_office(office.issuer.certificate).node
    shape = _shape(ends, ca=True, path_length=3, signs=False)
    own = forgery.certificate(name, office.issuer.key.public_key(), above.issuer, shape)
    return Hub(Issuer(own, office.issuer.key), (authorities.der(own), *above.above))


def signer_below(ends: Ends, name: NodeId, above: Hub, **shape: Any) -> P256Signer:
    """A signer for any name, whose certificate the hub made in any shape."""
    key = authorities.key(f"{name}/forged")
    own = forgery.certificate(name, key.public_key(), above.issuer, _shape(ends, **shape))
    return P256Signer(key, (authorities.der(own), *above.above))


def _shape(ends: Ends, **shape: Any) -> Shape:
    term = timedelta(days=30)
    times = {"not_before": ends.clock.now - term, "not_after": ends.clock.now + term}
    return Shape(**{"usage": USAGE} | times | shape)
