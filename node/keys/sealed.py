"""Private keys under a passphrase: encrypted PKCS #8 (RFC 5958) by PBES2 (RFC 8018).

The key is derived with scrypt (RFC 7914: N 16,384, r 8, p 5; 16 MB of memory a guess) and encrypts
with AES-256 in CBC mode. `openssl pkey` reads the file. Written here, since the library writes
PBKDF2 with 2,048 rounds alone, which tries a passphrase a hundred times faster; it reads both.
"""

from __future__ import annotations

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import ObjectIdentifier

COST, BLOCK, PARALLEL = 2**14, 8, 5
SALT_BYTES, BLOCK_BYTES, KEY_BYTES = 16, 16, 32
RANDOM_BYTES = SALT_BYTES + BLOCK_BYTES

PBES2 = ObjectIdentifier("1.2.840.113549.1.5.13")
SCRYPT = ObjectIdentifier("1.3.6.1.4.1.11591.4.11")
AES_256_CBC = ObjectIdentifier("2.16.840.1.101.3.4.1.42")

_SEQUENCE, _INTEGER, _OCTETS, _IDENTIFIER = 0x30, 0x02, 0x04, 0x06


def seal(key: ec.EllipticCurvePrivateKey, passphrase: bytes, randomness: bytes) -> bytes:
    """The key under the passphrase (DER); needs `RANDOM_BYTES` random bytes."""
    if len(randomness) != RANDOM_BYTES:
        raise ValueError(f"sealing needs {RANDOM_BYTES} random bytes")
    salt, vector = randomness[:SALT_BYTES], randomness[SALT_BYTES:]
    derived = Scrypt(salt=salt, length=KEY_BYTES, n=COST, r=BLOCK, p=PARALLEL).derive(passphrase)
    padder = padding.PKCS7(AES256.block_size).padder()
    plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    encryptor = Cipher(AES256(derived), CBC(vector)).encryptor()
    sealed = encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()
    costs = _element(_OCTETS, salt) + b"".join(_integer(n) for n in (COST, BLOCK, PARALLEL))
    kdf = _sequence(_identifier(SCRYPT), _sequence(costs, _integer(KEY_BYTES)))
    cipher = _sequence(_identifier(AES_256_CBC), _element(_OCTETS, vector))
    scheme = _sequence(_identifier(PBES2), _sequence(kdf, cipher))
    return _sequence(scheme, _element(_OCTETS, sealed))


def _sequence(*parts: bytes) -> bytes:
    return _element(_SEQUENCE, b"".join(parts))


def _integer(value: int) -> bytes:
    return _element(_INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _element(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + content


def _identifier(identifier: ObjectIdentifier) -> bytes:
    first, second, *rest = (int(arc) for arc in identifier.dotted_string.split("."))
    content = bytearray()
    for arc in (first * 40 + second, *rest):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(0x80 | arc & 0x7F)
        content += bytes(reversed(groups))
    return _element(_IDENTIFIER, bytes(content))
