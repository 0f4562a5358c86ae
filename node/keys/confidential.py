"""Words for the holder of one key alone: a JWE compact token (ECDH-ES with A256GCM).

With it an office is told its broker's password before anything else connects the two. It says
nothing about who wrote the words.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from node.errors import KeyFileError

HEADER = {"alg": "ECDH-ES", "enc": "A256GCM"}


def close(words: str, key: ec.EllipticCurvePublicKey) -> str:
    """Close the words so that only the key's holder can read them."""
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    # A header of its own: the library writes the key of this one exchange into it.
    return jwe.encrypt_compact(dict(HEADER), words, ECKey.import_key(pem))


def read(text: str, key: ec.EllipticCurvePrivateKey) -> str:
    """Read the words. Raises `KeyFileError` where they are not for this key."""
    try:
        opened = jwe.decrypt_compact(text, ECKey.import_key(key), algorithms=list(HEADER.values()))
        return (opened.plaintext or b"").decode()
    except (JoseError, ValueError) as error:
        raise KeyFileError("what came is not for this office's key") from error
