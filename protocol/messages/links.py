"""Messages that belong to a link and not to the work: never receipted themselves."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, StrictBool, StringConstraints, model_validator

from protocol.messages.items import MOST_PIECES, PIECE, HexDigest, Token
from protocol.offices import BIGGEST, Base64, Day, Record, Time

Code = Annotated[str, StringConstraints(pattern=r"^[a-z]+(\.[a-z_]+)+$", max_length=60)]

MOST_HEADS = 500


class ReceiptEntry(Record):
    """The verdict on one message: identity is the id with the digest of the signed content."""

    id: UUID
    digest: HexDigest
    verdict: Literal["received", "refused"]
    code: Code | None = None
    permanent: StrictBool = True
    incarnation: int | None = Field(default=None, ge=1, lt=2**53, strict=True)
    """The highest that the receiver knows of the sender, where the sender spoke as a lower one."""

    @model_validator(mode="after")
    def _refusals_have_codes(self) -> Self:
        if (self.verdict == "refused") != (self.code is not None):
            raise ValueError("a refusal has a code, and nothing else has one")
        return self


class AuditHead(Record):
    """A seal of an audit chain. A receipt names the newest of its sender's: the other side becomes
    its witness, and says of which incarnation it was when it names it again.
    """

    seal: int = Field(ge=1, le=BIGGEST, strict=True)
    hash: HexDigest
    incarnation: int | None = Field(default=None, ge=1, lt=2**53, strict=True)


class Receipt(Record):
    """What became of a batch of messages, said after the receiver's transaction committed."""

    entries: Annotated[tuple[ReceiptEntry, ...], Field(min_length=1, max_length=1_000)]
    audit: AuditHead | None = None


class Statement(Record):
    """What the speaker says that it sent to the other side, or received from it, on one day.

    The day (UTC) is that of the messages' ids. `digest` is SHA-256 over the messages in the order
    of their ids: for each the 16 bytes of the id, then the 32 of the digest of its content. Ids are
    listed, in pages, by the receiver and only when it counts otherwise than the sender; each page
    begins with the id that ended the one before.
    """

    side: Literal["sent", "received"]
    day: Day
    count: int = Field(ge=0, le=BIGGEST, strict=True)
    digest: HexDigest
    page: int = Field(default=1, ge=1, le=10_000, strict=True)
    pages: int = Field(default=1, ge=1, le=10_000, strict=True)
    ids: Annotated[tuple[UUID, ...], Field(max_length=2_000)] | None = None

    @model_validator(mode="after")
    def _pages_are_in_order(self) -> Self:
        if self.page > self.pages:
            raise ValueError("there is no such page")
        if self.ids is not None:
            if self.side != "received":
                raise ValueError("only the receiver lists ids")
            if list(self.ids) != sorted(set(self.ids)):
                raise ValueError("the ids are not in their order, or one stands there twice")
        return self


class ErasedMessage(Record):
    """A message whose contents were purged: what both ends still count."""

    id: UUID
    name: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")]
    subject: UUID
    digest: HexDigest


class Replay(Record):
    """A node that was restored from a backup asks what the other side has of it, or is answered.

    The question has `since`, the time from which on it may have lost something, and `after`, the
    last of its own messages that came back already. The answer has `tokens`, messages that the
    asker had sent, in the order of their ids, and `ids`, those of messages that the answering side
    sends the asker again. `erased` are those of the asker's own whose contents were purged, in the
    same order as `tokens`. `more` says that another question will bring more. The last answer names
    the newest seals that the answering side has seen of the asker's audit chain: `audit` the last,
    `heads` that one and those before it. With the last possible id as `after`, that is all of it.
    """

    since: Time | None = None
    after: UUID | None = None
    tokens: Annotated[tuple[Token, ...], Field(max_length=200)] = ()
    ids: Annotated[tuple[UUID, ...], Field(max_length=2_000)] = ()
    erased: Annotated[tuple[ErasedMessage, ...], Field(max_length=200)] = ()
    more: StrictBool = False
    audit: AuditHead | None = None
    heads: Annotated[tuple[AuditHead, ...], Field(max_length=MOST_HEADS)] | None = None

    @model_validator(mode="after")
    def _questions_hold_no_answer(self) -> Self:
        if self.since is not None and (
            self.tokens or self.ids or self.erased or self.more or self.audit or self.heads
        ):
            raise ValueError("a question has no answer in it")
        return self


class Blob(Record):
    """One piece of an attachment, at most 1 MiB; without `piece`, the wish to be sent it."""

    digest: HexDigest
    index: int = Field(ge=0, lt=MOST_PIECES, strict=True)
    piece: Annotated[Base64, StringConstraints(max_length=-(-PIECE // 3) * 4)] | None = None
