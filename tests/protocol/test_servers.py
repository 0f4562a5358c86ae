"""`protocol/servers.py`: whose broker answers. Each refusal breaks one check, and only that."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from protocol import certificates, servers
from protocol.certificates import Term
from protocol.errors import CertificateError, ChainError, PathError, ZhitongError
from protocol.identifiers import NodeId, node_id, urn
from protocol.trust import Path
from tests.authorities import Office, der, hierarchy, key
from tests.factories import NOW
from tests.protocol import forgery
from tests.protocol.forgery import Shape

OFFICES = hierarchy(now=NOW)
JIANGYUAN, YUNZHOU, LANJIANG, DONGHU = (
    OFFICES[name] for name in ("jiangyuan", "yunzhou", "lanjiang", "donghu")
)
HOST = "broker.yunzhou.example"
SERVER = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])


def issued_by(
    hub: Office, hosts: Sequence[str] = (HOST,), *, name: NodeId | None = None, days: int = 90
) -> list[bytes]:
    """What the broker presents whose certificate the hub made, the root left out."""
    assert hub.issuer is not None
    public = key("broker").public_key()
    term = Term(NOW, days, 7)
    made = certificates.server_certificate(name or hub.id, public, hosts, hub.issuer, term)
    return [der(made), *hub.issuers]


def expected_above(child: Office) -> Path:
    """The broker of the office above: what issued its certificate has issued the child's too."""
    assert child.parent is not None
    return Path(child.path.issuers, child.parent)


def demand(
    chain: Sequence[bytes],
    *,
    at: datetime = NOW,
    host: str = HOST,
    expected: Path | None = None,
) -> None:
    servers.demand(
        chain,
        roots=[JIANGYUAN.root],
        at=at,
        host=host,
        expected=[expected or expected_above(DONGHU)],
    )


@pytest.mark.parametrize("child", ["yunzhou", "donghu"])
def test_the_broker_above_is_the_one_whose_hub_certified_this_office(child: str) -> None:
    hub = OFFICES[str(OFFICES[child].parent)]
    demand(issued_by(hub), expected=expected_above(OFFICES[child]))


@pytest.mark.parametrize("name", ["jiangyuan", "yunzhou"])
def test_a_hubs_own_broker_is_the_one_that_it_certified_itself(name: str) -> None:
    hub = OFFICES[name]
    assert hub.place.certifies is not None
    demand(issued_by(hub), expected=Path(hub.place.certifies, hub.id))
    demand([*issued_by(hub), der(hub.root)], expected=Path(hub.place.certifies, hub.id))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", HOST])
def test_each_name_and_address_in_the_certificate_may_be_dialled(host: str) -> None:
    demand(issued_by(YUNZHOU, ["127.0.0.1", "::1", "localhost", HOST]), host=host)


def shaped(**shape: Any) -> list[bytes]:
    """The city's server certificate with one thing changed."""
    names = (x509.UniformResourceIdentifier(urn(YUNZHOU.id)), x509.DNSName(HOST))
    assert YUNZHOU.issuer is not None
    right: dict[str, Any] = {"usage": SERVER, "names": names}
    made = forgery.certificate(
        "yunzhou", key("broker").public_key(), YUNZHOU.issuer, Shape(**right | shape)
    )
    return [der(made), *YUNZHOU.issuers]


NAMES: dict[str, tuple[x509.GeneralName, ...]] = {
    "no urn": (x509.DNSName(HOST),),
    "two urns": tuple(
        x509.UniformResourceIdentifier(urn(node_id(n))) for n in ("yunzhou", "lanjiang")
    ),
    "another kind of name": (
        x509.UniformResourceIdentifier(urn(YUNZHOU.id)),
        x509.DNSName(HOST),
        x509.RFC822Name("broker@example.com"),
    ),
}


def test_the_forged_shape_is_right_as_it_is() -> None:
    demand(shaped())


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
def test_1_a_server_names_one_office_and_hosts(names: tuple[x509.GeneralName, ...]) -> None:
    with pytest.raises(CertificateError):
        demand(shaped(names=names))


def test_1_a_server_states_its_usage() -> None:
    with pytest.raises(CertificateError, match="no extended key usage"):
        demand(shaped(usage=None))


ISSUERS: dict[str, dict[str, Any]] = {
    "names hosts": {
        "names": (x509.UniformResourceIdentifier(urn(YUNZHOU.id)), x509.DNSName(HOST)),
    },
    "states no usage": {"usage": None},
}


@pytest.mark.parametrize("changed", ISSUERS.values(), ids=ISSUERS)
def test_1_issuers_have_the_form_of_issuers(changed: dict[str, Any]) -> None:
    assert YUNZHOU.issuer is not None
    assert JIANGYUAN.issuer is not None
    right: dict[str, Any] = {"ca": True, "path_length": 3, "signs": False}
    shape = Shape(**right | {"usage": certificates.ISSUING_USAGE} | changed)
    above = forgery.certificate("yunzhou", YUNZHOU.issuer.key.public_key(), JIANGYUAN.issuer, shape)
    with pytest.raises(CertificateError):
        demand([issued_by(YUNZHOU)[0], der(above)])


REFUSED_CHAINS: dict[str, dict[str, Any]] = {
    "another name was dialled": {"host": "broker.lanjiang.example"},
    "an address was dialled that it does not name": {"host": "127.0.0.1"},
    "it has expired": {"at": NOW + timedelta(days=91)},
    "it does not count yet": {"at": NOW - timedelta(days=2)},
}


@pytest.mark.parametrize("changed", REFUSED_CHAINS.values(), ids=REFUSED_CHAINS)
def test_2_the_server_must_be_proven_now_and_under_its_name(changed: dict[str, Any]) -> None:
    with pytest.raises(ChainError):
        demand(issued_by(YUNZHOU), **changed)


def test_2_another_root_proves_nothing() -> None:
    other = hierarchy(now=NOW, seed="other")["yunzhou"]
    with pytest.raises(ChainError):
        demand(issued_by(other))


def test_2_without_certificates_nothing_is_proven() -> None:
    with pytest.raises(ChainError, match="no certificate"):
        demand([])


@pytest.mark.parametrize("office", [YUNZHOU, DONGHU], ids=["the hub's own", "a child's"])
def test_2_the_certificate_of_a_node_is_no_servers(office: Office) -> None:
    with pytest.raises(ChainError):
        demand(list(office.signer.chain))


STRANGERS: dict[str, list[bytes]] = {
    "a sibling of the hub": issued_by(LANJIANG),
    "a sibling in the hub's name": issued_by(LANJIANG, name=YUNZHOU.id),
    "the office above the hub, in its name": issued_by(JIANGYUAN, name=YUNZHOU.id),
    "the hub, for another office": issued_by(YUNZHOU, name=DONGHU.id),
}


@pytest.mark.parametrize("chain", STRANGERS.values(), ids=STRANGERS)
def test_3_a_server_elsewhere_in_the_tree_is_refused(chain: list[bytes]) -> None:
    with pytest.raises(PathError, match="expected was yunzhou as certified by"):
        demand(chain)


def test_a_server_certificate_signs_no_message() -> None:
    chain = tuple(issued_by(YUNZHOU))
    with pytest.raises(ZhitongError):
        DONGHU.chains.verify(chain, NOW)
    without_hosts = shaped(names=(x509.UniformResourceIdentifier(urn(YUNZHOU.id)),))
    with pytest.raises(ChainError):
        DONGHU.chains.verify(tuple(without_hosts), NOW)


@pytest.mark.parametrize("host", ["", "*.example", "a b", "-a", "政协", "a..b", "urn:x", "a" * 300])
def test_no_certificate_is_made_for_what_is_no_host(host: str) -> None:
    with pytest.raises(CertificateError, match="neither the name nor the address"):
        issued_by(YUNZHOU, [host])


def test_no_certificate_is_made_for_no_host() -> None:
    with pytest.raises(CertificateError, match="needs the name"):
        issued_by(YUNZHOU, [])


def test_a_twin_is_the_issuing_certificate_signed_by_itself() -> None:
    assert YUNZHOU.issuer is not None
    present, twin = YUNZHOU.issuer.certificate, certificates.twin(YUNZHOU.issuer, 9)
    twin.verify_directly_issued_by(twin)
    assert (twin.subject, twin.public_key()) == (present.subject, present.public_key())
    assert twin.not_valid_before_utc == present.not_valid_before_utc
    assert twin.not_valid_after_utc == present.not_valid_after_utc
    DONGHU.certificate.verify_directly_issued_by(twin)
    limits = twin.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (limits.ca, limits.path_length) == (True, 0)
