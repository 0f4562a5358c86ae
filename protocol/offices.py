"""Offices: who stands where. Levels are data, so no code counts them."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
)

from protocol.identifiers import NODE_ID, NodeId

CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)
"""Control characters, also those that turn the direction of writing or break a line unseen."""
DAY = re.compile(r"(19|20|21)\d\d-\d\d-\d\d", re.ASCII)
TIME = re.compile(DAY.pattern + r"T\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)
BIGGEST = 2**53 - 1
"""The largest number: every reader of JSON keeps it exactly, every database can hold it."""


def printable(text: str) -> str:
    """The text. Raises `ValueError` for control characters."""
    if CONTROL.search(text):
        raise ValueError("control characters are not allowed")
    return text


def one_line(text: str) -> str:
    """The text. Raises `ValueError` unless it is a single line without control characters."""
    if "\n" in text or "\t" in text:
        raise ValueError("must be a single line")
    return printable(text)


def _time(value: object) -> object:
    if isinstance(value, int | float) or (isinstance(value, str) and not TIME.fullmatch(value)):
        raise ValueError("must be a time as in RFC 3339, from 1900 to 2199")
    return value


def _day(value: object) -> object:
    if isinstance(value, int | float) or (isinstance(value, str) and not DAY.fullmatch(value)):
        raise ValueError("must be a date as in RFC 3339, from 1900 to 2199")
    return value


NodeName = Annotated[NodeId, StringConstraints(pattern=f"^{NODE_ID.pattern}$")]
Line = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, strip_whitespace=True),
    AfterValidator(one_line),
]
"""One line of text, 1 to 200 characters, no control characters."""

Text = Annotated[
    str,
    StringConstraints(min_length=1, max_length=20_000, strip_whitespace=True),
    AfterValidator(printable),
]
"""Text of 1 to 20,000 characters; line breaks and tabs, no other control characters."""

Time = Annotated[AwareDatetime, BeforeValidator(_time)]
"""A time as in RFC 3339, never a bare number."""

Day = Annotated[date, BeforeValidator(_day)]
"""A date as in RFC 3339."""

Base64 = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]+={0,2}$")]
"""Bytes in base64 (RFC 4648 §4, not the URL's alphabet)."""

Level = Annotated[str, StringConstraints(pattern=r"^[a-z_]{2,20}$")]
"""`county`, `city`, `province`, `nation`, or whatever else an administration has."""


class Record(BaseModel):
    """A frozen record. Unknown members are ignored, so that minor versions may add some.

    Built when it is first used: a command knows fifty kinds of messages, and needs two. What a web
    server takes as a body is built at once (`defer_build=False`).
    """

    model_config = ConfigDict(
        frozen=True, extra="ignore", ser_json_inf_nan="strings", defer_build=True
    )


class OfficeReference(Record):
    """An office as a message names it."""

    id: NodeName
    name: Line
    level: Level
