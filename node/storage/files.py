"""Files: what lies on the shelf, which items name it, and what is still on its way.

The bytes lie in the node's folder (`node/storage/shelf`), by their digest. A row of `files` says
that the whole file is there. Who is about to count on a file locks its row and sets `touched_at`
first, so that it is not cleared away in between.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from node.storage.base import Base, reference

Digest = String(64)


class StoredFile(Base):
    """A whole file that lies on the shelf, once, whoever names it."""

    __tablename__ = "files"

    digest: Mapped[str] = mapped_column(Digest, primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    media_type: Mapped[str] = mapped_column(String(100))
    pieces: Mapped[list[Any]]
    touched_at: Mapped[datetime]


class Upload(Base):
    """A person brought this file and has not named it in an item yet."""

    __tablename__ = "uploads"

    person_id: Mapped[UUID] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), primary_key=True
    )
    digest: Mapped[str] = mapped_column(Digest, primary_key=True)
    at: Mapped[datetime]

    __table_args__ = (Index("ix_uploads_digest", "digest"),)  # whether a file is still wanted


class Attachment(Base):
    """A file that an edition of an item names: all that its message says about it."""

    __tablename__ = "attachments"

    item_id: Mapped[UUID] = mapped_column(reference("items.id"), primary_key=True)
    edition: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(Digest, primary_key=True)
    position: Mapped[int]
    name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int] = mapped_column(BigInteger)
    pieces: Mapped[list[Any]]

    __table_args__ = (Index("ix_attachments_digest", "digest"),)  # whether a file is still wanted


class Enclosure(Base):
    """A file that a fact about an item names (`owner_id` is its event), or an answer to an
    assignment. `source` is the neighbour from which it is fetched, None where it was brought here.
    """

    __tablename__ = "enclosures"

    owner_id: Mapped[UUID] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(Digest, primary_key=True)
    item_id: Mapped[UUID | None] = mapped_column(reference("items.id"))
    source: Mapped[str | None] = mapped_column(String(40))
    position: Mapped[int]
    name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int] = mapped_column(BigInteger)
    pieces: Mapped[list[Any]]

    __table_args__ = (
        Index("ix_enclosures_digest", "digest"),  # whether a file is still wanted
        Index("ix_enclosures_item_id", "item_id"),  # those of a timeline
    )


class Transfer(Base):
    """A file that a neighbour announced and of which pieces are missing here.

    Each neighbour's announcement counts for itself: what one says of a digest is not believed of
    another's. `missing` are the pieces that are not here, `asked` those of them that were asked
    for, last at `asked_at`. `attempts` counts how often since something arrived, and at `again_at`
    it is done again. `faults` counts pieces that were not what was announced. `stopped` is the
    code of the error that ended it.
    """

    __tablename__ = "transfers"

    source: Mapped[str] = mapped_column(String(40), primary_key=True)
    digest: Mapped[str] = mapped_column(Digest, primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int] = mapped_column(BigInteger)
    pieces: Mapped[list[Any]]
    missing: Mapped[list[Any]]
    asked: Mapped[list[Any]]
    asked_at: Mapped[datetime | None]
    again_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    faults: Mapped[int] = mapped_column(default=0)
    stopped: Mapped[str | None] = mapped_column(String(60))
    started_at: Mapped[datetime]

    __table_args__ = (Index("ix_transfers_digest", "digest"),)  # ended by whoever brings the file


class Offer(Base):
    """A neighbour was told of this file, or sent it here: it may ask for these pieces."""

    __tablename__ = "offers"

    peer: Mapped[str] = mapped_column(String(40), primary_key=True)
    digest: Mapped[str] = mapped_column(Digest, primary_key=True)
    pieces: Mapped[list[Any]]


class Order(Base):
    """A piece that a neighbour asked for and was not sent yet; `ready` once it is here itself."""

    __tablename__ = "orders"

    peer: Mapped[str] = mapped_column(String(40), primary_key=True)
    digest: Mapped[str] = mapped_column(Digest, primary_key=True)
    index: Mapped[int] = mapped_column(primary_key=True)
    ready: Mapped[bool]
    at: Mapped[datetime]

    __table_args__ = (Index("ix_orders_digest", "digest"),)  # made ready when the piece arrives
