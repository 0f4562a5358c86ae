"""Requests and answers that do not fit are refused with their code, and change nothing."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from node.bootstrap import keyring
from node.keys import file
from node.keys.ring import KeyRing
from node.relay.certifier import Certifier, texts
from node.relay.renewer import Renewer
from node.workflow import certificates
from protocol import certificates as forms
from protocol.certificates import Issuer, Term
from protocol.identifiers import NodeId
from protocol.messages.trust import Certificate, CertificateRequest
from tests import authorities
from tests.node import rooms
from tests.node.relay import restoring
from tests.node.relay.ends import CITY, COUNTY, SIBLING, End, Ends, properties_of
from tests.node.relay.forgeries import hub

KEPT = ("renewals", "certificate_requests")


def ring_of(end: End) -> KeyRing:
    return keyring.of(end.room.node.settings)


def asked(node: str = COUNTY, key: ec.EllipticCurvePrivateKey | None = None) -> str:
    """A request in base64."""
    made = forms.request(NodeId(node), key or file.new_private_key())
    return base64.b64encode(made.public_bytes(Encoding.DER)).decode()


def altered() -> str:
    """A request whose last byte, of its signature, was changed."""
    der = bytearray(base64.b64decode(asked()))
    der[-1] ^= 1
    return base64.b64encode(bytes(der)).decode()


def same_key(ends: Ends) -> CertificateRequest:
    key = file.read_private_key(ring_of(ends.county).node_key, None)
    return CertificateRequest(request=asked(key=key))


def with_issuing(certificate: x509.Certificate) -> CertificateRequest:
    [issuing] = texts([certificate])
    return CertificateRequest(request=asked(), issuing=issuing)


def from_elsewhere(ends: Ends) -> CertificateRequest:
    others = authorities.line(CITY, COUNTY, now=ends.clock.now)
    issuer = others[CITY].issuer
    assert issuer is not None
    asked = forms.request(COUNTY, file.new_private_key())
    return with_issuing(forms.issuing_certificate(asked, issuer, Term(ends.clock.now, 30, 4713)))


REQUESTS: dict[str, tuple[str, Callable[[Ends], CertificateRequest]]] = {
    "for another name": (
        "certificate.name",
        lambda ends: CertificateRequest(request=asked(SIBLING)),
    ),
    "not signed by its key": (
        "certificate.request",
        lambda ends: CertificateRequest(request=altered()),
    ),
    "no request": ("certificate.request", lambda ends: CertificateRequest(request="QUJD")),
    "no base64": ("certificate.request", lambda ends: CertificateRequest(request="QUJDR")),
    "on another curve": (
        "certificate.request",
        lambda ends: CertificateRequest(request=asked(key=ec.generate_private_key(ec.SECP384R1()))),
    ),
    "for the key that signs it": ("certificate.request", same_key),
    "with the issuing certificate of the office above": (
        "certificate.issuing",
        lambda ends: with_issuing(hub(ends, CITY).issuer.certificate),
    ),
    "with a node certificate as issuing": (
        "certificate.issuing",
        lambda ends: with_issuing(file.read_certificates(ring_of(ends.county).node_chain)[0]),
    ),
    "with an issuing certificate of another hierarchy": ("certificate.issuing", from_elsewhere),
}


@pytest.mark.parametrize("case", REQUESTS)
async def test_a_request_that_does_not_fit_is_refused(ends: Ends, case: str) -> None:
    code, make = REQUESTS[case]
    before = await _kept(ends.city)
    id = await ends.county.post(make(ends), to=CITY)
    await ends.exchange()
    row = await ends.county.row(id)
    assert (row.state, row.code, row.permanent) == ("refused", code, True)
    assert [refused.code for refused in await ends.city.quarantine()] == [code]
    assert await _kept(ends.city) == before
    certifier = Certifier(
        ends.city.room.desk, ring_of(ends.city), ends.city.room.node.settings.certificates
    )
    assert not await certifier.step()


@pytest.mark.parametrize(
    ("speaks_as", "code"), [(COUNTY, "envelope.source"), (SIBLING, "certificate.name")]
)
async def test_a_siblings_request_for_our_name_is_refused(
    ends: Ends, speaks_as: NodeId, code: str
) -> None:
    payload = ends.county.payload(CertificateRequest(request=asked()), CITY)
    if speaks_as == SIBLING:
        payload = payload.replace(b"urn:zhitong:node:donghu", b"urn:zhitong:node:xishan", 1)
    token = ends.county.seal(payload, CITY, signer=ends.signer(SIBLING))
    before = await _kept(ends.city)
    ends.arrive(token, ends.city, **properties_of(token))
    await ends.city.take_all()
    assert [refused.code for refused in await ends.city.quarantine()] == [code]
    assert await _kept(ends.city) == before


def answered(
    ends: Ends, key: ec.EllipticCurvePrivateKey, issuer: Issuer | None = None, node: str = COUNTY
) -> list[x509.Certificate]:
    """A chain for the key, as the city would make it."""
    request = forms.request(NodeId(node), key)
    found = issuer or hub(ends, CITY).issuer
    return [forms.node_certificate(request, found, Term(ends.clock.now, 30, 4714))]


def next_key(ends: Ends) -> ec.EllipticCurvePrivateKey:
    return file.read_private_key(ring_of(ends.county).next_key, None)


def another_key(ends: Ends) -> Certificate:
    return Certificate(chain=texts(answered(ends, file.new_private_key())))


def another_path(ends: Ends) -> Certificate:
    """Our name and our key, but certified by the sibling."""
    key = file.new_private_key()
    above = forms.issuing_certificate(
        forms.request(SIBLING, key), hub(ends, CITY).issuer, Term(ends.clock.now, 30, 4715)
    )
    return Certificate(chain=texts([*answered(ends, next_key(ends), Issuer(above, key)), above]))


def another_name(ends: Ends) -> Certificate:
    return Certificate(chain=texts(answered(ends, next_key(ends), node=SIBLING)))


def another_root(ends: Ends) -> Certificate:
    issuer = authorities.line(CITY, COUNTY, now=ends.clock.now)[CITY].issuer
    return Certificate(chain=texts(answered(ends, next_key(ends), issuer)))


def a_new_root_key(ends: Ends) -> Certificate:
    root = forms.root(CITY, file.new_private_key(), Term(ends.clock.now, 30, 4716))
    return Certificate(chain=texts(answered(ends, next_key(ends))), roots=texts([root]))


def an_issuing_key_that_is_not_ours(ends: Ends) -> Certificate:
    asked = forms.request(COUNTY, file.new_private_key())
    term = Term(ends.clock.now, 30, 4717)
    [issuing] = texts([forms.issuing_certificate(asked, hub(ends, CITY).issuer, term)])
    return Certificate(chain=texts(answered(ends, next_key(ends))), issuing=issuing)


def an_expired_certificate(ends: Ends) -> Certificate:
    request = forms.request(COUNTY, next_key(ends))
    term = Term(ends.clock.now - timedelta(days=60), 30, 4718)
    return Certificate(chain=texts([forms.node_certificate(request, hub(ends, CITY).issuer, term)]))


def no_certificate(ends: Ends) -> Certificate:
    return Certificate(chain=("QUJD",))


ANSWERS: dict[Callable[[Ends], Certificate], str] = {
    another_key: "certificate.unasked",
    no_certificate: "certificate.unasked",
    another_path: "certificate.path",
    another_name: "certificate.path",
    a_new_root_key: "certificate.path",
    an_issuing_key_that_is_not_ours: "certificate.path",
    another_root: "envelope.chain",
    an_expired_certificate: "envelope.expired",
}


@pytest.mark.parametrize("answer", ANSWERS)
async def test_an_answer_that_does_not_fit_is_refused_and_the_old_key_goes_on(
    ends: Ends, answer: Callable[[Ends], Certificate]
) -> None:
    desk, ring = ends.county.room.desk, ring_of(ends.county)
    await certificates.renew(desk, ends.county.room.admin)
    renewer = Renewer(desk, ring, ends.county.room.node.signer())
    assert await renewer.step()
    await ends.exchange()
    kept, files = await _kept(ends.county), _files(ring)
    id = await ends.city.post(answer(ends), to=COUNTY)
    await ends.exchange()
    row = await ends.city.row(id)
    assert (row.state, row.code) == ("refused", ANSWERS[answer])
    assert await _kept(ends.county) == kept
    assert not await renewer.step()
    assert _files(ring) == files

    # The right answer still counts.
    await ends.city.post(Certificate(chain=texts(answered(ends, next_key(ends)))), to=COUNTY)
    await ends.exchange()
    assert await renewer.step()
    assert not ring.next_key.exists()


async def test_an_answer_that_nobody_asked_for_is_refused(ends: Ends) -> None:
    key = file.read_private_key(ring_of(ends.county).node_key, None)
    id = await ends.city.post(Certificate(chain=texts(answered(ends, key))), to=COUNTY)
    await ends.exchange()
    assert (await ends.city.row(id)).code == "certificate.unasked"


async def test_a_second_answer_for_the_same_key_changes_nothing(ends: Ends) -> None:
    desk, ring = ends.county.room.desk, ring_of(ends.county)
    await certificates.renew(desk, ends.county.room.admin)
    renewer = Renewer(desk, ring, ends.county.room.node.signer())
    await renewer.step()
    await ends.exchange()
    first, second = (Certificate(chain=texts(answered(ends, next_key(ends)))) for _ in range(2))
    await ends.city.post(first, to=COUNTY)
    await ends.exchange()
    await renewer.step()
    kept, files = await _kept(ends.county), _files(ring)
    id = await ends.city.post(second, to=COUNTY)
    await ends.exchange()
    assert (await ends.city.row(id)).state == "received"
    assert not await renewer.step()
    assert (await _kept(ends.county), _files(ring)) == (kept, files)


async def test_a_request_that_came_while_the_office_recovers_is_decided_on_afterwards(
    ends: Ends,
) -> None:
    recoverer = await restoring.restore(ends.city, await restoring.back_up(ends.city))
    await ends.county.post(CertificateRequest(request=asked()), to=CITY)
    await ends.county.send_all()
    await ends.city.take_all()
    assert (await _kept(ends.city))["certificate_requests"] == []
    await restoring.waive(ends.city, SIBLING)
    await restoring.recover(ends, recoverer)
    assert len((await _kept(ends.city))["certificate_requests"]) == 1


async def _kept(end: End) -> dict[str, list[str]]:
    found = await rooms.contents(end.room.database)
    return {name: found[name] for name in KEPT}


def _files(ring: KeyRing) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in ring.node_key.parent.iterdir()}
