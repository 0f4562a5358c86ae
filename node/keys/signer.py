"""The node's signer: its key and chain lie in files, and may be renewed while it signs.

While a new certificate is put in place there are two key files, `node.key` and `node.key.next`, and
the one that fits the chain in `node.pem` counts (`relay/renewer` says in which order they change).
"""

from __future__ import annotations

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from node.errors import KeyFileError
from node.keys import file
from protocol.keys import P256Signer, Signer


class FileSigner:
    """Signs with the key that fits the chain (leaf first, without the root). `reload` renews it."""

    algorithm = "ES256"

    def __init__(self, key: Path, chain: Path, passphrase: bytes | None) -> None:
        self._key, self._chain, self._passphrase = key, chain, passphrase
        self._now = self._read()

    @property
    def chain(self) -> tuple[bytes, ...]:
        """The chain that counts now."""
        return self._now.chain

    def sign(self, message: bytes) -> bytes:
        """Sign with the key that counts now."""
        return self._now.sign(message)

    def fixed(self) -> Signer:
        """The key and chain of this moment."""
        return self._now

    def reload(self) -> None:
        """Read key and chain again. Raises `ConfigurationError`."""
        self._now = self._read()

    def _read(self) -> P256Signer:
        key, certificates = read_fitting(self._key, self._chain, self._passphrase)
        return P256Signer(key, tuple(c.public_bytes(Encoding.DER) for c in certificates))


def read_fitting(
    key: Path, chain: Path, passphrase: bytes | None
) -> tuple[ec.EllipticCurvePrivateKey, list[x509.Certificate]]:
    """The chain in the file, and the key that fits it. Raises `ConfigurationError`."""
    try:
        return _load(key, chain, passphrase)
    except KeyFileError:
        # Another process may have put a new key in place between the reading of two files.
        return _load(key, chain, passphrase)


def _load(
    key: Path, chain: Path, passphrase: bytes | None
) -> tuple[ec.EllipticCurvePrivateKey, list[x509.Certificate]]:
    certificates = file.read_certificates(chain)
    return _fitting(key, certificates[0].public_key(), passphrase), certificates


def next_key(key: Path) -> Path:
    """Where the key lies for which a certificate was asked."""
    return key.with_name(key.name + ".next")


def _fitting(path: Path, public: object, passphrase: bytes | None) -> ec.EllipticCurvePrivateKey:
    for candidate in (path, next_key(path)):
        if candidate == path or candidate.exists():
            key = file.read_private_key(candidate, passphrase)
            if key.public_key() == public:
                return key
    raise KeyFileError(f"{path} is not the key of the certificate beside it")
