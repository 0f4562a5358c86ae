"""Where a piece lies that was offered to a neighbour: in a whole file, or in one still arriving.

Only a piece with the digest that was announced to that neighbour is found: two offices below may
say different things of the same file, and one of them may lie.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from node.storage.database import Session
from node.storage.files import Offer, StoredFile, Transfer
from node.storage.shelf import Shelf
from protocol.identifiers import NodeId


@dataclass(frozen=True)
class Holding:
    """A piece that is here."""

    file: Path
    index: int
    digest: str


async def find(session: Session, shelf: Shelf, offer: Offer, index: int) -> Holding | None:
    """The piece; None while it is not here."""
    announced = offer.pieces[index]
    whole = await session.get(StoredFile, offer.digest)
    if whole is not None and whole.pieces[index : index + 1] == [announced]:
        return Holding(shelf.place(offer.digest), index, announced)
    arriving = await session.scalars(select(Transfer).where(Transfer.digest == offer.digest))
    for one in arriving:
        if one.pieces[index : index + 1] == [announced] and index not in one.missing:
            return Holding(shelf.arriving(NodeId(one.source), one.digest), index, announced)
    return None
