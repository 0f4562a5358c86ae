"""Certificates renewed on their own key: every path stays, and old and new stand side by side."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509

from protocol import certificates
from protocol.certificates import Issuer, Term
from protocol.errors import CertificateError, ChainError, ExpiredError
from protocol.identifiers import node_id
from protocol.trust import Chains, issuing_office
from tests.authorities import der, hierarchy, key, line
from tests.factories import NOW

OFFICES = hierarchy(now=NOW)
LATER = NOW + timedelta(days=400)
TERM = Term(LATER, 3650, 4711)


def issuer_of(name: str) -> Issuer:
    issuer = OFFICES[name].issuer
    assert issuer is not None
    return issuer


ROOT, CITY = issuer_of("jiangyuan"), issuer_of("yunzhou")
NEW_ROOT = certificates.renewed_root(ROOT, TERM)
NEW_CITY = certificates.renewed_issuing(CITY.certificate, ROOT, TERM)
COUNTY_CHAIN = OFFICES["donghu"].signer.chain


@pytest.mark.parametrize(
    ("new", "old"), [(NEW_ROOT, ROOT.certificate), (NEW_CITY, CITY.certificate)]
)
def test_only_the_end_and_the_serial_number_change(
    new: x509.Certificate, old: x509.Certificate
) -> None:
    assert issuing_office(new) == issuing_office(old)
    assert (new.subject, new.issuer) == (old.subject, old.issuer)
    assert new.not_valid_before_utc == old.not_valid_before_utc
    assert new.not_valid_after_utc == LATER + timedelta(days=3650)
    assert new.serial_number == 4711
    assert list(new.extensions) == list(old.extensions)


@pytest.mark.parametrize("root", [ROOT.certificate, NEW_ROOT])
@pytest.mark.parametrize("city", [CITY.certificate, NEW_CITY])
def test_an_old_node_certificate_leads_to_either_root_through_either_issuer_at_any_time(
    root: x509.Certificate, city: x509.Certificate
) -> None:
    chain = (COUNTY_CHAIN[0], der(city))
    for at in (NOW, NOW + timedelta(days=300)):
        assert Chains([root]).verify(chain, at).path == OFFICES["donghu"].path


def test_roots_that_are_trusted_later_count_and_others_no_longer() -> None:
    chains = Chains([ROOT.certificate])
    assert chains.verify(COUNTY_CHAIN, NOW)
    stranger = certificates.root(node_id("jiangyuan"), key("another root"), Term(NOW, 300, 7))
    chains.trust([stranger])
    with pytest.raises(ChainError):
        chains.verify(COUNTY_CHAIN, NOW)
    chains.trust([NEW_ROOT])
    assert chains.verify(COUNTY_CHAIN, NOW)


def test_a_hub_whose_issuer_may_certify_no_hub_is_not_renewed() -> None:
    offices = line(*(f"level{number}" for number in range(1, 7)), now=NOW)
    deepest = offices["level5"].issuer
    assert deepest is not None
    with pytest.raises(CertificateError, match="may not certify another hub"):
        certificates.renewed_issuing(CITY.certificate, deepest, TERM)


def test_an_issuing_certificate_beside_a_chain_has_the_same_issuer() -> None:
    chains = Chains([ROOT.certificate])
    city_chain = OFFICES["yunzhou"].signer.chain
    for certificate in (CITY.certificate, NEW_CITY):
        assert chains.issued_beside(der(certificate), city_chain) == issuing_office(NEW_CITY)
    # The county is certified by the city: the city's own certificate is not from the city.
    with pytest.raises(ChainError):
        chains.issued_beside(der(NEW_CITY), COUNTY_CHAIN)
    with pytest.raises(CertificateError, match="may not issue"):
        chains.issued_beside(city_chain[0], city_chain)
    altered = bytearray(der(NEW_CITY))
    altered[-1] ^= 1
    with pytest.raises(ChainError):
        chains.issued_beside(bytes(altered), city_chain)


def test_a_root_again_is_on_the_key_of_one_that_is_trusted() -> None:
    chains = Chains([ROOT.certificate])
    assert chains.root_again(der(NEW_ROOT))
    twin = certificates.root(node_id("jiangyuan"), key("another root"), Term(NOW, 300, 7))
    assert not chains.root_again(der(twin))
    assert not chains.root_again(der(NEW_CITY))
    with pytest.raises(CertificateError):
        chains.root_again(COUNTY_CHAIN[0])


def test_a_chain_through_a_renewed_issuer_outlives_the_old_one() -> None:
    asked = certificates.request(node_id("donghu"), key("donghu renewed"))
    leaf = certificates.node_certificate(asked, Issuer(NEW_CITY, CITY.key), TERM)
    after = CITY.certificate.not_valid_after_utc + timedelta(days=1)
    chains = Chains([NEW_ROOT])
    assert chains.verify((der(leaf), der(NEW_CITY)), after).path == OFFICES["donghu"].path
    with pytest.raises(ExpiredError):
        chains.verify((der(leaf), der(CITY.certificate)), after)
