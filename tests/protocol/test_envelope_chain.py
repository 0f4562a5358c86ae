"""The checks 4, 5 and 8 of `protocol/envelope.py`: signers that break only one of them.

The certificates' form, the chain to a root, and whose path counts at which office.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from protocol import envelope, errors
from protocol.certificates import USAGE, Issuer
from protocol.keys import P256Signer
from protocol.trust import Chains
from tests import authorities
from tests.authorities import certify, hierarchy, line
from tests.factories import NOW, make_note, make_payload, make_token
from tests.protocol import forgery
from tests.protocol.forgery import Shape, uri
from tests.protocol.scene import (
    DONGHU,
    JIANGYUAN,
    OFFICES,
    XISHAN,
    YUNZHOU,
    evidence_at,
    open_at,
    signed_by,
)

# 4. ---------------------------------------------------------------------------------------------

DONGHU_URI, YUNZHOU_URI = uri("urn:zhitong:node:donghu"), uri("urn:zhitong:node:yunzhou")


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        (Shape(usage=None), "no extended key usage"),
        (Shape(names=[DONGHU_URI, YUNZHOU_URI]), "exactly one name, a urn"),
        (Shape(names=[DONGHU_URI, x509.DNSName("donghu.example")]), "exactly one name, a urn"),
        (Shape(names=[x509.DNSName("donghu")]), "exactly one name, a urn"),
        (Shape(names=[]), "names no node"),
        (Shape(names=[uri("urn:zhitong:office:donghu")]), "names no node"),
        (Shape(names=[uri("urn:zhitong:node:-donghu")]), "names no node"),
        (Shape(ca=True, path_length=0), "issuing certificate may not sign"),
        (Shape(signs=False), "issuing certificate may not sign"),
        (Shape(states_usage=False), "does not state its usage"),
    ],
)
def test_check_4_a_node_certificate_of_another_form_is_refused(shape: Shape, text: str) -> None:
    with pytest.raises(errors.CertificateError, match=text):
        open_at(YUNZHOU, signed_by(forgery.signer("donghu", YUNZHOU, shape)))


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        (Shape(ca=True, path_length=3, signs=False, usage=None), "no extended key usage"),
        (Shape(ca=True, path_length=3, names=[YUNZHOU_URI, DONGHU_URI]), "exactly one name"),
    ],
)
def test_check_4_an_issuing_certificate_of_another_form_is_refused(shape: Shape, text: str) -> None:
    with pytest.raises(errors.CertificateError, match=text):
        open_at(YUNZHOU, signed_by(forgery.signer_below("donghu", YUNZHOU, JIANGYUAN, shape)))


def test_check_4_an_issuing_certificate_may_not_sign_messages() -> None:
    issuer = YUNZHOU.issuer
    assert issuer is not None
    payload = make_payload(make_note(), sender="yunzhou", recipient="donghu")
    token = signed_by(P256Signer(issuer.key, (authorities.der(issuer.certificate),)), payload)
    with pytest.raises(errors.CertificateError, match="issuing certificate may not sign"):
        open_at(DONGHU, token)


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(ec.generate_private_key(ec.SECP384R1()).public_key(), id="P-384"),
        pytest.param(rsa.generate_private_key(65537, 2048).public_key(), id="RSA"),
    ],
)
def test_check_4_a_key_off_the_curve_p256_is_refused(key: Any) -> None:
    assert YUNZHOU.issuer is not None
    leaf = forgery.certificate("donghu", key, YUNZHOU.issuer, Shape())
    signer = P256Signer(DONGHU.key, (authorities.der(leaf), *YUNZHOU.issuers))
    with pytest.raises(errors.CertificateError, match="not on the curve P-256"):
        open_at(YUNZHOU, signed_by(signer))


def test_check_4_what_is_no_certificate_is_refused() -> None:
    signer = P256Signer(DONGHU.key, (b"certificate", *YUNZHOU.issuers))
    with pytest.raises(errors.CertificateError, match="cannot be read"):
        open_at(YUNZHOU, signed_by(signer))


# 5. ---------------------------------------------------------------------------------------------


def test_check_5_a_stranger_under_another_root_with_the_same_names_is_refused() -> None:
    stranger = hierarchy(now=NOW, seed="elsewhere")["donghu"]
    with pytest.raises(errors.ChainError, match="lead to no trusted root"):
        open_at(YUNZHOU, signed_by(stranger.signer))


def test_check_5_a_self_signed_certificate_is_refused() -> None:
    own = authorities.line("donghu", now=NOW, seed="alone")["donghu"]
    with pytest.raises(errors.ChainError, match="lead to no trusted root"):
        open_at(YUNZHOU, signed_by(own.signer))


@pytest.mark.parametrize(
    ("order", "text"),
    [
        pytest.param([], "1 to 5 certificates", id="none"),
        pytest.param([0], "lead to no trusted root", id="issuer missing"),
        pytest.param([0, 1, 1], "does not need", id="issuer twice"),
        pytest.param([0, 1, 2], "lead to no trusted root", id="a sibling's certificate"),
        pytest.param([0, 1, 3], "does not need", id="the root"),
        pytest.param([0, 1, 1, 1, 1, 1], "1 to 5 certificates", id="six"),
    ],
)
def test_check_5_a_chain_with_too_few_or_too_many_is_refused(order: list[int], text: str) -> None:
    known = (*DONGHU.signer.chain, XISHAN.signer.chain[0], authorities.der(JIANGYUAN.root))
    signer = P256Signer(DONGHU.key, tuple(known[index] for index in order))
    with pytest.raises(errors.ChainError, match=text):
        open_at(YUNZHOU, signed_by(signer))


@pytest.mark.parametrize("name", ["jiangyuan", "yunzhou"])
def test_check_5_a_city_cannot_certify_the_province_or_itself(name: str) -> None:
    payload = make_payload(make_note(), sender=name, recipient="donghu")
    with pytest.raises(errors.PathError, match=f"twice in the path jiangyuan/yunzhou/{name}"):
        open_at(DONGHU, signed_by(certify(name, YUNZHOU, now=NOW), payload))


def test_check_5_a_certificate_for_servers_only_cannot_sign() -> None:
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    with pytest.raises(errors.ChainError, match="lead to no trusted root"):
        open_at(YUNZHOU, signed_by(forgery.signer("donghu", YUNZHOU, Shape(usage=usage))))


def test_check_5_an_office_without_the_right_to_issue_cannot_certify() -> None:
    assert YUNZHOU.issuer is not None
    pretender = Issuer(DONGHU.certificate, DONGHU.key)
    key = authorities.key("somebody")
    leaf = forgery.certificate("somebody", key.public_key(), pretender, Shape())
    signer = P256Signer(key, (authorities.der(leaf), *DONGHU.signer.chain))
    payload = make_payload(make_note(), sender="somebody", recipient="yunzhou")
    with pytest.raises(errors.ChainError, match="lead to no trusted root"):
        open_at(YUNZHOU, signed_by(signer, payload))


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    "shape",
    [
        pytest.param(Shape(not_after=NOW - DAY / 24), id="expired"),
        pytest.param(Shape(not_before=NOW + DAY / 24), id="not yet valid"),
    ],
)
def test_check_5_certificates_count_at_the_time_of_signing(shape: Shape) -> None:
    token = signed_by(forgery.signer("donghu", YUNZHOU, shape))
    with pytest.raises(errors.ExpiredError, match="not valid at the time of signing"):
        open_at(YUNZHOU, token)
    shape = Shape(shape.names, USAGE, True, 3, False, True, shape.not_before, shape.not_after)
    token = signed_by(forgery.signer_below("donghu", YUNZHOU, JIANGYUAN, shape))
    with pytest.raises(errors.ExpiredError, match="not valid at the time of signing"):
        open_at(YUNZHOU, token)


def test_check_5_a_certificate_that_expired_after_signing_still_counts() -> None:
    signer = forgery.signer("donghu", YUNZHOU, Shape(not_after=NOW + DAY))
    assert open_at(YUNZHOU, signed_by(signer), NOW + 3 * DAY)


# 8. ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sender", "receiver"),
    [
        pytest.param("xishan", "donghu", id="a sibling"),
        pytest.param("lanjiang", "yunzhou", id="a sibling hub"),
        pytest.param("nanhe", "yunzhou", id="a sibling's child"),
        pytest.param("lanjiang", "donghu", id="the parent's sibling"),
        pytest.param("jiangyuan", "donghu", id="the parent's parent"),
        pytest.param("donghu", "jiangyuan", id="a child's child"),
        pytest.param("donghu", "donghu", id="the office itself"),
        pytest.param("yunzhou", "yunzhou", id="the hub itself"),
        pytest.param("jiangyuan", "jiangyuan", id="the top itself"),
    ],
)
def test_check_8_an_office_that_is_no_neighbour_is_a_stranger(sender: str, receiver: str) -> None:
    token = make_token(make_note(), OFFICES[sender], receiver)
    with pytest.raises(errors.StrangerError, match="no neighbour of this office"):
        open_at(OFFICES[receiver], token)


@pytest.mark.parametrize("receiver", ["jiangyuan", "lanjiang"])
def test_check_8_a_city_cannot_speak_for_another_citys_county(receiver: str) -> None:
    payload = make_payload(make_note(), sender="nanhe", recipient=receiver)
    with pytest.raises(errors.StrangerError, match="jiangyuan/yunzhou/nanhe"):
        open_at(OFFICES[receiver], signed_by(certify("nanhe", YUNZHOU, now=NOW), payload))


def test_check_8_a_city_cannot_speak_for_another_city() -> None:
    payload = make_payload(make_note(), sender="lanjiang", recipient="jiangyuan")
    with pytest.raises(errors.StrangerError, match="jiangyuan/yunzhou/lanjiang"):
        open_at(JIANGYUAN, signed_by(certify("lanjiang", YUNZHOU, now=NOW), payload))


def test_check_8_the_parents_name_under_another_issuing_key_is_a_stranger() -> None:
    """A second root that this office trusts, with a hub of the same name as the parent."""
    other = hierarchy(now=NOW, seed="other")
    both = Chains([JIANGYUAN.root, other["jiangyuan"].root])
    token = make_token(make_note(), other["yunzhou"], "donghu")
    with pytest.raises(errors.StrangerError, match="no neighbour of this office"):
        envelope.open_message(token, chains=both, place=DONGHU.place, now=NOW)


def test_check_8_a_county_directly_under_the_province_is_its_neighbour() -> None:
    offices = line("jiangyuan", "donghu", now=NOW)
    up = make_token(make_note(), offices["donghu"], "jiangyuan")
    assert not open_at(offices["jiangyuan"], up).from_above
    down = make_token(make_note(), offices["jiangyuan"], "donghu")
    assert open_at(offices["donghu"], down).from_above


@pytest.mark.parametrize(
    ("sender", "receiver", "from_above"),
    [
        ("jiangyuan", "donghu", True),
        ("yunzhou", "donghu", True),
        ("donghu", "jiangyuan", False),
        ("donghu", "yunzhou", False),
        ("nanhe", "jiangyuan", False),
    ],
)
def test_check_8_evidence_counts_from_above_and_below(
    sender: str, receiver: str, from_above: bool
) -> None:
    token = make_token(make_note(), OFFICES[sender], "whoever")
    assert evidence_at(OFFICES[receiver], token).from_above is from_above


@pytest.mark.parametrize(
    ("sender", "receiver"),
    [
        pytest.param("xishan", "donghu", id="a sibling"),
        pytest.param("lanjiang", "donghu", id="the parent's sibling"),
        pytest.param("nanhe", "yunzhou", id="a sibling's child"),
        pytest.param("donghu", "donghu", id="the office itself"),
        pytest.param("yunzhou", "yunzhou", id="the hub itself"),
        pytest.param("jiangyuan", "jiangyuan", id="the top itself"),
    ],
)
def test_check_8_evidence_from_beside_is_refused(sender: str, receiver: str) -> None:
    token = make_token(make_note(), OFFICES[sender], "whoever")
    with pytest.raises(errors.EvidenceError, match="neither above nor below"):
        evidence_at(OFFICES[receiver], token)
