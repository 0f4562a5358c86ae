"""Sealing bytes with a passphrase: scrypt (RFC 7914) for the key, AES-256-GCM for the content."""

from __future__ import annotations

import base64
import json

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from node.errors import PassphraseError

SALT_BYTES, NONCE_BYTES, KEY_BYTES = 16, 12, 32
COST, BLOCK, PARALLEL = 2**17, 8, 1
"""128 MB of memory and a good part of a second for each guess."""

MOST_COST = 2**20
SHORTEST = 12


def seal(content: bytes, passphrase: str, randomness: bytes) -> bytes:
    """Seal with a passphrase; needs 28 random bytes. Raises `PassphraseError` if it is short."""
    if len(passphrase) < SHORTEST:
        raise PassphraseError(f"the passphrase needs at least {SHORTEST} characters")
    if len(randomness) != SALT_BYTES + NONCE_BYTES:
        raise ValueError(f"sealing needs {SALT_BYTES + NONCE_BYTES} random bytes")
    salt, nonce = randomness[:SALT_BYTES], randomness[SALT_BYTES:]
    header = {"kdf": "scrypt", "n": COST, "r": BLOCK, "p": PARALLEL, "cipher": "A256GCM"}
    key = Scrypt(salt=salt, length=KEY_BYTES, n=COST, r=BLOCK, p=PARALLEL)
    sealed = AESGCM(key.derive(passphrase.encode())).encrypt(nonce, content, None)
    parts = {"salt": salt, "nonce": nonce, "content": sealed}
    return json.dumps(
        header | {name: base64.b64encode(part).decode() for name, part in parts.items()}
    ).encode()


def unseal(sealed: bytes, passphrase: str) -> bytes:
    """The content. Raises `PassphraseError` for a wrong passphrase or altered bytes."""
    try:
        parts = json.loads(sealed)
        cost = min(int(parts["n"]), MOST_COST)
        salt, nonce, content = (
            base64.b64decode(parts[name]) for name in ("salt", "nonce", "content")
        )
        key = Scrypt(salt=salt, length=KEY_BYTES, n=cost, r=int(parts["r"]), p=int(parts["p"]))
        return AESGCM(key.derive(passphrase.encode())).decrypt(nonce, content, None)
    except (ValueError, TypeError, KeyError, InvalidTag) as error:
        raise PassphraseError("the passphrase is wrong, or the backup was altered") from error
