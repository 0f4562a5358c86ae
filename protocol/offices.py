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


CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)
DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _printable(text: str) -> str:
    if CONTROL.search(text):
        raise ValueError("control characters are not allowed")
    return text


def _one_line(text: str) -> str:
    if "\n" in text or "\t" in text:
        raise ValueError("must be a single line")
    return _printable(text)


def _time(value: object) -> object:
    if isinstance(value, int | float) or (isinstance(value, str) and not TIME.fullmatch(value)):
        raise ValueError("must be a time as in RFC 3339, with seconds and offset")
    return value


def _day(value: object) -> object:
    if isinstance(value, int | float) or (isinstance(value, str) and not DAY.fullmatch(value)):
        raise ValueError("must be a date as in RFC 3339")
    return value


NodeName = Annotated[NodeId, StringConstraints(pattern=f"^{NODE_ID.pattern}$")]
Line = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, strip_whitespace=True),
    AfterValidator(_one_line),
]
"""One line of text, 1 to 200 characters, no control characters."""

Text = Annotated[
    str,
    StringConstraints(min_length=1, max_length=20_000, strip_whitespace=True),
    AfterValidator(_printable),
]
"""Text of 1 to 20,000 characters; line breaks and tabs, no other control characters."""

Time = Annotated[AwareDatetime, BeforeValidator(_time)]
"""A time as in RFC 3339, never a bare number."""

Day = Annotated[date, BeforeValidator(_day)]
"""A date as in RFC 3339."""

Level = Annotated[str, StringConstraints(pattern=r"^[a-z_]{2,20}$")]
"""`county`, `city`, `province`, `nation`, or whatever else an administration has."""


class Record(BaseModel):
    """A frozen record. Unknown members are ignored, so that minor versions may add some."""

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="strings")


class OfficeReference(Record):
    """An office as a message names it."""

    id: NodeName
    name: Line
    level: Level
