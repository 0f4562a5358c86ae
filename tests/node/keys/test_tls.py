"""What a node presents to brokers, as a TLS server sees it that trusts what hubs' brokers trust."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from node.errors import KeyPassphraseError
from node.keys import file
from node.keys.ring import KeyRing
from node.keys.tls import Presenting
from protocol import certificates
from protocol.certificates import Term
from tests import authorities, rings
from tests.authorities import Office

NOW = datetime.now(UTC)
OFFICES = authorities.hierarchy(now=NOW)
COUNTY, CITY, PROVINCE = (OFFICES[name] for name in ("donghu", "yunzhou", "jiangyuan"))
HOST = "localhost"


def broker_of(hub: Office, folder: Path) -> ssl.SSLContext:
    """The server's side, as the hub's broker has it."""
    rings.write_server(hub, [HOST], folder)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(folder / "server.pem", folder / "server.key")
    made.load_verify_locations(folder / "ca.pem")
    made.verify_mode = ssl.CERT_REQUIRED
    return made


def presented(context: ssl.SSLContext, broker: ssl.SSLContext) -> x509.Certificate:
    """The certificate that the broker took, after both have proved themselves."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    node = context.wrap_bio(down, up, server_hostname=HOST)
    server = broker.wrap_bio(up, down, server_side=True)
    ends = [node, server]
    while ends:
        for end in tuple(ends):
            try:
                end.do_handshake()
                ends.remove(end)
            except ssl.SSLWantReadError:
                continue
    der = server.getpeercert(binary_form=True)
    assert der is not None
    return x509.load_der_x509_certificate(der)


def presenting(office: Office, ring: KeyRing, *, self_issued: bool = False) -> Presenting:
    return Presenting(ring, office.id, self_issued=self_issued, clock=lambda: NOW)


@pytest.mark.parametrize("passphrase", [None, b"a-long-passphrase"], ids=["clear", "encrypted"])
def test_the_node_certificate_opens_the_broker_above(
    tmp_path: Path, passphrase: bytes | None
) -> None:
    ring = rings.write(COUNTY, tmp_path / "keys", passphrase)
    taken = presented(presenting(COUNTY, ring).context(), broker_of(CITY, tmp_path / "broker"))
    assert taken == COUNTY.certificate


def test_the_top_offices_node_certificate_opens_its_own_broker(tmp_path: Path) -> None:
    ring = rings.write(PROVINCE, tmp_path / "keys")
    broker = broker_of(PROVINCE, tmp_path / "broker")
    assert presented(presenting(PROVINCE, ring).context(), broker) == PROVINCE.certificate


def test_to_its_own_broker_a_hub_presents_what_it_issued_itself(tmp_path: Path) -> None:
    ring = rings.write(CITY, tmp_path / "keys")
    broker = broker_of(CITY, tmp_path / "broker")
    with pytest.raises(ssl.SSLError, match="self-signed certificate in certificate chain"):
        presented(presenting(CITY, ring).context(), broker)
    taken = presented(presenting(CITY, ring, self_issued=True).context(), broker)
    assert certificates.node_of(taken.extensions) == CITY.id
    assert taken.subject.rfc4514_string() == "CN=yunzhou,O=Zhitong"
    assert taken.public_key() == CITY.key.public_key()
    assert taken.not_valid_after_utc - NOW < timedelta(days=4)


def test_a_renewed_certificate_is_presented_from_the_next_dial_on(tmp_path: Path) -> None:
    ring = rings.write(COUNTY, tmp_path / "keys")
    broker = broker_of(CITY, tmp_path / "broker")
    made = presenting(COUNTY, ring)
    first = made.context()
    assert made.context() is first
    assert CITY.issuer is not None
    key = file.new_private_key()
    asked = certificates.request(COUNTY.id, key)
    renewed = certificates.node_certificate(asked, CITY.issuer, Term(NOW, 30, 4711))
    file.write_private_key(ring.next_key, key, None)
    assert presented(made.context(), broker) == COUNTY.certificate
    above = [x509.load_der_x509_certificate(der) for der in COUNTY.signer.chain[1:]]
    file.write_certificates(ring.node_chain, [renewed, *above])
    assert presented(made.context(), broker) == renewed
    file.move(ring.next_key, ring.node_key)
    assert presented(made.context(), broker) == renewed


def test_what_a_hub_issued_itself_is_issued_anew_each_day(tmp_path: Path) -> None:
    now = NOW
    ring = rings.write(CITY, tmp_path / "keys")
    made = Presenting(ring, CITY.id, self_issued=True, clock=lambda: now)
    first = made.context()
    now = NOW + timedelta(days=1)
    assert made.context() is not first


def test_a_stranger_with_the_brokers_name_is_refused_by_tls(tmp_path: Path) -> None:
    ring = rings.write(COUNTY, tmp_path / "keys")
    other = authorities.hierarchy(now=NOW, seed="other")["yunzhou"]
    with pytest.raises(ssl.SSLCertVerificationError):
        presented(presenting(COUNTY, ring).context(), broker_of(other, tmp_path / "broker"))


def test_without_the_passphrase_nothing_is_presented(tmp_path: Path) -> None:
    ring = rings.write(COUNTY, tmp_path / "keys", b"a-long-passphrase")
    with pytest.raises(KeyPassphraseError):
        presenting(COUNTY, KeyRing(**{**vars(ring), "passphrase": None})).context()


def test_the_key_is_written_nowhere(tmp_path: Path) -> None:
    ring = rings.write(COUNTY, tmp_path / "keys")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    presenting(COUNTY, ring).context()
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert COUNTY.certificate.public_bytes(Encoding.PEM) in ring.node_chain.read_bytes()
