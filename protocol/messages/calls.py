"""What an office sends to all below it: calls, topics, circulars; and that they were read."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StrictBool

from protocol.messages.items import Topic
from protocol.offices import Line, Record, Text, Time


class Solicitation(Record):
    """A directed call for items, with a deadline."""

    title: Line
    body: Text
    due: Time
    topic: Topic | None = None
    pass_on: StrictBool = False


class TopicGuide(Record):
    """What an office would like to hear about in a period."""

    period: Line
    topics: Annotated[tuple[Line, ...], Field(min_length=1, max_length=200)]
    pass_on: StrictBool = False


class Circular(Record):
    """Figures and praise for a period."""

    title: Line
    period: Line
    body: Text
    pass_on: StrictBool = False


class CallChange(Record):
    """How a call stands now; the message's subject is that by which the call came.

    `revision` counts the changes of a call: a lower one than is known says nothing new.
    """

    revision: int = Field(ge=1, le=1_000_000, strict=True)
    due: Time | None = None
    ended: Literal["closed", "withdrawn"] | None = None
    reason: Text | None = None


class Read(Record):
    """A call was read."""

    message: UUID
    at: Time
