"""How this office and a broker prove to each other who they are, before a word of AMQP is said.

This office presents a certificate that the broker's own hub issued (`keys/tls`); with it, it needs
no password. The broker's must lead to the root under the name that was dialled, which TLS sees to,
and must have been issued by exactly the office that is expected (`protocol/servers`): a sibling of
the hub leads to the same root.
"""

from __future__ import annotations

import asyncio
import ssl
from _ssl import ENCODING_DER
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from node.keys.tls import Presenting
from protocol import servers
from protocol.identifiers import NodeId
from protocol.trust import Path


@dataclass(frozen=True)
class Tls:
    """What is presented to one broker, and what is demanded of it."""

    node: NodeId
    presenting: Presenting
    expected: Callable[[], Sequence[Path]]
    """The broker's path, also that before this office heard of a move."""
    roots: Callable[[], Sequence[x509.Certificate]]
    clock: Callable[[], datetime]

    async def context(self) -> ssl.SSLContext:
        """For the next dial. Raises `ConfigurationError`."""
        return await asyncio.to_thread(self.presenting.context)

    def demand(self, connection: ssl.SSLObject, host: str) -> None:
        """Raises `ProtocolError` unless the other end is the broker that is expected."""
        # Public on the connection itself from Python 3.13 on.
        chain = connection._sslobj.get_verified_chain()  # type: ignore[attr-defined]
        servers.demand(
            [certificate.public_bytes(ENCODING_DER) for certificate in chain],
            roots=self.roots(),
            at=self.clock(),
            host=host,
            expected=self.expected(),
        )
