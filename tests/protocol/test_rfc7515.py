"""The published examples of ES256 pass through the code that signs and verifies our messages."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc.jwk import ECKey

from protocol import envelope
from protocol.keys import P256Signer
from tests.protocol import forgery

# RFC 7515, appendix A.3.
KEY: dict[str, str | list[str]] = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}
SECRET = int.from_bytes(forgery.decode(b"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"), "big")
HEADER = b"eyJhbGciOiJFUzI1NiJ9"
PAYLOAD = (
    b"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
    b"cGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
)
SIGNATURE = (
    b"DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
)

# RFC 6979, appendix A.2.5, SHA-256, message "sample".
RFC6979_SECRET = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721
RFC6979_R = 0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716
RFC6979_S = 0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8


def fits(header: bytes, payload: bytes, signature: bytes) -> bool:
    return envelope.signature_fits(
        (header, payload, signature), {"alg": "ES256"}, ECKey.import_key(KEY)
    )


def test_the_example_of_the_standard_verifies() -> None:
    assert forgery.decode(HEADER) == b'{"alg":"ES256"}'
    assert fits(HEADER, PAYLOAD, SIGNATURE)


@pytest.mark.parametrize(
    ("header", "payload", "signature"),
    [
        (HEADER, PAYLOAD, b"A" + SIGNATURE[1:]),
        (HEADER, b"f" + PAYLOAD[1:], SIGNATURE),
        (b"f" + HEADER[1:], PAYLOAD, SIGNATURE),
        (HEADER, PAYLOAD, b""),
        (HEADER, PAYLOAD, b"+" + SIGNATURE[1:]),
    ],
)
def test_the_example_with_one_character_changed_does_not(
    header: bytes, payload: bytes, signature: bytes
) -> None:
    assert not fits(header, payload, signature)


@pytest.mark.parametrize("algorithm", ["none", "HS256", "ES384", "ES256K"])
def test_the_library_does_not_take_its_algorithm_from_the_token(algorithm: str) -> None:
    segments = (HEADER, PAYLOAD, SIGNATURE)
    key = ECKey.import_key(KEY)
    assert not envelope.signature_fits(segments, {"alg": algorithm}, key)


def test_our_signer_signs_so_that_the_example_key_verifies() -> None:
    signer = P256Signer(ec.derive_private_key(SECRET, ec.SECP256R1()), ())
    signature = signer.sign(HEADER + b"." + PAYLOAD)
    assert len(signature) == 64
    assert fits(HEADER, PAYLOAD, forgery.encode(signature))
    assert signer.sign(HEADER + b"." + PAYLOAD) == signature


def test_our_signer_is_deterministic_as_the_standard_has_it() -> None:
    signer = P256Signer(ec.derive_private_key(RFC6979_SECRET, ec.SECP256R1()), ())
    assert signer.sign(b"sample") == RFC6979_R.to_bytes(32, "big") + RFC6979_S.to_bytes(32, "big")


def test_our_signer_wants_a_key_on_its_curve() -> None:
    with pytest.raises(ValueError, match="a key on the curve P-256"):
        P256Signer(ec.generate_private_key(ec.SECP384R1()), ())
