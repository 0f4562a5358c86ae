"""Error codes go into receipts and databases: they are unique, and they never change."""

from __future__ import annotations

import inspect

import pytest

from protocol import errors
from protocol.errors import ZhitongError
from protocol.messages.links import ReceiptEntry

CODES = {
    "zhitong.error": "permanent",
    "protocol.error": "permanent",
    "envelope.error": "permanent",
    "envelope.too_large": "permanent",
    "envelope.malformed": "permanent",
    "envelope.header": "permanent",
    "envelope.certificate": "permanent",
    "envelope.chain": "permanent",
    "envelope.expired": "permanent",
    "envelope.path": "permanent",
    "envelope.algorithm": "permanent",
    "envelope.signature": "permanent",
    "envelope.purged": "permanent",
    "envelope.time": "temporary",
    "envelope.stranger": "permanent",
    "envelope.payload": "permanent",
    "envelope.source": "permanent",
    "envelope.recipient": "permanent",
    "envelope.type": "temporary",
    "envelope.direction": "permanent",
    "envelope.revoked": "permanent",
    "envelope.suspended": "temporary",
    "envelope.data": "permanent",
    "evidence.refused": "permanent",
    "evidence.unmerged": "temporary",
    "evidence.bundle": "permanent",
    "enrolment.error": "permanent",
    "enrolment.token_form": "permanent",
    "enrolment.request": "permanent",
    "enrolment.welcome": "permanent",
    "enrolment.root": "permanent",
    "revocations.refused": "permanent",
    "issuers.refused": "permanent",
    "item.state": "permanent",
    "item.archived": "permanent",
    "item.classified": "permanent",
}
"""Add to this list; change nothing in it."""

CLASSES = [
    member
    for member in vars(errors).values()
    if inspect.isclass(member) and issubclass(member, ZhitongError)
]


def test_codes_are_those_that_were_promised() -> None:
    found = {c.code: "permanent" if c.permanent else "temporary" for c in CLASSES}
    assert found == CODES
    assert len(CLASSES) == len(CODES), "two classes share a code"


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_says_what_happened_in_one_sentence(kind: type[ZhitongError]) -> None:
    assert kind.__name__.endswith("Error")
    assert kind().detail.endswith(".")
    assert "\n" not in kind().detail
    assert kind("it rained").detail == "it rained"


@pytest.mark.parametrize("kind", CLASSES)
def test_every_code_fits_into_a_receipt(kind: type[ZhitongError]) -> None:
    entry = {"id": "017f22e2-79b0-7cc3-98c4-dc0c0c07398f", "digest": "0" * 64}
    assert ReceiptEntry.model_validate(entry | {"verdict": "refused", "code": kind.code}).code
