"""Errors: what programs, neighbours and people are told."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from node import enrolment_errors, errors, public_errors
from node.errors import NodeError


def _all(kind: type[NodeError]) -> Iterator[type[NodeError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _all(below)


ERRORS = sorted(set(_all(NodeError)), key=lambda kind: kind.__name__)


@pytest.mark.parametrize("kind", ERRORS)
def test_an_error_has_a_code_that_receipts_can_carry_a_status_and_a_chinese_message(
    kind: type[NodeError],
) -> None:
    assert re.fullmatch(r"[a-z]+(\.[a-z_]+)+", kind.code)
    assert 400 <= kind.status < 600
    assert re.search(r"[\u4e00-\u9fff]", kind.message)
    assert kind.__name__.endswith("Error")


@pytest.mark.parametrize("kind", ERRORS)
def test_an_error_without_a_detail_says_what_it_means(kind: type[NodeError]) -> None:
    assert kind().detail.endswith(".")
    assert kind("this one").detail == "this one"


def test_no_two_errors_share_a_code() -> None:
    codes = [kind.code for kind in ERRORS]
    assert len(set(codes)) == len(codes)


def test_only_what_may_succeed_later_is_temporary() -> None:
    assert {kind for kind in ERRORS if not kind.permanent} == {
        errors.UnsupportedTypeError,
        errors.DatabaseAwayError,
        errors.FileArrivingError,
        errors.ShelfError,
        errors.RecoveringError,
        public_errors.TooManyError,
        enrolment_errors.EnrolmentLockedOutError,
        enrolment_errors.ParentUnreachableError,
    }
