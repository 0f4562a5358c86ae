"""Whose broker answers: the certificates with which a server proves itself, and their path.

As with messages, a chain alone proves little: any issuing certificate below the root could certify
a server in any office's name. What counts is the path, and only the one that is expected.

 1. Certificates have the demanded form: P-256, an extended key usage, one urn; beside it names of
    hosts for the server, nothing for its issuers.                             CertificateError
 2. They lead to a root, now, for servers, under the name that was dialled.    ChainError
 3. The issuing offices and keys are those that are expected, and the server
    is that of the office that is expected.                                    PathError

What the caller must still do: have TLS prove that the server holds the key of the first one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from ipaddress import ip_address

from cryptography import x509
from cryptography.x509 import verification

from protocol import certificates
from protocol.errors import ChainError, PathError
from protocol.trust import IssuingOffice, Path, examine_form, issuing_office, parse


def demand(
    chain: Sequence[bytes],
    *,
    roots: Sequence[x509.Certificate],
    at: datetime,
    host: str,
    expected: Sequence[Path],
) -> None:
    """Raises unless the chain (DER, the server's first) is that of the expected office's server.

    Certificates that the chain does not need, the root among them, are passed over.
    """
    parsed = [parse(der) for der in chain]
    if not parsed:
        raise ChainError("the server presented no certificate")
    # 1.
    node = examine_form(parsed[0], hosts=True)
    for issuer in parsed[1:]:
        examine_form(issuer)
    # 2.
    try:
        found = (
            verification.PolicyBuilder()
            .store(verification.Store(list(roots)))
            .time(at)
            .max_chain_depth(certificates.MAXIMUM_DEPTH)
            .build_server_verifier(_subject(host))
            .verify(parsed[0], parsed[1:])
        )
    except verification.VerificationError as error:
        raise ChainError(f"the server's certificates lead to no trusted root: {error}") from error
    # 3.
    issuers: tuple[IssuingOffice, ...] = tuple(issuing_office(c) for c in reversed(found[1:]))
    if Path(issuers, node) not in expected:
        wanted = " or ".join(map(_spelled, expected))
        raise PathError(
            f"the server is {_spelled(Path(issuers, node))}; expected was {wanted}, "
            "on the keys that certified this office"
        )


def _spelled(path: Path) -> str:
    return f"{path.node} as certified by {'/'.join(issuer.node for issuer in path.issuers)}"


def _subject(host: str) -> x509.DNSName | x509.IPAddress:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
