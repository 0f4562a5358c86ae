"""Project Wycheproof's vectors for JWS, those that apply: ES256, and the spelling of base64url.

Its other groups have keys and algorithms that no certificate of ours can hold. Its cases of a wrong
`use` or `key_ops` are about JWKs; what a key may do stands in its certificate here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey

from protocol import envelope
from protocol.errors import HeaderError, MalformedError
from tests.protocol import forgery

VECTORS = json.loads((Path(__file__).parent / "wycheproof.json").read_text())
KEY = ECKey.import_key(VECTORS["key"])
LENIENT = {372, 373}
"""Characters outside the alphabet, which the project lets a decoder skip. Ours does not."""
EMPTIED = {367, 370}
"""Their wrong padding was lost: they are the same token as 357, under a key for HMAC."""

THREE = [case for case in VECTORS["cases"] if case["token"].count(".") == 2]
ES256 = [case for case in THREE if case["id"] < 357 or case["id"] > 377]
SPELLING = [case for case in THREE if 357 <= case["id"] <= 377 and case["id"] not in EMPTIED]
OTHER = [case for case in VECTORS["cases"] if case["token"].count(".") != 2]


def named(cases: list[dict[str, Any]]) -> pytest.MarkDecorator:
    ids = [f"{case['id']} {case['name']}" for case in cases]
    return pytest.mark.parametrize("case", cases, ids=ids)


def test_the_cases_are_all_there() -> None:
    assert (len(ES256), len(SPELLING), len(OTHER)) == (34, 19, 5)
    assert [case["id"] for case in ES256 if case["valid"]] == [18, 378]


@named(ES256)
def test_a_signature_fits_exactly_where_the_vectors_say_so(case: dict[str, Any]) -> None:
    first, second, third = case["token"].encode().split(b".")
    header = json.loads(forgery.decode(first) or b"{}")
    said = {"alg": header.get("alg", "ES256")}
    assert envelope.signature_fits((first, second, third), said, KEY) == case["valid"]


@named(SPELLING)
def test_a_token_is_malformed_exactly_where_its_spelling_is_not_canonical(
    case: dict[str, Any],
) -> None:
    # One that is spelled right is refused at the next step: its header has no certificates.
    wanted = HeaderError if case["valid"] and case["id"] not in LENIENT else MalformedError
    with pytest.raises(wanted):
        envelope.parse(case["token"].encode())


@named(OTHER)
def test_what_has_not_three_segments_is_malformed(case: dict[str, Any]) -> None:
    with pytest.raises(MalformedError):
        envelope.parse(case["token"].encode())
