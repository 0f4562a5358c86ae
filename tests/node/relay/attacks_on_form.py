"""Attacks on the form of a token: checks 1 to 3, 6, 7 and 10 of `protocol/envelope.py`.

The attacker sits on the wire or at the broker and has read messages of the county, certificates
and all. Where a signature must fit, it has taken over the county's node.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import zlib
from collections.abc import Callable

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from protocol.envelope import MAXIMUM_TOKEN
from protocol.keys import P256Signer
from tests import authorities
from tests.node.relay.attacks import refused
from tests.node.relay.ends import CITY, Ends
from tests.node.relay.forgeries import headed, honest, payload
from tests.protocol import forgery
from tests.protocol.forgery import encode, respell

TEN_MEGABYTES = 10_000_000


@refused("envelope.malformed")
def no_token(ends: Ends) -> bytes:
    """Can publish to the queue, and sends what is no message at all."""
    return bytes(range(256))


@refused("envelope.malformed")
def nothing(ends: Ends) -> bytes:
    """Sends an empty body."""
    return b""


# The algorithm. ----------------------------------------------------------------------------------


@refused("envelope.algorithm")
def algorithm_none(ends: Ends) -> bytes:
    """Takes the signature away and says that none is needed."""
    return _unsigned(headed(ends, alg="none")) + b"."


@refused("envelope.algorithm")
def hs256_with_the_public_key(ends: Ends) -> bytes:
    """Signs with what everybody knows, and hopes that it is taken for a shared secret."""
    certificate = x509.load_der_x509_certificate(ends.county.signer.chain[0])
    public = certificate.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signed = _unsigned(headed(ends, alg="HS256"))
    return signed + b"." + encode(hmac.new(public, signed, hashlib.sha256).digest())


@refused("envelope.algorithm")
def algorithm_of_another_key(ends: Ends) -> bytes:
    """Names an algorithm for keys on another curve than the certificate's."""
    return headed(ends, alg="ES384")


# The signature. ----------------------------------------------------------------------------------


@refused("envelope.signature")
def another_payload(ends: Ends) -> bytes:
    """Puts other words under a signature of the county."""
    head, _, signature = honest(ends).split(b".")
    return b".".join((head, honest(ends).split(b".")[1], signature))


@refused("envelope.signature")
def another_header(ends: Ends) -> bytes:
    """Makes the county appear as a later incarnation, so that it locks itself out."""
    _, body, signature = honest(ends).split(b".")
    return b".".join((honest(ends, incarnation=2).split(b".")[0], body, signature))


@refused("envelope.signature")
def own_key_under_the_countys_certificate(ends: Ends) -> bytes:
    """Signs with a key of its own and shows the county's certificates."""
    return honest(ends, signer=P256Signer(authorities.key("thief"), ends.county.signer.chain))


@refused("envelope.header")
def own_key_in_the_header(ends: Ends) -> bytes:
    """Brings along the key with which the signature is to be checked."""
    key = authorities.key("thief")
    numbers = key.public_key().public_numbers()
    jwk = {"kty": "EC", "crv": "P-256"} | {
        name: encode(value.to_bytes(32, "big")).decode()
        for name, value in (("x", numbers.x), ("y", numbers.y))
    }
    head = forgery.header(ends.county.signer, at=ends.clock.now, jwk=jwk)
    return forgery.sign(head, payload(ends), P256Signer(key, ends.county.signer.chain))


# Shorter, longer, otherwise spelled. -------------------------------------------------------------


@refused("envelope.signature")
def truncated_payload(ends: Ends) -> bytes:
    """Cuts off what the county said last."""
    head, body, signature = honest(ends).split(b".")
    return b".".join((head, body[: len(body) // 8 * 4], signature))


@refused("envelope.signature")
def truncated_signature(ends: Ends) -> bytes:
    """Cuts off a byte of the signature, and spells the rest as one should."""
    return _with_signature(honest(ends), lambda signature: signature[:-1])


@refused("envelope.malformed")
def truncated_token(ends: Ends) -> bytes:
    """Cuts off the signature: the connection seems to have broken."""
    return _unsigned(honest(ends))


@refused("envelope.signature")
def extended_signature(ends: Ends) -> bytes:
    """Appends a byte to the signature: another text for the same message."""
    return _with_signature(honest(ends), lambda signature: signature + b"\0")


@refused("envelope.malformed")
def extended_by_a_segment(ends: Ends) -> bytes:
    """Appends a segment that nobody signed."""
    return honest(ends) + b"." + encode(b'{"urgent":true}')


@refused("envelope.malformed")
def extended_by_a_line_end(ends: Ends) -> bytes:
    """Appends what lenient readers pass over."""
    return honest(ends) + b"\n"


@refused("envelope.malformed")
def noncanonical_base64(ends: Ends) -> bytes:
    """Spells the signature otherwise: the same bytes, another text."""
    unsigned, _, signature = honest(ends).rpartition(b".")
    return unsigned + b"." + respell(signature)


@refused("envelope.malformed")
def padded_base64(ends: Ends) -> bytes:
    """Appends padding, which lenient readers accept."""
    return honest(ends) + b"=="


@refused("envelope.malformed")
def json_serialization(ends: Ends) -> bytes:
    """Sends the other form of a JWS, with room for a header that nobody signed."""
    names = ("protected", "payload", "signature")
    parts = dict(zip(names, honest(ends).decode().split("."), strict=True))
    return json.dumps(parts | {"header": {"alg": "none"}}).encode()


# JSON. -------------------------------------------------------------------------------------------


@refused("envelope.header")
def duplicate_key_in_the_header(ends: Ends) -> bytes:
    """Says two things at once: one reader takes the first algorithm, another one the last."""
    head = json.dumps(forgery.header(ends.county.signer, at=ends.clock.now))
    twice = head[:-1] + ',"alg":"none"}'
    return forgery.sign(twice.encode(), payload(ends), ends.county.signer)


@refused("envelope.payload")
def duplicate_key_in_the_payload(ends: Ends) -> bytes:
    """Lets two offices read two recipients in one signed message."""
    twice = payload(ends)[:-1] + b',"recipient":"urn:zhitong:node:xishan"}'
    return ends.county.seal(twice, CITY)


@refused("envelope.header")
def deeply_nested_header(ends: Ends) -> bytes:
    """Wants the reader of an unsigned header to run out of stack."""
    return _head(b'{"alg":' + b"[" * 8_000 + b"]" * 8_000 + b"}")


@refused("envelope.payload")
def deeply_nested_payload(ends: Ends) -> bytes:
    """Wants the same of the reader of the content."""
    deep = b'{"data":' + b"[" * 700_000 + b"]" * 700_000 + b"}"
    return ends.county.seal(deep, CITY)


@refused("envelope.payload")
def number_of_a_million_digits(ends: Ends) -> bytes:
    """Wants the reader to compute for minutes: reading long numbers takes time by the square."""
    return ends.county.seal(payload(ends)[:-1] + b',"x":' + b"9" * 1_000_000 + b"}", CITY)


# Size. -------------------------------------------------------------------------------------------


@refused("envelope.too_large")
def header_of_ten_megabytes(ends: Ends) -> bytes:
    """Wants ten megabytes of JSON to be read before any signature is looked at."""
    return _head(b'{"alg":"' + b"A" * TEN_MEGABYTES + b'"}')


@refused("envelope.header")
def header_as_large_as_a_token(ends: Ends) -> bytes:
    """Wants the same, and keeps within the limit for tokens."""
    return _head(b'{"alg":"' + b"A" * (MAXIMUM_TOKEN // 4 * 3 - 1_000) + b'"}')


@refused("envelope.malformed")
def segments_without_end(ends: Ends) -> bytes:
    """Wants a list of a million segments to be made."""
    return b"AA." * (MAXIMUM_TOKEN // 3)


@refused("envelope.header")
def decompression_bomb(ends: Ends) -> bytes:
    """Asks in the header, as encrypted messages may, that the payload be inflated: `zip`."""
    head = forgery.header(ends.county.signer, at=ends.clock.now, zip="DEF")
    return forgery.sign(head, zlib.compress(bytes(TEN_MEGABYTES)), ends.county.signer)


@refused("envelope.malformed")
def encrypted_decompression_bomb(ends: Ends) -> bytes:
    """Sends an encrypted message, of five segments, that would be inflated after decryption."""
    head = b'{"alg":"dir","enc":"A128GCM","zip":"DEF"}'
    content = zlib.compress(bytes(TEN_MEGABYTES))
    return b".".join(encode(part) for part in (head, b"", bytes(12), content, bytes(16)))


@refused("envelope.payload")
def compressed_payload(ends: Ends) -> bytes:
    """Signs compressed content, for a reader that looks at the first bytes and inflates."""
    return ends.county.seal(zlib.compress(bytes(TEN_MEGABYTES)), CITY)


def _unsigned(token: bytes) -> bytes:
    return token.rpartition(b".")[0]


def _with_signature(token: bytes, change: Callable[[bytes], bytes]) -> bytes:
    unsigned, _, signature = token.rpartition(b".")
    return unsigned + b"." + encode(change(forgery.decode(signature)))


def _head(text: bytes) -> bytes:
    return b".".join((encode(text), encode(b"{}"), encode(bytes(64))))
