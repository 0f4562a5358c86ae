"""Where this office stands and stood in the tree, and roots from elsewhere that count here."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from node.storage.base import Base, Json


class PlaceRow(Base):
    """A place of this office, from when until when; one alone has no end. An office that never was
    moved has no rows.

    `issuers` are node and issuing key of the offices above, from the top; `chain` the certificates
    (DER in base64) of this office there, its own first, which the relay fills in where they were
    learned from `statement`, the word of the office above with this `number`. `state` is arrived
    until the relay has put it in place and told the offices below, then done.
    """

    __tablename__ = "places"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    parent: Mapped[str | None] = mapped_column(String(40))
    issuers: Mapped[list[list[str]]] = mapped_column(Json)
    chain: Mapped[list[str]] = mapped_column(Json)
    roots: Mapped[list[str]] = mapped_column(Json)
    statement: Mapped[str | None] = mapped_column(Text)
    number: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(10))
    since: Mapped[datetime]
    until: Mapped[datetime | None]


class FormerRoot(Base):
    """The root of an office that came below this one and was a top before: what was signed below
    it then counts as evidence from below.
    """

    __tablename__ = "former_roots"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    office: Mapped[str] = mapped_column(String(40))
    certificate: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime]
