"""All keys and certificates of one office: where they lie, and with which passphrase."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from node.errors import KeyFileError
from node.keys import file
from node.keys.signer import FileSigner, next_key, read_fitting
from protocol.certificates import Issuer


@dataclass(frozen=True)
class KeyRing:
    """The files of one office. Reads them when it is asked, and keeps no key in memory."""

    node_key: Path
    node_chain: Path
    issuing_key: Path
    issuing_chain: Path
    root: Path
    passphrase: bytes | None = field(repr=False)

    @property
    def next_key(self) -> Path:
        """Where the key lies for which a certificate was asked."""
        return next_key(self.node_key)

    @property
    def keys(self) -> list[Path]:
        """The key files that are there."""
        return [p for p in (self.node_key, self.next_key, self.issuing_key) if p.exists()]

    def signer(self) -> FileSigner:
        """The node's signer. Raises `ConfigurationError`."""
        return FileSigner(self.node_key, self.node_chain, self.passphrase)

    def node(self) -> tuple[ec.EllipticCurvePrivateKey, list[x509.Certificate]]:
        """The node's key and its chain, as they fit now. Raises `ConfigurationError`."""
        return read_fitting(self.node_key, self.node_chain, self.passphrase)

    def issuer(self) -> Issuer:
        """The issuing certificate and key. Raises `ConfigurationError`."""
        certificate = self.issuers()[0]
        key = file.read_private_key(self.issuing_key, self.passphrase)
        if key.public_key() != certificate.public_key():
            raise KeyFileError(f"{self.issuing_key} is not the key of the certificate beside it")
        return Issuer(certificate, key)

    def issuers(self) -> list[x509.Certificate]:
        """The issuing certificate and those above it. Raises `ConfigurationError`."""
        return file.read_certificates(self.issuing_chain)

    def roots(self) -> list[x509.Certificate]:
        """The roots, the newest first. Raises `ConfigurationError`."""
        return file.read_certificates(self.root)
