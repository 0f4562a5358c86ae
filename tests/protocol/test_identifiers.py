"""Names of nodes, digests, and UUIDs of version 7."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from protocol.identifiers import digest, node_id, node_of_urn, urn, uuid7

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOMENTS = st.timedeltas(timedelta(0), timedelta(days=83_000)).map(lambda age: EPOCH + age)
RANDOMNESS = st.binary(min_size=10, max_size=10)


@pytest.mark.parametrize("text", ["abc", "donghu", "a-1", "x" * 40, "quanguo-2"])
def test_a_node_id_is_3_to_40_lower_case_letters_digits_and_hyphens(text: str) -> None:
    assert node_of_urn(urn(node_id(text))) == text


@pytest.mark.parametrize(
    "text", ["", "ab", "x" * 41, "Donghu", "1abc", "-abc", "abc-", "东湖县", "a_c", "abc\n", "a c"]
)
def test_anything_else_is_no_node_id(text: str) -> None:
    with pytest.raises(ValueError, match="is no node id: use 3 to 40"):
        node_id(text)


def test_a_urn_of_another_namespace_names_no_node() -> None:
    with pytest.raises(ValueError, match="does not begin with urn:zhitong:node:"):
        node_of_urn("urn:uuid:donghu")


def test_a_digest_is_sha256_in_hexadecimal() -> None:
    assert digest(b"") == hashlib.sha256(b"").hexdigest()


def test_uuid7_agrees_with_the_example_of_the_standard() -> None:
    """RFC 9562, appendix A.6: rand_a is 0xCC3, rand_b is 0x18C4DC0C0C07398F."""
    moment = datetime(2022, 2, 22, 14, 22, 22, tzinfo=timezone(timedelta(hours=-5)))
    randomness = (0xCC3 << 64 | 0x18C4DC0C0C07398F).to_bytes(10, "big")
    assert str(uuid7(moment, randomness)) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


@given(MOMENTS, RANDOMNESS)
@example(datetime(1972, 2, 17, 5, 0, 1, 239_000, tzinfo=UTC), bytes(10))
def test_uuid7_keeps_the_millisecond_exactly(moment: datetime, randomness: bytes) -> None:
    made = uuid7(moment, randomness)
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    whole = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    assert EPOCH + timedelta(milliseconds=made.int >> 80) == whole


@given(MOMENTS, RANDOMNESS, RANDOMNESS)
def test_uuid7_sorts_by_time(moment: datetime, one: bytes, other: bytes) -> None:
    assert uuid7(moment, one) < uuid7(moment + timedelta(milliseconds=1), other)


@given(RANDOMNESS, RANDOMNESS)
def test_uuid7_differs_where_its_74_random_bits_differ(one: bytes, other: bytes) -> None:
    moment = datetime(2026, 11, 22, tzinfo=UTC)
    mask = ~(0xF << 76 | 0x3 << 62)
    differ = (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")) & mask != 0
    assert (uuid7(moment, one) != uuid7(moment, other)) is differ


def test_uuid7_needs_enough_randomness() -> None:
    with pytest.raises(ValueError, match="10 random bytes"):
        uuid7(datetime(2026, 11, 22, tzinfo=UTC), b"123456789")
