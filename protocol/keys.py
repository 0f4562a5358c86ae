"""Signing keys: the `Signer` interface, and the one suite that is spoken today (ES256).

Where keys are kept is not decided here: implementations that read files or devices live in
`node/keys`. A hardware module is one more implementation.
"""

from __future__ import annotations

from typing import Protocol

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

COORDINATE_BYTES = 32


class Signer(Protocol):
    """Signs in the name of one node."""

    @property
    def algorithm(self) -> str:
        """The JWS algorithm (RFC 7518 §3.1)."""

    @property
    def chain(self) -> tuple[bytes, ...]:
        """The node certificate and its issuers below the root (DER, leaf first)."""

    def sign(self, message: bytes) -> bytes:
        """The signature in JWS form: for ES256, r and s in 32 bytes each (RFC 7518 §3.4)."""

    def fixed(self) -> Signer:
        """This signer as it is now: its chain and its key fit, whatever is renewed meanwhile."""


class P256Signer:
    """A `Signer` with its private key in memory. Signs deterministically (RFC 6979)."""

    algorithm = "ES256"

    def __init__(self, key: ec.EllipticCurvePrivateKey, chain: tuple[bytes, ...]) -> None:
        if not isinstance(key.curve, ec.SECP256R1):
            raise ValueError("ES256 needs a key on the curve P-256")
        self._key = key
        self._algorithm = ec.ECDSA(SHA256(), deterministic_signing=True)
        self.chain = chain

    def sign(self, message: bytes) -> bytes:
        r, s = decode_dss_signature(self._key.sign(message, self._algorithm))
        return r.to_bytes(COORDINATE_BYTES, "big") + s.to_bytes(COORDINATE_BYTES, "big")

    def fixed(self) -> Signer:
        return self
