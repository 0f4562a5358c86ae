"""What climbs about an item: the item itself, its new editions, the wish to have it back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Annotated, Literal, Self, get_args
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from protocol.errors import ClassifiedError
from protocol.offices import Line, OfficeReference, Record, Text, Time

MOST_CARRIED = 1_400_000
"""Characters of a token that another message carries: within it, it still fits into an envelope."""

Token = Annotated[str, StringConstraints(max_length=MOST_CARRIED, pattern=r"^[A-Za-z0-9_.-]+$")]
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
ClassificationName = Literal["public", "internal"]
LEVELS: tuple[ClassificationName, ...] = get_args(ClassificationName)
"""From the lowest to the highest."""

_SECRET = re.compile(
    r"秘密|机密|绝密|^(state |top |most )?secret( |$)|^(highly )?(confidential|classified)( |$)",
    re.IGNORECASE,
)


def _without_secrets(value: object) -> object:
    # Not a ValueError: it must come through every validation as what it is.
    if isinstance(value, str) and _SECRET.search(re.sub(r"[\s_-]+", " ", value).strip()):
        raise ClassifiedError
    return value


Classification = Annotated[ClassificationName, BeforeValidator(_without_secrets)]
"""Who may read it. Claiming a level above `internal` raises `ClassifiedError`, at every input."""


Share = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,3}/[1-9][0-9]{0,3}$")]
"""A fraction: `1/3` is exact, 0.333 is not."""


class Author(Record):
    """Who wrote the item, as every office on its way may know it; `unit` is that of the time.

    `share` is this author's part in it. Where no author has one, all parts are equal.
    """

    name: Line
    kind: AuthorKind
    unit: Line
    share: Share | None = None


def demand_whole(authors: Sequence[Author]) -> None:
    """Raises `ValueError` unless the authors' shares make up the whole, or nobody has one."""
    shares = [author.share for author in authors if author.share is not None]
    if shares and (len(shares) < len(authors) or sum(map(Fraction, shares)) != 1):
        raise ValueError("the authors' shares must add up to 1: all of them have one, or none")


PIECE = 1024 * 1024
"""Bytes in a piece of a file; the last piece holds what remains."""

MOST_PIECES = 1_000
"""In all attachments of an edition: their digests travel within the item's own message."""

_NO_NAME = re.compile(r"[/\\\u061c\u200b-\u200f\u2060\ufeff]|^\.+$")


def _file_name(name: str) -> str:
    if _NO_NAME.search(name):
        raise ValueError("must be the name of a file, without a folder or unseen characters")
    return name


FileName = Annotated[Line, AfterValidator(_file_name)]
"""The name of a file as people read it: no folder, no characters that hide what it is."""


class Attachment(Record):
    """A file that belongs to the item; its pieces travel as `blob`.

    Says what the file must be. Whether the bytes are that file is checked as they arrive.
    """

    name: FileName
    media_type: Annotated[
        str,
        StringConstraints(pattern=r"^[a-z0-9][a-z0-9.+-]*/[a-z0-9][a-z0-9.+-]*$", max_length=100),
    ]
    size: int = Field(ge=1, le=MOST_PIECES * PIECE, strict=True)
    digest: HexDigest
    pieces: tuple[HexDigest, ...]

    @model_validator(mode="after")
    def _pieces_make_up_the_size(self) -> Self:
        if len(self.pieces) != -(-self.size // PIECE):
            raise ValueError("the number of pieces does not fit the size")
        if len(self.pieces) == 1 and self.pieces[0] != self.digest:
            raise ValueError("the only piece is the file: their digests are the same")
        return self


def demand_different(files: Sequence[Attachment]) -> None:
    """Raises `ValueError` unless these may be the attachments of one edition."""
    if len({file.digest for file in files}) < len(files):
        raise ValueError("two attachments are the same file")
    if len({file.name for file in files}) < len(files):
        raise ValueError("two attachments have the same name")
    if sum(len(file.pieces) for file in files) > MOST_PIECES:
        raise ValueError("the attachments have too many pieces")


def _different(files: tuple[Attachment, ...]) -> tuple[Attachment, ...]:
    demand_different(files)
    return files


Enclosures = Annotated[
    tuple[Attachment, ...], Field(min_length=1, max_length=10), AfterValidator(_different)
]
"""Files of a fact or of an answer; absent where there are none."""


class Edition(Record):
    """One edition of an item: all of its text, and the signed messages it came by.

    `evidence` holds the token by which the sender itself received the item, so that the office
    above can verify the first office's own signature. It is empty where the item was written.
    `received_at` is when the sender took that in: what is older than a theft of its signer's key
    counts. `number` is the one under which the sender registered the item. `answers` is the message
    by which the recipient had called for it.
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
    attachments: tuple[Attachment, ...] = Field(default=(), max_length=50)
    evidence: tuple[Token, ...] = Field(default=(), max_length=100)
    received_at: Time | None = None
    answers: UUID | None = None

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        demand_different(self.attachments)
        demand_whole(self.authors)
        return self


class Submission(Edition):
    """An item that the sender forwards for the first time."""


class Revision(Edition):
    """A new edition of an item that the sender forwarded before."""


class Withdrawal(Record):
    """A request: the office that has the item answers with a fact."""

    reason: Text
