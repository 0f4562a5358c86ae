"""What travels about an item besides its text: facts, assignments and their answers, notes."""

from __future__ import annotations

from typing import Literal, Self
from uuid import UUID

from pydantic import Field, StrictBool, model_validator

from protocol.messages.facts import Fact
from protocol.messages.items import Enclosures, Token
from protocol.offices import Day, Line, Record, Text, Time


class Feedback(Record):
    """One fact about the item: the sender's own `fact`, or one from above as `evidence`.

    A fact from above is never repeated in other words: the message that brought it to the sender
    is carried whole, and so on inwards, until the message of the office that decided. Of evidence
    `received_at` says when the sender took it in.
    """

    fact: Fact | None = None
    evidence: Token | None = None
    received_at: Time | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.fact is None) == (self.evidence is None):
            raise ValueError("feedback holds either a fact or evidence of one")
        return self


class Assignment(Record):
    """Work for the office below."""

    assignment: UUID
    unit: Line
    text: Text
    due: Day | None = None


class Outcome(Record):
    """How an assignment was carried out."""

    assignment: UUID
    unit: Line
    text: Text
    degree: Literal["solved", "partly_solved", "planned", "not_solved"]
    implemented: StrictBool
    attachments: Enclosures | None = None


class HandBackRequest(Record):
    """The assignment is not ours."""

    assignment: UUID
    reason: Text


class Verdict(Record):
    """The answer to an outcome or a hand-back request."""

    assignment: UUID
    accepted: StrictBool
    reason: Text | None = None


class Rating(Record):
    """The author's judgement of what came of the item."""

    score: int = Field(ge=1, le=5, strict=True)
    comment: Text | None = None


class Note(Record):
    """Words for editors only; never evidence."""

    text: Text
