"""The checks 1 to 3, 6 and 7 of `protocol/envelope.py`: tokens that break only one of them.

Checks 4, 5 and 8 (who speaks) are in `test_envelope_chain`, the rest in `test_envelope_event`.

Everyone in `scene` is honest; who is not is made on the spot.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from protocol import envelope, errors
from protocol.identifiers import digest
from protocol.keys import P256Signer
from tests import authorities
from tests.factories import NOW, make_feedback, make_note, make_submission, make_token
from tests.protocol import forgery
from tests.protocol.forgery import edit, header, respell, sign
from tests.protocol.scene import (
    DONGHU,
    ITEM,
    PAYLOAD,
    TOKEN,
    XISHAN,
    YUNZHOU,
    open_at,
    signed_by,
)


def _head(incarnation: int) -> bytes:
    token = envelope.seal(PAYLOAD, DONGHU.signer, signed_at=NOW, incarnation=incarnation)
    return forgery.decode(token.split(b".")[0])


def test_a_message_from_below_opens() -> None:
    opened = open_at(YUNZHOU, TOKEN)
    assert opened.name == "submission"
    assert opened.data == make_submission()
    assert str(opened.path) == "jiangyuan/yunzhou/donghu"
    assert (opened.payload, opened.digest) == (PAYLOAD, digest(PAYLOAD))
    assert (opened.signed_at, opened.incarnation, opened.from_above) == (NOW, 1, False)
    assert opened.event.subject == ITEM


def test_a_message_from_above_opens() -> None:
    opened = open_at(DONGHU, make_token(make_feedback(), YUNZHOU, DONGHU, subject=ITEM))
    assert opened.from_above
    assert str(opened.path) == "jiangyuan/yunzhou"


def test_time_of_signing_counts_in_whole_seconds() -> None:
    token = make_token(make_note(), DONGHU, YUNZHOU, signed_at=NOW + timedelta(microseconds=9))
    assert open_at(YUNZHOU, token).signed_at == NOW


def test_time_of_signing_can_be_read_from_a_token_also_without_its_contents() -> None:
    for token in (TOKEN, envelope.without_contents(TOKEN)):
        assert envelope.signed_at(token) == NOW
    with pytest.raises(errors.EnvelopeError):
        envelope.signed_at(b"no token")


def test_the_same_payload_signed_again_keeps_its_digest() -> None:
    again = envelope.seal(PAYLOAD, DONGHU.signer, signed_at=NOW + timedelta(days=1), incarnation=2)
    assert again != TOKEN
    assert open_at(YUNZHOU, again, NOW + timedelta(days=1)).digest == open_at(YUNZHOU, TOKEN).digest


# 1. ---------------------------------------------------------------------------------------------


def test_check_1_a_token_beyond_the_limit_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envelope, "MAXIMUM_TOKEN", len(TOKEN))
    assert open_at(YUNZHOU, TOKEN)
    monkeypatch.setattr(envelope, "MAXIMUM_TOKEN", len(TOKEN) - 1)
    with pytest.raises(errors.TooLargeError, match=r"bytes; \d+ are allowed"):
        open_at(YUNZHOU, TOKEN)


def test_check_1_two_mebibytes_are_the_limit() -> None:
    padded = edit(PAYLOAD, padding="x" * 1_500_000)
    assert open_at(YUNZHOU, signed_by(DONGHU.signer, padded))
    padded = edit(PAYLOAD, padding="x" * 1_600_000)
    with pytest.raises(errors.TooLargeError, match="2097152 are allowed"):
        open_at(YUNZHOU, signed_by(DONGHU.signer, padded))


# 2. ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("segment", [0, 1, 2])
def test_check_2_a_token_with_malleable_base64_is_malformed(segment: int) -> None:
    incarnation = next(n for n in (1, 10) if len(_head(n)) % 3)
    spaces = next(n for n in (0, 1) if len(PAYLOAD + b" " * n) % 3)
    token = envelope.seal(
        PAYLOAD + b" " * spaces, DONGHU.signer, signed_at=NOW, incarnation=incarnation
    )
    assert open_at(YUNZHOU, token)
    segments = token.split(b".")
    segments[segment] = respell(segments[segment])
    with pytest.raises(errors.MalformedError, match="not in its canonical spelling"):
        open_at(YUNZHOU, b".".join(segments))


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(TOKEN.rpartition(b".")[0], id="not signed"),
        pytest.param(TOKEN + b".", id="four segments"),
        pytest.param(TOKEN + b"==", id="padding"),
        pytest.param(TOKEN + b"\n", id="line end"),
        pytest.param(b" " + TOKEN, id="space"),
        pytest.param(TOKEN[:-1] + b"\xc3\xa9", id="not ASCII"),
        pytest.param(TOKEN + b"AAA", id="impossible length"),
        pytest.param(TOKEN.replace(b"-", b"+").replace(b"_", b"/"), id="the other alphabet"),
        pytest.param(json.dumps({"payload": TOKEN.decode()}).encode(), id="JSON serialization"),
    ],
)
def test_check_2_what_is_not_three_segments_of_base64url_is_malformed(token: bytes) -> None:
    with pytest.raises(errors.MalformedError, match="canonical spelling"):
        open_at(YUNZHOU, token)


# 3. ---------------------------------------------------------------------------------------------

RIGHT = header(DONGHU.signer)
LEAF = RIGHT["x5c"][0]


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"kid": "donghu"}, id="one more"),
        pytest.param({"crit": ["inc"]}, id="crit"),
        pytest.param({"b64": False}, id="payload not encoded"),
        pytest.param({"inc": None}, id="one less"),
        pytest.param({"typ": "JWT"}, id="typ"),
        pytest.param({"alg": 256}, id="alg is a number"),
        pytest.param({"iat": NOW.timestamp()}, id="iat is a fraction"),
        pytest.param({"iat": str(int(NOW.timestamp()))}, id="iat is text"),
        pytest.param({"iat": True}, id="iat is a truth"),
        pytest.param({"iat": 10**20}, id="iat beyond all time"),
        pytest.param({"inc": 0}, id="inc is zero"),
        pytest.param({"inc": True}, id="inc is a truth"),
        pytest.param({"inc": 2**53}, id="inc too large"),
        pytest.param({"x5c": LEAF}, id="x5c is text"),
        pytest.param({"x5c": {}}, id="x5c is an object"),
        pytest.param({"x5c": [7]}, id="x5c holds a number"),
        pytest.param({"x5c": ["?"]}, id="x5c is not base64"),
        pytest.param({"x5c": [LEAF + "\n", RIGHT["x5c"][1]]}, id="x5c with a line end"),
    ],
)
def test_check_3_a_header_with_other_members_is_refused(members: dict[str, Any]) -> None:
    token = sign(header(DONGHU.signer, **members), PAYLOAD, DONGHU.signer)
    with pytest.raises(errors.HeaderError, match="does not have exactly the members"):
        open_at(YUNZHOU, token)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"alg=ES256", id="not JSON"),
        pytest.param(b"[]", id="an array"),
        pytest.param(json.dumps(RIGHT)[:-1].encode() + b', "inc": 1}', id="a member twice"),
        pytest.param(json.dumps(RIGHT).encode("utf-16"), id="not UTF-8"),
        pytest.param(b"\xef\xbb\xbf" + json.dumps(RIGHT).encode(), id="byte order mark"),
        pytest.param(b'{"alg":' + b"[" * 7_000 + b"]" * 7_000 + b"}", id="deep nesting"),
    ],
)
def test_check_3_a_header_that_is_not_strict_json_is_refused(text: bytes) -> None:
    with pytest.raises(errors.HeaderError, match="does not have exactly the members"):
        open_at(YUNZHOU, sign(text, PAYLOAD, DONGHU.signer))


def test_check_3_a_header_may_have_16_kib_and_no_more() -> None:
    text = json.dumps(RIGHT).encode()
    room = envelope.MAXIMUM_HEADER - len(text)
    assert open_at(YUNZHOU, sign(text + b" " * room, PAYLOAD, DONGHU.signer))
    with pytest.raises(errors.HeaderError, match="larger than 16384 bytes"):
        open_at(YUNZHOU, sign(text + b" " * (room + 1), PAYLOAD, DONGHU.signer))


# 6. ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["none", "ES384", "RS256", "es256", ""])
def test_check_6_another_algorithm_than_the_keys_is_refused(algorithm: str) -> None:
    token = sign(header(DONGHU.signer, alg=algorithm), PAYLOAD, DONGHU.signer)
    with pytest.raises(errors.AlgorithmError, match="does not fit the certificate's key"):
        open_at(YUNZHOU, token)


def test_check_6_algorithm_none_without_a_signature_is_refused() -> None:
    token = sign(header(DONGHU.signer, alg="none"), PAYLOAD, DONGHU.signer)
    with pytest.raises(errors.AlgorithmError, match="does not fit the certificate's key"):
        open_at(YUNZHOU, token.rpartition(b".")[0] + b".")


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_check_6_hs256_with_the_public_key_as_secret_is_refused(encoding: Encoding) -> None:
    secret = DONGHU.key.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)
    unsigned = sign(header(DONGHU.signer, alg="HS256"), PAYLOAD, DONGHU.signer).rpartition(b".")[0]
    mac = hmac.new(secret, unsigned, hashlib.sha256).digest()
    with pytest.raises(errors.AlgorithmError, match="does not fit the certificate's key"):
        open_at(YUNZHOU, unsigned + b"." + forgery.encode(mac))


# 7. ---------------------------------------------------------------------------------------------

HEAD, BODY, SIGNATURE = TOKEN.split(b".")


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(
            b".".join((HEAD, forgery.encode(PAYLOAD.replace(b"donghu", b"xishan")), SIGNATURE)),
            id="other payload",
        ),
        pytest.param(b".".join((forgery.encode(_head(7)), BODY, SIGNATURE)), id="other header"),
        pytest.param(TOKEN.rpartition(b".")[0] + b".", id="empty"),
        pytest.param(b".".join((HEAD, BODY, forgery.encode(bytes(64)))), id="zeros"),
        pytest.param(
            b".".join((HEAD, BODY, forgery.encode(forgery.decode(SIGNATURE)[:-1]))), id="shorter"
        ),
        pytest.param(b".".join((HEAD, BODY, SIGNATURE[:-2] + b"AAAA")), id="longer"),
    ],
)
def test_check_7_a_signature_over_other_bytes_is_refused(token: bytes) -> None:
    with pytest.raises(errors.SignatureError, match="does not fit the token"):
        open_at(YUNZHOU, token)


def test_check_7_a_token_whose_contents_were_purged_says_so_and_who_had_signed_it() -> None:
    left = envelope.without_contents(TOKEN)
    assert left.split(b".") == [HEAD, b"", SIGNATURE]
    with pytest.raises(errors.PurgedError, match=r"signed by .*donghu; the contents were purged"):
        open_at(YUNZHOU, left)
    assert envelope.without_contents(left) == left
    assert envelope.without_contents(b"no token") == b""


def test_check_7_a_purged_token_of_a_stranger_is_a_strangers_token() -> None:
    _, _, signature = TOKEN.split(b".")
    other = authorities.hierarchy(now=NOW, seed="elsewhere")["donghu"]
    head = envelope.seal(PAYLOAD, other.signer, signed_at=NOW, incarnation=1).split(b".")[0]
    with pytest.raises(errors.ChainError):
        open_at(YUNZHOU, head + b".." + signature)


def test_check_7_a_signature_by_another_key_is_refused() -> None:
    signer = P256Signer(XISHAN.key, DONGHU.signer.chain)
    with pytest.raises(errors.SignatureError, match="does not fit the token"):
        open_at(YUNZHOU, signed_by(signer))


def test_check_7_a_signature_in_the_form_of_certificates_is_refused() -> None:
    der = encode_dss_signature(*_numbers(SIGNATURE))
    with pytest.raises(errors.SignatureError, match="does not fit the token"):
        open_at(YUNZHOU, b".".join((HEAD, BODY, forgery.encode(der))))


def test_the_mirrored_signature_fits_too_so_the_token_is_no_identity() -> None:
    r, s = _numbers(SIGNATURE)
    mirrored = r.to_bytes(32, "big") + (authorities.P256_ORDER - s).to_bytes(32, "big")
    token = b".".join((HEAD, BODY, forgery.encode(mirrored)))
    assert open_at(YUNZHOU, token).digest == open_at(YUNZHOU, TOKEN).digest


def _numbers(segment: bytes) -> tuple[int, int]:
    raw = forgery.decode(segment)
    return int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
