"""TLS with the node's own certificate: what this office presents to the brokers that it dials.

The broker of the office above trusts what that office issued: the node certificate. This office's
own broker likewise trusts only what this office issued, and a hub's node certificate is from the
office above; so the hub issues itself another one on the same key, for a few days and in memory.
The top office's node certificate is its own issue and serves for both.

Files are read when a broker is dialled and they differ from the last time, so a renewed certificate
is presented from the next dial on. OpenSSL reads keys from files alone; here from one in memory,
since the key may lie encrypted on the disk. Which broker is the right one is not decided here.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from node.keys.ring import KeyRing
from node.keys.terms import OWN_BROKER_DAYS, term
from protocol import certificates
from protocol.identifiers import NodeId

State = tuple[date, tuple[tuple[int, int] | None, ...]]


class Presenting:
    """Makes the TLS contexts with which a node dials one broker."""

    def __init__(
        self, ring: KeyRing, node: NodeId, *, self_issued: bool, clock: Callable[[], datetime]
    ) -> None:
        self._ring = ring
        self._node = node
        self._self_issued = self_issued
        self._clock = clock
        self._made: tuple[State, ssl.SSLContext] | None = None

    def context(self) -> ssl.SSLContext:
        """For the next dial. Reads files, and decrypts: call it in a thread.

        Raises `ConfigurationError`.
        """
        state = self._state()
        if self._made is None or self._made[0] != state:
            self._made = (state, self._make())
        return self._made[1]

    def _state(self) -> State:
        ring = self._ring
        files = [ring.node_key, ring.next_key, ring.node_chain, ring.root]
        if self._self_issued:
            files += [ring.issuing_key, ring.issuing_chain]
        return self._clock().date(), tuple(map(_stamp, files))

    def _make(self) -> ssl.SSLContext:
        key, chain = self._ring.node()
        certificate = self._own_issue(key) if self._self_issued else chain[0]
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        roots = b"".join(root.public_bytes(Encoding.PEM) for root in self._ring.roots())
        made.load_verify_locations(cadata=roots.decode())
        _present(made, key, certificate)
        return made

    def _own_issue(self, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
        asked = certificates.request(self._node, key)
        days = term(self._clock(), OWN_BROKER_DAYS)
        return certificates.node_certificate(asked, self._ring.issuer(), days)


def _present(
    context: ssl.SSLContext, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate
) -> None:
    # Without issuers: the broker trusts the one that made it, or should not trust it.
    clear = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with os.fdopen(os.memfd_create("zhitong-tls"), "wb") as memory:
        memory.write(clear + certificate.public_bytes(Encoding.PEM))
        memory.flush()
        context.load_cert_chain(f"/proc/self/fd/{memory.fileno()}")


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns
