"""Key rings of the tests' offices in real files, and the TLS with which they dial brokers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from node.keys import file
from node.keys.ring import KeyRing
from node.keys.tls import Presenting
from node.relay.tls import Tls
from protocol import certificates, trust
from protocol.certificates import Term
from tests import authorities
from tests.authorities import Office

DAYS = 90


def system_clock() -> datetime:
    """The time by which OpenSSL and brokers judge."""
    return datetime.now(UTC)


def write(office: Office, folder: Path, passphrase: bytes | None = None) -> KeyRing:
    """The office's keys and certificates, in this folder."""
    folder.mkdir(parents=True, exist_ok=True)
    names = ("node.key", "node.pem", "issuing.key", "issuing.pem", "root.pem")
    ring = KeyRing(*(folder / name for name in names), passphrase=passphrase)
    file.write_private_key(ring.node_key, office.key, passphrase)
    file.write_certificates(ring.node_chain, _read(office.signer.chain))
    file.write_certificates(ring.root, [office.root])
    if office.issuer is not None:
        above = [] if office.parent is None else _read(office.signer.chain[1:])
        file.write_private_key(ring.issuing_key, office.issuer.key, passphrase)
        file.write_certificates(ring.issuing_chain, [office.issuer.certificate, *above])
    return ring


def above(office: Office, folder: Path) -> Tls:
    """For the broker of the office above."""
    assert office.parent is not None
    expected = trust.Path(office.path.issuers, office.parent)
    return _tls(office, write(office, folder), expected, self_issued=False)


def own(office: Office, folder: Path) -> Tls:
    """For a hub's own broker."""
    assert office.place.certifies is not None
    expected = trust.Path(office.place.certifies, office.id)
    return _tls(office, write(office, folder), expected, self_issued=office.parent is not None)


def write_server(
    hub: Office, hosts: Sequence[str], folder: Path, *, name: str | None = None
) -> None:
    """The files of the hub's broker: `server.key`, `server.pem`, `ca.pem`."""
    assert hub.issuer is not None
    now, secret = system_clock(), authorities.key(f"{hub.id}/broker")
    node = authorities.node_id(name or hub.id)
    made = certificates.server_certificate(
        node, secret.public_key(), hosts, hub.issuer, Term(now, DAYS, 7)
    )
    folder.mkdir(parents=True, exist_ok=True)
    file.replace_private_key(folder / "server.key", secret, None)
    file.write_certificates(folder / "server.pem", [made, *_read(hub.issuers)])
    file.write_certificates(folder / "ca.pem", [certificates.twin(hub.issuer, 8)])


def _tls(office: Office, ring: KeyRing, expected: trust.Path, *, self_issued: bool) -> Tls:
    clock: Callable[[], datetime] = system_clock
    presenting = Presenting(ring, office.id, self_issued=self_issued, clock=clock)
    return Tls(office.id, presenting, lambda: [expected], lambda: [office.root], clock)


def _read(chain: Sequence[bytes]) -> list[x509.Certificate]:
    return [x509.load_der_x509_certificate(der) for der in chain]
