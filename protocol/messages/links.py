"""Messages that belong to a link and not to the work: never receipted themselves."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, StrictBool, StringConstraints, model_validator

from protocol.messages.items import MOST_PIECES, PIECE, HexDigest, Token
from protocol.offices import BIGGEST, Base64, Day, Record

Code = Annotated[str, StringConstraints(pattern=r"^[a-z]+(\.[a-z_]+)+$", max_length=60)]


class ReceiptEntry(Record):
    """The verdict on one message: identity is the id with the digest of the signed content."""

    id: UUID
    digest: HexDigest
    verdict: Literal["received", "refused"]
    code: Code | None = None
    permanent: StrictBool = True

    @model_validator(mode="after")
    def _refusals_have_codes(self) -> Self:
        if (self.verdict == "refused") != (self.code is not None):
            raise ValueError("a refusal has a code, and nothing else has one")
        return self


class AuditHead(Record):
    """The newest seal of the receiver's audit chain; the neighbour becomes its witness."""

    seal: int = Field(ge=1, le=BIGGEST, strict=True)
    hash: HexDigest


class Receipt(Record):
    """What became of a batch of messages, said after the receiver's transaction committed."""

    entries: Annotated[tuple[ReceiptEntry, ...], Field(min_length=1, max_length=1_000)]
    audit: AuditHead | None = None


class Statement(Record):
    """What the sender first sent on one day (UTC): a count, and a digest over the sorted ids.

    Ids are listed, in pages, only for days on which the two sides differ.
    """

    day: Day
    count: int = Field(ge=0, le=BIGGEST, strict=True)
    digest: HexDigest
    page: int = Field(default=1, ge=1, le=10_000, strict=True)
    pages: int = Field(default=1, ge=1, le=10_000, strict=True)
    ids: Annotated[tuple[UUID, ...], Field(max_length=2_000)] | None = None


class Replay(Record):
    """A request for tokens that the asker once sent or received, or the answer with them."""

    after: UUID | None = None
    tokens: Annotated[tuple[Token, ...], Field(max_length=200)] = ()
    more: StrictBool = False


class Blob(Record):
    """One piece of an attachment, at most 1 MiB; without `piece`, the wish to be sent it."""

    digest: HexDigest
    index: int = Field(ge=0, lt=MOST_PIECES, strict=True)
    piece: Annotated[Base64, StringConstraints(max_length=-(-PIECE // 3) * 4)] | None = None
