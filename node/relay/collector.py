"""The collector: takes in what comes on the lane of pieces, one blob at a time:

 1. The envelope, the unsigned properties, the neighbour and its incarnation are right, as for
    every message (`reception`, steps 1 to 3).
 2. A wish becomes an order (`supplier`), if this office announced the file to that neighbour, or
    has all its pieces from there. A neighbour that announced it and never sent them waits.
 3. A piece counts if it is missing here and has the length and digest that its sender announced.
    One that came before is passed over. A wrong one is quarantined and asked for again; after
    `MOST_FAULTS` of them the transfer stops.
 4. The piece is written and forced to the disk.
 5. The last one makes the file whole: its digest and its kind are checked. Pieces that the disk
    lost in the meantime are asked for again.
 6. In one transaction: the piece is here, or the file with its name on the shelf; whoever waits
    for it can have it, and who sent it can have it back.

No link counts as heard by it: that would lock links before outbox rows, and `reception` locks them
the other way round. Acknowledged after the commit. Killed before, the same piece is written again
at the same place.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog
from sqlalchemy import delete, select, update

from node.errors import DamagedFileError, FileKindError, ShelfError
from node.relay import admission, holdings, quarantine, reception
from node.relay.blobs import AT_ONCE
from node.relay.errors import NotOfferedError, PieceError, PoisonError
from node.relay.transport import Delivery, Transport
from node.storage import bulk
from node.storage.database import Session, is_away
from node.storage.files import Attachment, Enclosure, Offer, Order, StoredFile, Transfer
from node.storage.items import Item
from node.storage.shelf import Shelf
from node.workflow import kinds
from node.workflow.desk import Desk
from protocol import envelope
from protocol.envelope import Opened
from protocol.errors import ZhitongError
from protocol.identifiers import NodeId
from protocol.messages.items import PIECE
from protocol.messages.links import Blob

log = structlog.get_logger()

MOST_FAULTS = 5


@dataclass(frozen=True)
class _Piece:
    """A piece that was right, and what its transfer said of the file."""

    source: NodeId
    digest: str
    index: int
    content: bytes
    name: str
    last: bool


class Collector:
    """Takes in pieces, and wishes for pieces, at one office."""

    def __init__(self, desk: Desk, transport: Transport) -> None:
        self._desk = desk
        self._transport = transport
        self._batch: list[Delivery] = []

    async def step(self) -> bool:
        """Take in what has arrived, at most two blobs; whether there was anything."""
        if not self._batch:
            self._batch = await self._transport.take(AT_ONCE)
        if not self._batch:
            return False
        for delivery in self._batch:
            await self._take(delivery)
        # After the commit, and only then.
        await self._transport.acknowledge(self._batch)
        self._batch = []
        return True

    async def _take(self, delivery: Delivery) -> None:
        now = self._desk.clock()
        message: Opened | None = None
        try:
            message = await asyncio.to_thread(
                envelope.open_message,
                delivery.body,
                chains=self._desk.chains,
                place=self._desk.place,
                now=now,
            )
            piece = await self._examine(delivery, message, now)
            if piece is not None:
                await self._keep(piece)
        except ShelfError:
            # A full disk: the piece stays with the broker until there is room.
            raise
        except ZhitongError as error:
            await self._refuse(delivery, error, message)
        except Exception as error:
            if is_away(error):
                raise
            log.exception("blob.poison", queue=delivery.queue, error=type(error).__name__)
            await self._refuse(delivery, PoisonError(), message)

    async def _examine(self, delivery: Delivery, message: Opened, now: datetime) -> _Piece | None:
        """Steps 1 to 3; the piece that is to be kept."""
        blob, sender = message.data, message.event.sender
        wrong: PieceError | None = None
        async with self._desk.database.writing.begin() as session:
            # 1.
            reception.demand_properties(delivery, message)
            offices = await reception.neighbours(session, {sender})
            barred = await admission.barred_among(session, {sender})
            admission.demand_good_standing(barred, message)
            reception.demand_incarnation(offices, message)
            if not isinstance(blob, Blob):
                raise NotOfferedError(f"a {message.name} does not travel among the pieces")
            # 2.
            if blob.piece is None:
                await self._order(session, sender, blob, now)
                return None
            # 3.
            transfer = await _expecting(session, sender, blob)
            if transfer is not None:
                content = _content(blob.piece)
                wrong = _fault(transfer, blob, content)
                if wrong is not None:
                    _count_fault(transfer, blob, wrong)
        if wrong is not None:
            raise wrong
        if transfer is None:
            log.info("piece.repeated", peer=sender, digest=blob.digest, index=blob.index)
            return None
        last = transfer.missing == [blob.index]
        return _Piece(sender, blob.digest, blob.index, content, transfer.name, last)

    async def _order(self, session: Session, peer: NodeId, wish: Blob, now: datetime) -> None:
        offer = await session.get(Offer, (peer, wish.digest))
        if offer is None and await _brought(session, peer, wish.digest):
            log.info("piece.not_here", peer=peer, digest=wish.digest, index=wish.index)
            return
        if offer is None or wish.index >= len(offer.pieces):
            raise NotOfferedError
        piece = await holdings.find(session, self._desk.shelf, offer, wish.index)
        await bulk.upsert(
            session,
            Order,
            change=["ready"],
            peer=peer,
            digest=wish.digest,
            index=wish.index,
            ready=piece is not None,
            at=now,
        )

    async def _keep(self, piece: _Piece) -> None:
        shelf = self._desk.shelf
        file = shelf.arriving(piece.source, piece.digest)
        # The file got its name, and then the process was killed before it said so.
        named = await asyncio.to_thread(_is_named, shelf.place(piece.digest), file)
        # 4.
        if not named:
            await asyncio.to_thread(shelf.write_piece, file, piece.index, piece.content)
        # 5.
        if piece.last or named:
            whole = shelf.place(piece.digest) if named else file
            try:
                await self._demand_whole(piece, whole)
            except (DamagedFileError, FileKindError) as error:
                if named or not await self._ask_again(piece, file):
                    await self._give_up(piece, error, file)
                return
            await self._finish(piece, None if named else file)
            return
        # 6.
        async with self._desk.database.writing.begin() as session:
            transfer = await _locked(session, piece.source, piece.digest)
            if transfer is None:
                return
            transfer.missing = [index for index in transfer.missing if index != piece.index]
            transfer.asked = [index for index in transfer.asked if index != piece.index]
            transfer.attempts, transfer.again_at = 0, None
            await session.execute(
                update(Order)
                .where(Order.digest == piece.digest, Order.index == piece.index)
                .values(ready=True)
            )

    async def _demand_whole(self, piece: _Piece, file: Path) -> None:
        found = await asyncio.to_thread(self._desk.shelf.digest_of, file)
        if found != piece.digest:
            raise DamagedFileError("the pieces do not make up the file that was announced")
        kind = kinds.of_name(piece.name, self._desk.limits.file_types)
        await asyncio.to_thread(kinds.demand, kind, file)

    async def _finish(self, piece: _Piece, file: Path | None) -> None:
        # 6.
        async with self._desk.database.writing.begin() as session:
            transfer = await _locked(session, piece.source, piece.digest)
            if transfer is None:
                return
            await bulk.upsert(
                session,
                StoredFile,
                change=["touched_at"],
                digest=transfer.digest,
                size=transfer.size,
                media_type=transfer.media_type,
                pieces=transfer.pieces,
                touched_at=self._desk.clock(),
            )
            # Who had the whole file may lose its disk, and have it back.
            await bulk.upsert(
                session,
                Offer,
                change=["pieces"],
                peer=transfer.source,
                digest=transfer.digest,
                pieces=transfer.pieces,
            )
            if file is not None:
                await asyncio.to_thread(self._desk.shelf.put, file, piece.digest)
            await session.execute(delete(Transfer).where(Transfer.digest == piece.digest))
            await session.execute(
                update(Order).where(Order.digest == piece.digest).values(ready=True)
            )
        log.info("file.complete", peer=piece.source, digest=piece.digest)

    async def _ask_again(self, piece: _Piece, file: Path) -> bool:
        """Whether pieces that had come are on the disk no more, and are missing again.

        A backup has the row of a file that was arriving, and not its pieces.
        """
        async with self._desk.database.reading() as session:
            transfer = await session.get(Transfer, (piece.source, piece.digest))
        if transfer is None:
            return False
        lost = await asyncio.to_thread(_lost, self._desk.shelf, file, transfer.pieces)
        if not lost or transfer.faults + 1 >= MOST_FAULTS:
            return False
        async with self._desk.database.writing.begin() as session:
            transfer = await _locked(session, piece.source, piece.digest)
            if transfer is not None:
                transfer.missing, transfer.asked = lost, []
                transfer.attempts, transfer.again_at = 0, None
                transfer.faults += 1
        log.warning("file.pieces_lost", peer=piece.source, digest=piece.digest, pieces=len(lost))
        return True

    async def _give_up(self, piece: _Piece, error: ZhitongError, file: Path) -> None:
        """Every piece is what was announced, and the file is not: asking again is of no use."""
        async with self._desk.database.writing.begin() as session:
            transfer = await _locked(session, piece.source, piece.digest)
            if transfer is not None:
                transfer.missing = list(range(len(transfer.pieces)))
                transfer.asked, transfer.stopped = [], error.code
        await asyncio.to_thread(self._desk.shelf.remove, file)
        log.error("file.refused", peer=piece.source, digest=piece.digest, code=error.code)

    async def _refuse(
        self, delivery: Delivery, error: ZhitongError, message: Opened | None
    ) -> None:
        async with self._desk.database.writing.begin() as session:
            now = self._desk.clock()
            await quarantine.put(session, self._desk, delivery, error, now, message)


async def _brought(session: Session, peer: NodeId, digest: str) -> bool:
    """Whether an item from this neighbour names the file, whose pieces it did not send us all."""
    found = await session.scalar(
        select(Attachment.digest)
        .join(Item, Item.id == Attachment.item_id)
        .where(Attachment.digest == digest, Item.source == peer)
        .limit(1)
    ) or await session.scalar(
        select(Enclosure.digest)
        .where(Enclosure.digest == digest, Enclosure.source == peer)
        .limit(1)
    )
    return found is not None


async def _expecting(session: Session, sender: NodeId, blob: Blob) -> Transfer | None:
    """The transfer that misses this piece."""
    transfer = await _locked(session, sender, blob.digest)
    if transfer is None or transfer.stopped is not None or blob.index not in transfer.missing:
        return None
    return transfer


async def _locked(session: Session, source: NodeId, digest: str) -> Transfer | None:
    return await session.get(Transfer, (source, digest), with_for_update=True)


def _content(piece: str) -> bytes:
    try:
        return base64.b64decode(piece, validate=True)
    except binascii.Error:
        return b""  # which no piece is


def _fault(transfer: Transfer, blob: Blob, content: bytes) -> PieceError | None:
    length = min(PIECE, transfer.size - blob.index * PIECE)
    if len(content) != length:
        return PieceError(f"piece {blob.index} has {len(content)} bytes, not {length}")
    if hashlib.sha256(content).hexdigest() != transfer.pieces[blob.index]:
        return PieceError(f"piece {blob.index} has another digest than was announced")
    return None


def _count_fault(transfer: Transfer, blob: Blob, wrong: PieceError) -> None:
    transfer.faults += 1
    transfer.asked = [index for index in transfer.asked if index != blob.index]
    transfer.attempts, transfer.again_at = 0, None
    if transfer.faults >= MOST_FAULTS:
        transfer.stopped = wrong.code
        log.error("file.stopped", peer=transfer.source, digest=transfer.digest, code=wrong.code)


def _lost(shelf: Shelf, file: Path, pieces: Sequence[str]) -> list[int]:
    lost = []
    for index, digest in enumerate(pieces):
        try:
            shelf.read_piece(file, index, digest)
        except DamagedFileError:
            lost.append(index)
    return lost


def _is_named(place: Path, file: Path) -> bool:
    return place.exists() and not file.exists()
