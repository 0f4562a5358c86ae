"""The wire format's document names every type, member and code, and shows the worked message."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import get_args

import pytest
from pydantic import BaseModel

from protocol import envelope, errors
from protocol.messages import catalogue
from protocol.messages.catalogue import Direction
from protocol.messages.event import Event
from protocol.messages.facts import FactBase
from tests.protocol import forgery
from tests.protocol.test_errors import CODES
from tests.protocol.test_vectors import README
from tests.protocol.worked import PAYLOAD, WORKED, digest_of

TEXT = README.read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^#+ (.+)\n((?:(?!^#).*\n)*)", TEXT, re.MULTILINE))
WAYS = {Direction.UP: "up", Direction.DOWN: "down", Direction.BOTH: "both"}


def words(text: str) -> set[str]:
    """What stands between backticks."""
    return set(re.findall(r"`([^`\n]+)`", text))


def members(model: type[BaseModel]) -> Iterator[str]:
    """The members of a model and of the models inside it; offices and facts stand elsewhere."""
    for name, field in model.model_fields.items():
        yield name
        for inner in _models(field.annotation):
            if inner.__name__ != "OfficeReference" and not issubclass(inner, FactBase):
                yield from members(inner)


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


@pytest.mark.parametrize("name", list(catalogue.MODELS))
def test_every_member_of_every_type_is_described(name: str) -> None:
    titles = [title for title in SECTIONS if name in words(title)]
    assert len(titles) == 1, f"one heading names {name}"
    text = SECTIONS[titles[0]] + (SECTIONS["Receipts"] if name == "receipt" else "")
    assert set(members(catalogue.MODELS[name])) <= words(text)


@pytest.mark.parametrize("name", list(catalogue.MODELS))
def test_the_table_of_types_says_which_way_they_go(name: str) -> None:
    [way] = re.findall(rf"^\| `{name}` \| ([a-z, ]+) \|", SECTIONS["Message types"], re.MULTILINE)
    expected = "link" if catalogue.is_link_type(name) else WAYS[catalogue.direction(name)]
    assert way == expected + (", item" if name in catalogue.ABOUT_ITEMS else "")


def test_every_kind_of_fact_is_described() -> None:
    assert set(FactBase.model_fields) <= words(SECTIONS["Facts"])
    for model in FactBase.__subclasses__():
        kind = model.model_fields["kind"].default
        [row] = re.findall(rf"^\| `{kind}` \|(.*)\|$", SECTIONS["Facts"], re.MULTILINE)
        own = set(model.model_fields) - set(FactBase.model_fields) - {"kind"}
        assert own <= words(row), kind


def test_every_member_of_the_event_and_header_is_described() -> None:
    assert set(Event.model_fields) <= words(SECTIONS["Event"])
    assert words(SECTIONS["Header"]) >= envelope.MEMBERS


def test_every_code_is_described() -> None:
    table = SECTIONS["Error codes"]
    for code, kind in CODES.items():
        [row] = [row for row in table.splitlines() if row.startswith("|") and f"`{code}`" in row]
        assert f"| {kind} |" in row


def test_the_checks_have_the_same_numbers_as_in_the_code() -> None:
    found = dict(
        re.findall(r"^(\d+)\. ((?:.|\n(?!\d|\n))*)", SECTIONS["Verification"], re.MULTILINE)
    )
    in_code = re.findall(r"^ ?(\d+)\. (.*\n(?:    .*\n)*)", envelope.__doc__ or "", re.MULTILINE)
    assert [number for number, _ in in_code] == [str(n) for n in range(1, 17)] == list(found)
    for number, text in in_code:
        for name in re.findall(r"\b(\w+Error)\b", text):
            assert getattr(errors, name).code in words(found[number])


def test_the_limits_are_those_of_the_code() -> None:
    assert f"{envelope.MAXIMUM_TOKEN:,} bytes" in SECTIONS["Limits"]
    assert f"{envelope.MAXIMUM_HEADER:,} bytes" in SECTIONS["Limits"]
    assert (envelope.AHEAD.total_seconds(), envelope.BEHIND.days) == (15 * 60, 7)
    assert "at most 15 minutes ahead of now and at most 7 days behind" in SECTIONS["Verification"]


def test_the_worked_message_is_the_golden_vector() -> None:
    header, payload, token = re.findall(
        r"^```(?:json)?\n(.*?)^```$", SECTIONS["A worked message"], re.DOTALL | re.MULTILINE
    )
    assert token.replace("\n", "") == WORKED.decode()
    assert header.replace("\n", "") == forgery.decode(WORKED.split(b".")[0]).decode()
    compact = json.dumps(json.loads(payload), ensure_ascii=False, separators=(",", ":"))
    assert compact == PAYLOAD.decode()
    assert digest_of(WORKED) in SECTIONS["A worked message"]
