"""Paths, places and chains: who counts as what, at any depth and at any time."""

from __future__ import annotations

import warnings
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import ExtensionOID

from protocol import certificates, errors
from protocol.certificates import Issuer, Term
from protocol.identifiers import Digest, node_id
from protocol.place import Place
from protocol.trust import CACHED_CHAINS, Chains, IssuingOffice, Path, issuing_office
from tests import authorities
from tests.authorities import Office, hierarchy, key, line
from tests.factories import NOW
from tests.protocol import forgery
from tests.protocol.forgery import Shape

DAY = timedelta(days=1)
OFFICES = hierarchy(now=NOW) | {
    # A county directly under the province.
    "haidao": hierarchy({"jiangyuan": None, "haidao": "jiangyuan"}, now=NOW)["haidao"]
}
NAMES = tuple(OFFICES)
PARENTS = {
    "yunzhou": "jiangyuan",
    "lanjiang": "jiangyuan",
    "haidao": "jiangyuan",
    "donghu": "yunzhou",
    "xishan": "yunzhou",
    "nanhe": "lanjiang",
    "beigang": "lanjiang",
}


def above(name: str) -> list[str]:
    found = []
    while name in PARENTS:
        name = PARENTS[name]
        found.append(name)
    return found


def paths(offices: dict[str, Office]) -> dict[str, str]:
    return {name: str(office.path) for name, office in offices.items()}


# Paths. ------------------------------------------------------------------------------------------


def test_a_path_names_the_offices_from_the_top_to_the_one_that_speaks() -> None:
    assert paths(OFFICES) == {
        "jiangyuan": "jiangyuan",
        "yunzhou": "jiangyuan/yunzhou",
        "lanjiang": "jiangyuan/lanjiang",
        "donghu": "jiangyuan/yunzhou/donghu",
        "xishan": "jiangyuan/yunzhou/xishan",
        "nanhe": "jiangyuan/lanjiang/nanhe",
        "beigang": "jiangyuan/lanjiang/beigang",
        "haidao": "jiangyuan/haidao",
    }


def test_the_offices_that_certify_stand_in_the_path_with_their_keys() -> None:
    path = OFFICES["donghu"].path
    issuers = [OFFICES[name].issuer for name in ("jiangyuan", "yunzhou")]
    assert path.issuers == tuple(issuing_office(i.certificate) for i in issuers if i is not None)


# Places. -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_every_office_knows_its_neighbours_and_nobody_else(name: str) -> None:
    place = OFFICES[name].place
    assert [n for n in NAMES if place.is_parent(OFFICES[n].path)] == above(name)[:1]
    children = [n for n in NAMES if PARENTS.get(n) == name]
    assert [n for n in NAMES if place.is_child(OFFICES[n].path)] == children


@pytest.mark.parametrize("name", NAMES)
def test_every_office_knows_who_stands_above_and_below(name: str) -> None:
    place = OFFICES[name].place
    assert {n for n in NAMES if place.is_above(OFFICES[n].path)} == set(above(name))
    below = {n for n in NAMES if name in above(n)}
    assert {n for n in NAMES if place.is_below(OFFICES[n].path)} == below


def test_the_parent_is_the_office_above_also_without_a_city_between() -> None:
    assert OFFICES["jiangyuan"].place.parent is None
    assert OFFICES["yunzhou"].place.parent == OFFICES["jiangyuan"].path
    assert OFFICES["haidao"].place.parent == OFFICES["jiangyuan"].path
    assert OFFICES["donghu"].place.parent == OFFICES["yunzhou"].path


def test_the_same_names_with_another_issuing_key_are_nobody() -> None:
    other = hierarchy(now=NOW, seed="other")
    for name in NAMES:
        place = OFFICES[name].place
        for path in (office.path for office in other.values()):
            assert not place.is_parent(path)
            assert not place.is_child(path)
            assert not place.is_above(path)
            assert not place.is_below(path)


def test_a_new_issuing_key_of_a_city_makes_it_another_parent() -> None:
    own = OFFICES["donghu"].path
    renewed = IssuingOffice(node_id("yunzhou"), Digest("0" * 64))
    place = Place(Path((own.issuers[0], renewed), own.node))
    # The parent speaks under the province's key, which is the same.
    assert place.is_parent(OFFICES["yunzhou"].path)
    # What the old key certified is no longer beside this office, but elsewhere.
    hub = Place(OFFICES["yunzhou"].path, renewed)
    assert not hub.is_child(own)
    assert not hub.is_below(own)


def test_an_office_that_certifies_nobody_has_nobody_below() -> None:
    place = OFFICES["donghu"].place
    invented = Path((*OFFICES["donghu"].path.issuers, _anyone("donghu")), node_id("cunwei"))
    assert not place.is_child(invented)
    assert not place.is_below(invented)


@pytest.mark.parametrize("depth", [2, 3, 4, 5, 6])
def test_places_hold_at_every_depth(depth: int) -> None:
    offices = list(line(*(f"level-{n}" for n in range(depth)), now=NOW).values())
    for upper, office in enumerate(offices):
        for lower, other in enumerate(offices):
            assert office.place.is_above(other.path) is (lower < upper)
            assert office.place.is_below(other.path) is (lower > upper)
            assert office.place.is_parent(other.path) is (lower == upper - 1)
            assert office.place.is_child(other.path) is (lower == upper + 1)


def _anyone(name: str) -> IssuingOffice:
    return IssuingOffice(node_id(name), Digest("1" * 64))


# Chains. -----------------------------------------------------------------------------------------


def chain_of(*ders: x509.Certificate) -> tuple[bytes, ...]:
    return tuple(authorities.der(certificate) for certificate in ders)


DEEP = key("deep")
LAST_HUB = Shape(ca=True, signs=False, path_length=0)


def test_without_a_root_nothing_is_verified() -> None:
    with pytest.raises(ValueError, match="without a root certificate"):
        Chains([])


def test_six_offices_are_the_longest_line() -> None:
    offices = line(*(f"level-{n}" for n in range(6)), now=NOW)
    last = offices["level-4"].issuer
    assert last is not None
    hub = forgery.certificate("deep", DEEP.public_key(), last, LAST_HUB)
    leaf = forgery.certificate("deeper", DEEP.public_key(), Issuer(hub, DEEP), Shape())
    with pytest.raises(errors.ChainError, match="1 to 5 certificates"):
        offices["level-0"].chains.verify((*chain_of(leaf, hub), *offices["level-4"].issuers), NOW)


def test_a_hub_that_may_certify_no_hubs_certifies_one_in_vain() -> None:
    issuer = line("jiangyuan", "yunzhou", now=NOW)["jiangyuan"].issuer
    assert issuer is not None
    hub = forgery.certificate("deep", DEEP.public_key(), issuer, LAST_HUB)
    below = forgery.certificate("deeper", DEEP.public_key(), Issuer(hub, DEEP), LAST_HUB)
    leaf = forgery.certificate("deepest", DEEP.public_key(), Issuer(below, DEEP), Shape())
    with pytest.raises(errors.ChainError, match="lead to no trusted root"):
        Chains([issuer.certificate]).verify(chain_of(leaf, below, hub), NOW)


def test_what_was_asked_before_does_not_change_the_verdict() -> None:
    """The root ends before the office's certificate does."""
    root = line("jiangyuan", "yunzhou", now=NOW, days=10)["jiangyuan"].issuer
    assert root is not None
    shape = Shape(not_after=NOW + 20 * DAY)
    leaf = forgery.certificate("yunzhou", key("yunzhou").public_key(), root, shape)
    moments = [NOW - 2 * DAY, NOW, NOW + 9 * DAY, NOW + 11 * DAY, NOW + 21 * DAY]
    expected = [errors.ExpiredError, None, None, errors.ChainError, errors.ExpiredError]
    used = Chains([root.certificate])
    for chains in (used, used):
        assert [_verdict(chains, chain_of(leaf), moment) for moment in moments] == expected
    anew = [_verdict(Chains([root.certificate]), chain_of(leaf), m) for m in moments]
    assert anew == expected


def _verdict(
    chains: Chains, chain: tuple[bytes, ...], at: datetime
) -> type[errors.EnvelopeError] | None:
    try:
        chains.verify(chain, at)
    except errors.EnvelopeError as error:
        return type(error)
    return None


def test_a_renewed_root_takes_over_from_the_old_one() -> None:
    """Two certificates on one root key, one after the other, in the order of a dated set."""
    first = line("jiangyuan", "yunzhou", now=NOW, days=10)
    root = first["jiangyuan"].issuer
    assert root is not None
    renewed = certificates.root(node_id("jiangyuan"), root.key, Term(NOW + 9 * DAY, 365, 3))
    leaf = forgery.certificate("yunzhou", key("yunzhou").public_key(), root, Shape())
    chains = Chains([root.certificate, renewed])
    before = chains.verify(chain_of(leaf), NOW)
    after = chains.verify(chain_of(leaf), NOW + 30 * DAY)
    assert before.path == after.path
    assert chains.verify(chain_of(leaf), NOW).path == before.path


def test_results_are_remembered_up_to_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    assert CACHED_CHAINS >= 3_200, "every office of the country fits"
    monkeypatch.setattr("protocol.trust.CACHED_CHAINS", 2)
    chains = Chains([OFFICES["jiangyuan"].root])
    first = chains.verify(OFFICES["donghu"].signer.chain, NOW)
    assert chains.verify(OFFICES["donghu"].signer.chain, NOW) is first
    for name in ("xishan", "nanhe"):
        chains.verify(OFFICES[name].signer.chain, NOW)
    assert chains.verify(OFFICES["donghu"].signer.chain, NOW) is not first


@pytest.mark.parametrize("index", [0, 1])
def test_a_certificate_with_a_byte_changed_is_refused_or_means_the_same(index: int) -> None:
    """Whatever a parser makes of it: an error of the protocol, never another one.

    One byte may change: it counts the unused bits of the certificate's signature. So a revocation
    names a serial number, never a digest of the certificate.
    """
    good = OFFICES["donghu"].signer.chain
    chains = OFFICES["yunzhou"].chains
    accepted = set()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        for position in range(len(good[index])):
            for change in (0x01, 0x80, 0xFF):
                changed = bytearray(good[index])
                changed[position] ^= change
                chain = (*good[:index], bytes(changed), *good[index + 1 :])
                try:
                    assert chains.verify(chain, NOW).path == OFFICES["donghu"].path
                except errors.EnvelopeError:
                    continue
                accepted.add((position, good[index][position]))
    signature = x509.load_der_x509_certificate(good[index]).signature
    unused_bits = len(good[index]) - len(signature) - 1
    assert accepted <= {(unused_bits, 0)}


def test_a_name_of_a_kind_that_cannot_be_read_is_refused() -> None:
    """An X.400 address, which the library reports with an exception of its own."""
    issuer = OFFICES["yunzhou"].issuer
    assert issuer is not None
    name = x509.UnrecognizedExtension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, b"0\x02\xa3\x00")
    leaf = (
        x509.CertificateBuilder()
        .subject_name(OFFICES["donghu"].certificate.subject)
        .issuer_name(issuer.certificate.subject)
        .public_key(OFFICES["donghu"].key.public_key())
        .serial_number(5)
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + DAY)
        .add_extension(name, critical=False)
        .sign(issuer.key, SHA256())
    )
    with pytest.raises(errors.CertificateError, match="extensions cannot be read"):
        OFFICES["yunzhou"].chains.verify((*chain_of(leaf), *OFFICES["yunzhou"].issuers), NOW)
