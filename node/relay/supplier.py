"""The supplier: sends the pieces that neighbours asked for. One step:

1. Choose at most two orders whose piece is here, of different neighbours where there are some.
   An order for a piece that is still arriving waits, and is ready when the piece is here.
2. Read each piece, and check it: a disk may have spoilt it.
3. Sign and send, and wait for the confirms.
4. Remove the orders that were confirmed. Killed before, the piece is sent twice, which is harmless.
"""

from __future__ import annotations

import asyncio
import base64
from datetime import datetime

import structlog
from sqlalchemy import select

from node.errors import DamagedFileError, ShelfError
from node.relay import holdings
from node.relay.blobs import AT_ONCE, BlobSender
from node.relay.publisher import AGAIN_AFTER
from node.storage.database import Session
from node.storage.files import Offer, Order
from node.workflow.desk import Desk
from protocol.identifiers import NodeId
from protocol.messages.links import Blob

log = structlog.get_logger()


class Supplier:
    """Sends the pieces of one office's files."""

    def __init__(self, desk: Desk, sender: BlobSender) -> None:
        self._desk = desk
        self._sender = sender
        self._turn = 0
        self.due: datetime | None = None
        """When to try again, after the transport did not confirm."""

    async def step(self) -> bool:
        """Send what can be sent; whether anything was."""
        self.due = None
        # 1.
        async with self._desk.database.reading() as session:
            orders = await self._choose(session)
            # 2.
            pieces = [await self._piece(session, order) for order in orders]
        if not orders:
            return False
        # 3.
        found = [(o, piece) for o, piece in zip(orders, pieces, strict=True) if piece is not None]
        blobs = [(NodeId(order.peer), _blob(order, piece)) for order, piece in found]
        confirmed = await self._sender.send(blobs, self._desk.clock())
        # 4.
        failed = [o for (o, _), ok in zip(found, confirmed, strict=True) if not ok]
        done = [order for order in orders if order not in failed]
        async with self._desk.database.writing.begin() as session:
            for order in done:
                await session.delete(await session.merge(order))
        if failed:
            self.due = self._desk.clock() + AGAIN_AFTER
        log.info("pieces.sent", sent=sum(confirmed), failed=len(failed))
        return bool(done)

    async def _choose(self, session: Session) -> list[Order]:
        found = await session.scalars(select(Order.peer).where(Order.ready).distinct())
        peers = sorted(peer for peer in found if self._sender.reachable(NodeId(peer)))
        self._turn += 1
        start = self._turn % len(peers) if peers else 0
        chosen: list[Order] = []
        for peer in [*peers[start:], *peers[:start]][:AT_ONCE]:
            orders = await session.scalars(
                select(Order)
                .where(Order.peer == peer, Order.ready)
                .order_by(Order.at, Order.digest, Order.index)
                .limit(AT_ONCE if len(peers) == 1 else 1)
            )
            chosen += orders.all()
        return chosen

    async def _piece(self, session: Session, order: Order) -> bytes | None:
        """The piece; None where it is not here after all, and will be asked for again."""
        offer = await session.get(Offer, (order.peer, order.digest))
        shelf = self._desk.shelf
        if offer is None:
            return None
        found = await holdings.find(session, shelf, offer, order.index)
        if found is None:
            return None
        try:
            return await asyncio.to_thread(shelf.read_piece, found.file, found.index, found.digest)
        except (DamagedFileError, ShelfError) as error:
            log.error("file.unreadable", digest=order.digest, index=order.index, code=error.code)
            return None


def _blob(order: Order, piece: bytes) -> Blob:
    return Blob(digest=order.digest, index=order.index, piece=base64.b64encode(piece).decode())
