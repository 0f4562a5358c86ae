"""What climbs about an item: the item itself, its new editions, the wish to have it back."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from protocol.offices import BIGGEST, Line, OfficeReference, Record, Text, Time

Token = Annotated[str, StringConstraints(max_length=262_144, pattern=r"^[A-Za-z0-9_.-]+$")]
"""A whole signed message, carried inside another one."""

HexDigest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""SHA-256 in lower-case hexadecimal."""

AuthorKind = Literal[
    "member",
    "standing_member",
    "party_group",
    "special_committee",
    "informant",
    "invited_informant",
    "invited_writer",
    "street_liaison_group",
    "direct_report_point",
    "public_submission",
    "member_organisation",
]
Topic = Literal["economy", "city", "society", "agriculture", "government"]
Urgency = Literal["normal", "urgent", "most_urgent"]
Classification = Literal["public", "internal"]


class Author(Record):
    """Who wrote the item, as every office on its way may know it."""

    name: Line
    kind: AuthorKind
    unit: Line


class Attachment(Record):
    """A file that belongs to the item; its pieces travel as `blob`."""

    name: Line
    media_type: Line
    size: int = Field(ge=1, le=BIGGEST, strict=True)
    digest: HexDigest
    pieces: tuple[HexDigest, ...]


class Edition(Record):
    """One edition of an item: all of its text, and the signed messages it came by.

    `evidence` holds the token by which the sender itself received the item, so that the office
    above can verify the first office's own signature. It is empty where the item was written.
    `number` is the one under which the sender registered the item.
    """

    edition: int = Field(ge=1, le=10_000, strict=True)
    title: Line
    body: Text
    authors: tuple[Author, ...] = Field(min_length=1, max_length=50)
    topic: Topic
    urgency: Urgency
    classification: Classification
    origin: OfficeReference
    submitted_at: Time
    number: Line | None = None
    attachments: tuple[Attachment, ...] = ()
    evidence: tuple[Token, ...] = Field(default=(), max_length=100)


class Submission(Edition):
    """An item that the sender forwards for the first time."""


class Revision(Edition):
    """A new edition of an item that the sender forwarded before."""


class Withdrawal(Record):
    """A request: the office that has the item answers with a fact."""

    reason: Text
