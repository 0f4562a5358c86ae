"""The brokers of an office: which it may dial, how it and they prove themselves over TLS.

What a hub's own broker needs for that are three files: its key, its certificate with the issuing
ones below the root, and the one certificate that it trusts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path as Folder

import structlog
from cryptography import x509

from node.bootstrap import keyring
from node.config import Settings
from node.errors import ConfigurationError
from node.keys import file as keys
from node.keys.ring import KeyRing
from node.keys.terms import NODE_DAYS, term
from node.keys.tls import Presenting
from node.relay import addresses
from node.relay.tls import Tls
from node.workflow.desk import Desk
from protocol import certificates
from protocol.identifiers import NodeId
from protocol.trust import IssuingOffice, Path

log = structlog.get_logger()

Clock = Callable[[], datetime]
"""The machine's: brokers judge what is presented by theirs."""

SERVER_KEY, SERVER_CHAIN, TRUSTED = "server.key", "server.pem", "ca.pem"


def demand(settings: Settings) -> None:
    """Raises `ConfigurationError` where this office or one below may not dial a broker as named."""
    for address in _named(settings):
        addresses.demand(address, plain_amqp=settings.relay.plain_amqp)


def warn(settings: Settings) -> None:
    """Complain of brokers that are dialled in the clear."""
    for address in _named(settings):
        if addresses.is_exposed(address):
            log.warning("broker.plain", node=settings.office.id, hint="use amqps")


def above(ring: KeyRing, desk: Desk, clock: Clock) -> Tls | None:
    """For the broker of the office above: issued by what issued this office's certificate."""
    if desk.parent is None:
        return None
    return below(ring, desk, clock, NodeId(desk.parent.id))


def below(ring: KeyRing, desk: Desk, clock: Clock, parent: NodeId) -> Tls:
    """For the broker of this parent, or former one, with the ring of that place."""

    def expected() -> list[Path]:
        owns = desk.place.owns
        return [Path(own.issuers, parent) for own in owns if own.issuers[-1].node == parent]

    return _tls(ring, desk, clock, expected, self_issued=False)


def own(ring: KeyRing, desk: Desk, clock: Clock) -> Tls | None:
    """For this office's own broker: issued by this office, as what it presents there is."""
    issuers: tuple[IssuingOffice, ...] | None = desk.place.certifies
    if issuers is None:
        return None
    # The top office's node certificate is its own issue already.
    self_issued = desk.place.own.issuers != issuers

    def expected() -> list[Path]:
        return [Path(line, desk.node) for line in desk.place.lines]

    return _tls(ring, desk, clock, expected, self_issued=self_issued)


def certify(
    settings: Settings, hosts: Sequence[str], folder: Folder, now: datetime
) -> x509.Certificate:
    """Write the files for this hub's broker, with a new key, over those that are there.

    The key is not encrypted: the broker reads it. Raises `ConfigurationError` where this office
    may not issue or the folder cannot be written, `CertificateError` for a host that is none.
    """
    if not settings.path(settings.keys.issuing_chain).exists():
        raise ConfigurationError("this office has no issuing certificate: it needs no broker")
    ring = keyring.of(settings)
    issuer, key = ring.issuer(), keys.new_private_key()
    made = certificates.server_certificate(
        NodeId(settings.office.id), key.public_key(), hosts, issuer, term(now, NODE_DAYS)
    )
    below_root = [c for c in ring.issuers() if c.subject != c.issuer]
    twin = certificates.twin(issuer, x509.random_serial_number())
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        keys.replace_private_key(folder / SERVER_KEY, key, None)
        keys.write_certificates(folder / SERVER_CHAIN, [made, *below_root])
        keys.write_certificates(folder / TRUSTED, [twin])
    except OSError as error:
        raise ConfigurationError(f"cannot write into {folder}: {error.strerror}") from error
    return made


def _named(settings: Settings) -> list[str]:
    hub = settings.hub
    own = (hub.broker, hub.address) if hub is not None else ()
    return [a for a in (keyring.parent_broker(settings), *own) if a is not None]


def _tls(
    ring: KeyRing,
    desk: Desk,
    clock: Clock,
    expected: Callable[[], list[Path]],
    *,
    self_issued: bool,
) -> Tls:
    return Tls(
        node=desk.node,
        presenting=Presenting(ring, desk.node, self_issued=self_issued, clock=clock),
        expected=expected,
        roots=lambda: desk.chains.roots,
        clock=clock,
    )
