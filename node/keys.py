"""Keys at rest: reading and writing PEM files. What the keys mean is decided in `protocol`.

Private keys are written readable by their owner alone. The node's key is read by the process that
runs the relay; pages never hold one. The issuing key is read by `zhitong certify` alone.
"""

from __future__ import annotations

import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from node.errors import ConfigurationError
from protocol.keys import P256Signer


def new_private_key() -> ec.EllipticCurvePrivateKey:
    """A new key on P-256, from the operating system's randomness."""
    return ec.generate_private_key(ec.SECP256R1())


def write_private_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    """Write the key (PEM, PKCS #8), mode 0600. Refuses to replace one: `FileExistsError`."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def read_private_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """Read a key. Raises `ConfigurationError`."""
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise ConfigurationError(f"cannot read the private key {path}: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ConfigurationError(f"{path} does not hold an elliptic-curve key")
    return key


def write_certificates(path: Path, certificates: list[x509.Certificate]) -> None:
    """Write certificates (PEM), the leaf first."""
    path.write_bytes(b"".join(c.public_bytes(Encoding.PEM) for c in certificates))


def read_certificates(path: Path) -> list[x509.Certificate]:
    """Read certificates, the leaf first. Raises `ConfigurationError`."""
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"cannot read the certificates {path}: {error}") from error


def file_signer(key: Path, chain: Path) -> P256Signer:
    """A signer whose key and chain (leaf first, without the root) lie in files."""
    certificates = read_certificates(chain)
    return P256Signer(
        read_private_key(key), tuple(c.public_bytes(Encoding.DER) for c in certificates)
    )
