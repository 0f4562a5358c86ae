"""Whatever arrives is opened or refused with an error of the protocol, never with another one.

An error of another class would stop the office that reads the message: a way to silence it.
"""

from __future__ import annotations

import contextlib
import json
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from protocol import evidence
from protocol.errors import EnvelopeError, EvidenceError
from protocol.messages.items import Edition
from protocol.messages.work import Feedback
from tests.factories import make_feedback, make_payload, make_submission
from tests.protocol.forgery import header, sign
from tests.protocol.scene import DONGHU, ITEM, TOKEN, YUNZHOU, evidence_at, open_at, signed_by

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
) | st.sampled_from(
    ["urn:zhitong:node:-", "urn:zhitong:node:9ab", "0001-01-01T00:00:00+23:00", "\ud800", 10**400]
)
SUBMISSION = json.loads(
    make_payload(
        make_submission(evidence=[TOKEN.decode()]),
        sender="donghu",
        recipient="yunzhou",
        subject=ITEM,
    )
)
FEEDBACK = json.loads(
    make_payload(make_feedback(), sender="yunzhou", recipient="donghu", subject=ITEM)
)


def meet(token: bytes) -> None:
    """Everything that an office does with what comes in."""
    for office in (YUNZHOU, DONGHU):
        with contextlib.suppress(EnvelopeError, EvidenceError):
            evidence_at(office, token)
        with contextlib.suppress(EnvelopeError, EvidenceError):
            opened = open_at(office, token)
            if isinstance(opened.data, Edition):
                evidence.origins_of(opened, chains=office.chains, place=office.place)
            if isinstance(opened.data, Feedback):
                evidence.fact_of(opened, chains=office.chains, place=office.place)


@given(st.binary())
@example(b"..")
def test_any_bytes(token: bytes) -> None:
    meet(token)


@given(st.integers(0, len(TOKEN) - 1), st.binary(max_size=3))
@settings(max_examples=300)
def test_a_token_with_some_bytes_replaced(position: int, change: bytes) -> None:
    meet(TOKEN[:position] + change + TOKEN[position + 1 :])


@given(st.binary(), st.binary())
def test_a_signed_header_and_payload_of_any_bytes(head: bytes, payload: bytes) -> None:
    meet(sign(head, payload, DONGHU.signer))
    meet(signed_by(DONGHU.signer, payload))


@given(st.sampled_from(["alg", "typ", "iat", "inc", "x5c"]), JSON)
@settings(max_examples=300)
def test_a_signed_header_with_any_value(name: str, value: Any) -> None:
    meet(
        sign(header(DONGHU.signer) | {name: value}, json.dumps(SUBMISSION).encode(), DONGHU.signer)
    )


@given(st.sampled_from([*SUBMISSION, "causationid", "traceparent"]), JSON)
@settings(max_examples=300)
def test_a_signed_event_with_any_value(name: str, value: Any) -> None:
    meet(signed_by(DONGHU.signer, json.dumps(SUBMISSION | {name: value}).encode()))


@given(st.sampled_from(list(SUBMISSION["data"])), JSON)
@settings(max_examples=300)
def test_a_signed_item_with_any_value(name: str, value: Any) -> None:
    data = SUBMISSION["data"] | {name: value}
    meet(signed_by(DONGHU.signer, json.dumps(SUBMISSION | {"data": data}).encode()))


@given(st.sampled_from(list(FEEDBACK["data"]["fact"])), JSON)
@settings(max_examples=300)
def test_a_signed_fact_with_any_value(name: str, value: Any) -> None:
    data = {"fact": FEEDBACK["data"]["fact"] | {name: value}}
    meet(signed_by(YUNZHOU.signer, json.dumps(FEEDBACK | {"data": data}).encode()))
