"""Facts: what an office decided about an item, in words that every author may read.

A fact is unique by (item, office, sequence): the sequence is the deciding office's own count of
facts about that item, from 1, without gaps. `at` is when the office acted; it proves nothing.
"""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from protocol.messages.items import Attachment, Enclosures
from protocol.offices import Day, Line, OfficeReference, Record, Text, Time


class FactBase(Record):
    """What all facts say.

    `through` names the combined item about which it was decided, where the item is part of it.
    """

    office: OfficeReference
    sequence: int = Field(ge=1, le=1_000_000, strict=True)
    at: Time
    through: UUID | None = None


class Registered(FactBase):
    kind: Literal["registered"] = "registered"
    number: Line


class Returned(FactBase):
    kind: Literal["returned"] = "returned"
    reason: Text


class Declined(FactBase):
    kind: Literal["declined"] = "declined"
    reason: Text


class Withdrawn(FactBase):
    kind: Literal["withdrawn"] = "withdrawn"


class WithdrawalRefused(FactBase):
    kind: Literal["withdrawal_refused"] = "withdrawal_refused"
    reason: Text


class Merged(FactBase):
    """Part of a combined item from now on; `number` is its own in the office's register."""

    kind: Literal["merged"] = "merged"
    into: UUID
    number: Line | None = None


class Unmerged(FactBase):
    kind: Literal["unmerged"] = "unmerged"
    out_of: UUID


class Published(FactBase):
    kind: Literal["published"] = "published"
    series: Literal["general_issue", "special_report", "urgent_relay", "referral"]
    issue: Line


class Adopted(FactBase):
    kind: Literal["adopted"] = "adopted"
    manner: Literal["single", "combined"]
    issue: Line | None = None


class AdoptionRetracted(FactBase):
    kind: Literal["adoption_retracted"] = "adoption_retracted"
    reason: Text


class Forwarded(FactBase):
    kind: Literal["forwarded"] = "forwarded"
    to: OfficeReference
    edition: int = Field(ge=1, le=10_000, strict=True)


class Referred(FactBase):
    kind: Literal["referred"] = "referred"
    to: Line


class LeaderRead(FactBase):
    kind: Literal["leader_read"] = "leader_read"
    leader: Line
    post: Line


class Instructed(FactBase):
    kind: Literal["instructed"] = "instructed"
    leader: Line
    post: Line
    text: Text
    on: Day
    attachments: Enclosures | None = None


class Assigned(FactBase):
    kind: Literal["assigned"] = "assigned"
    to: Line
    due: Day | None = None


class Replied(FactBase):
    kind: Literal["replied"] = "replied"
    unit: Line
    text: Text
    degree: Literal["solved", "partly_solved", "planned", "not_solved"]
    attachments: Enclosures | None = None


class Implemented(FactBase):
    kind: Literal["implemented"] = "implemented"
    unit: Line
    text: Text


class Closed(FactBase):
    kind: Literal["closed"] = "closed"
    note: Text | None = None


class Archived(FactBase):
    """Nothing more is done with the item; kept for so many years, to the end of the last day."""

    kind: Literal["archived"] = "archived"
    years: int = Field(ge=1, le=200, strict=True)
    until: Day


Fact = Annotated[
    Registered
    | Returned
    | Declined
    | Withdrawn
    | WithdrawalRefused
    | Merged
    | Unmerged
    | Published
    | Adopted
    | AdoptionRetracted
    | Forwarded
    | Referred
    | LeaderRead
    | Instructed
    | Assigned
    | Replied
    | Implemented
    | Closed
    | Archived,
    Field(discriminator="kind"),
]


def files_of(fact: FactBase) -> tuple[Attachment, ...]:
    """The files that the fact names."""
    return (fact.attachments or ()) if isinstance(fact, Instructed | Replied) else ()
