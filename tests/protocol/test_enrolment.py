"""Tokens, requests and welcomes: each check is broken alone."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from protocol import certificates, enrolment
from protocol.certificates import Issuer, Term
from protocol.enrolment import Request, Token, Welcome, examine, open_welcome, read_token
from protocol.errors import RequestError, RootError, TokenError, WelcomeError
from protocol.identifiers import Digest, NodeId, digest
from protocol.offices import OfficeReference
from protocol.trust import key_digest

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)
CITY = OfficeReference(id=NodeId("yunzhou"), name="云州市政协", level="city")
COUNTY = OfficeReference(id=NodeId("donghu"), name="东湖县政协", level="county")
ROOT_KEY, CITY_KEY, NODE_KEY, HUB_KEY, OTHER_KEY = (
    ec.derive_private_key(1000 + number, ec.SECP256R1()) for number in range(5)
)
TOKEN = Token(bytes(range(16)), digest(b"the root"))


def term(serial: int) -> Term:
    return Term(NOW, 700, serial)


ROOT = certificates.root(NodeId("jiangyuan"), ROOT_KEY, term(1))
ABOVE = certificates.issuing_certificate(
    certificates.request(CITY.id, CITY_KEY), Issuer(ROOT, ROOT_KEY), term(2)
)


def certified(node: NodeId, key: ec.EllipticCurvePrivateKey) -> list[str]:
    leaf = certificates.node_certificate(
        certificates.request(node, key), Issuer(ABOVE, CITY_KEY), term(3)
    )
    return [pem(leaf), pem(ABOVE)]


def certified_hub(node: NodeId, key: ec.EllipticCurvePrivateKey) -> list[str]:
    hub = certificates.issuing_certificate(
        certificates.request(node, key), Issuer(ABOVE, CITY_KEY), term(4)
    )
    return [pem(hub), pem(ABOVE)]


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


WELCOME = Welcome(
    office=COUNTY.id,
    parent=CITY,
    root=pem(ROOT),
    node=certified(COUNTY.id, NODE_KEY),
    issuing=certified_hub(COUNTY.id, HUB_KEY),
    broker="closed",
)


def opened(welcome: Welcome, key: ec.EllipticCurvePrivateKey = CITY_KEY, **given: Any) -> Welcome:
    arguments: dict[str, Any] = {
        "office": COUNTY.id,
        "node": NODE_KEY.public_key(),
        "issuing": HUB_KEY.public_key(),
        "root": enrolment.root_of(ROOT),
    }
    return open_welcome(enrolment.sign_welcome(welcome, key), **arguments | given)


def changed(**members: Any) -> Welcome:
    return WELCOME.model_copy(update=members)


def test_a_token_is_read_as_it_was_written() -> None:
    text = str(TOKEN)
    assert re.fullmatch(r"ZT1(-[A-Z2-7]{5}){16}", text)
    assert read_token(text) == TOKEN


def test_a_token_may_be_typed_in_any_case_with_digits_that_look_like_letters() -> None:
    text = str(TOKEN).lower().replace("-", " ")
    assert read_token(f" {text}\n") == TOKEN
    head, rest = str(TOKEN)[:3], str(TOKEN)[3:]
    assert read_token(head + rest.replace("O", "0").replace("I", "1")) == TOKEN


def test_a_token_with_any_one_character_mistyped_is_refused() -> None:
    text = str(TOKEN)
    for place, sign in enumerate(text):
        if sign != "-":
            wrong = text[:place] + ("B" if sign != "B" else "C") + text[place + 1 :]
            with pytest.raises(TokenError):
                read_token(wrong)


@pytest.mark.parametrize("text", ["", "ZT1", "ZT2-AAAAA", str(TOKEN)[:-1], str(TOKEN) + "A", "密"])
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(TokenError):
        read_token(text)


def test_a_fingerprint_is_read_out_in_groups_and_covers_both_keys_of_a_hub() -> None:
    leaf = examine(enrolment.make_request(COUNTY, None, NODE_KEY, None))
    hub = examine(enrolment.make_request(COUNTY, None, NODE_KEY, HUB_KEY))
    other = examine(enrolment.make_request(COUNTY, None, NODE_KEY, OTHER_KEY))
    assert leaf.fingerprint == key_digest(NODE_KEY.public_key())
    assert len({leaf.fingerprint, hub.fingerprint, other.fingerprint}) == 3
    assert re.fullmatch(r"([0-9a-f]{4} ){15}[0-9a-f]{4}", enrolment.spell(leaf.fingerprint))


# 1.
@pytest.mark.parametrize("member", ["node", "issuing"])
def test_a_request_that_its_key_did_not_sign_or_that_cannot_be_read_is_refused(member: str) -> None:
    request = enrolment.make_request(COUNTY, None, NODE_KEY, HUB_KEY)
    csr = x509.load_pem_x509_csr(getattr(request, member).encode())
    der = bytearray(csr.public_bytes(Encoding.DER))
    der[-1] ^= 1
    broken = x509.load_der_x509_csr(bytes(der)).public_bytes(Encoding.PEM).decode()
    for text in (broken, "rubbish", ""):
        with pytest.raises(RequestError, match="not usable"):
            examine(request.model_copy(update={member: text}))


# 2.
@pytest.mark.parametrize("member", ["node", "issuing"])
def test_a_request_for_another_name_than_it_says_is_refused(member: str) -> None:
    request = enrolment.make_request(COUNTY, None, NODE_KEY, HUB_KEY)
    other = enrolment.make_request(CITY, None, NODE_KEY, HUB_KEY)
    with pytest.raises(RequestError, match="asks for a certificate of yunzhou"):
        examine(request.model_copy(update={member: getattr(other, member)}))


# 3.
def test_one_key_for_both_certificates_is_refused() -> None:
    with pytest.raises(RequestError, match="another one than the node's"):
        examine(enrolment.make_request(COUNTY, None, NODE_KEY, NODE_KEY))


@pytest.mark.parametrize("text", ["", "{}", '{"format": "zhitong-request-2"}', "[" * 100_000])
def test_what_is_no_request_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match="no request"):
        enrolment.read_request(text)


def test_a_request_is_read_as_it_was_written() -> None:
    request = enrolment.make_request(COUNTY, "420104", NODE_KEY, HUB_KEY)
    assert enrolment.read_request(request.model_dump_json()) == request
    assert Request.model_validate_json(request.model_dump_json()) == request


def test_a_welcome_opens_for_who_asked() -> None:
    assert opened(WELCOME) == WELCOME
    assert opened(changed(issuing=None), issuing=None).issuing is None


# 4.
@pytest.mark.parametrize("text", ["", "a.b.c", "e30.e30.e30", "x" * 70_000, "é.é.é"])
def test_what_is_no_welcome_is_refused(text: str) -> None:
    with pytest.raises(WelcomeError, match="no welcome"):
        open_welcome(text, office=COUNTY.id, node=NODE_KEY.public_key(), issuing=None, root=None)


@pytest.mark.parametrize(
    "change", [{"root": "x"}, {"node": ["x"]}, {"node": []}, {"issuing": ["x"]}]
)
def test_a_welcome_whose_certificates_cannot_be_read_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(WelcomeError, match="cannot be read"):
        opened(changed(**change))


# 5.
def test_another_root_than_was_named_is_refused_and_without_a_name_any_is_taken() -> None:
    with pytest.raises(RootError):
        opened(WELCOME, root=Digest("0" * 64))
    assert opened(WELCOME, root=None) == WELCOME


# 6.
def test_certificates_that_lead_to_another_root_are_refused() -> None:
    other = certificates.root(NodeId("jiangyuan"), OTHER_KEY, term(9))
    with pytest.raises(WelcomeError, match="do not fit together"):
        opened(changed(root=pem(other)), root=None)


def test_an_issuing_certificate_that_somebody_else_issued_is_refused() -> None:
    aside = certificates.issuing_certificate(
        certificates.request(COUNTY.id, HUB_KEY), Issuer(ROOT, ROOT_KEY), term(9)
    )
    with pytest.raises(WelcomeError, match="do not fit together"):
        opened(changed(issuing=[pem(aside), pem(ABOVE)]))


# 7.
@pytest.mark.parametrize(
    "change",
    [
        {"office": "xishan"},
        {"node": certified(NodeId("xishan"), NODE_KEY)},
        {"issuing": certified_hub(NodeId("xishan"), HUB_KEY)},
    ],
)
def test_a_welcome_for_another_office_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(WelcomeError, match="not donghu"):
        opened(changed(**change))


def test_a_welcome_below_another_office_than_it_says_is_refused() -> None:
    with pytest.raises(WelcomeError, match="yunzhou certified, and linhai welcomes"):
        opened(changed(parent=CITY.model_copy(update={"id": NodeId("linhai")})))


# 8.
@pytest.mark.parametrize(
    "change",
    [
        {"node": certified(COUNTY.id, OTHER_KEY)},
        {"issuing": certified_hub(COUNTY.id, OTHER_KEY)},
        {"issuing": None},
    ],
)
def test_a_welcome_on_other_keys_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(WelcomeError, match="answers another request"):
        opened(changed(**change))


# 9.
@pytest.mark.parametrize("key", [OTHER_KEY, ROOT_KEY, NODE_KEY])
def test_a_welcome_that_the_office_above_did_not_sign_is_refused(
    key: ec.EllipticCurvePrivateKey,
) -> None:
    with pytest.raises(WelcomeError, match="did not sign"):
        opened(changed(broker="another"), key)
