"""Sending `blob` messages: signed like all others, but past the outbox, on queues of their own.

Nothing is remembered of them. A wish or a piece that is lost is asked for again by the office that
misses the piece, so that office alone keeps count.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from node.relay.transport import CONTENT_TYPE, Parcel, Properties, Transport
from node.workflow.desk import Desk
from protocol import envelope
from protocol.identifiers import NodeId
from protocol.keys import Signer
from protocol.messages import catalogue, event
from protocol.messages.links import Blob

AT_ONCE = 2
"""Pieces of a file that are asked for, or under way, or in memory, at the same time."""

NO_FORMERS: Mapping[NodeId, Signer] = {}

NAME = catalogue.type_name("blob")


class BlobSender:
    """Signs blobs in the name of one office and hands them to the transport."""

    def __init__(
        self,
        desk: Desk,
        transport: Transport,
        signer: Signer,
        *,
        incarnation: int,
        formers: Mapping[NodeId, Signer] = NO_FORMERS,
    ) -> None:
        self._desk = desk
        self._transport = transport
        self._signer = signer
        self._formers = formers
        self._incarnation = incarnation

    def reachable(self, peer: NodeId) -> bool:
        """Whether sending to this neighbour makes sense now."""
        return self._transport.reachable(peer)

    async def send(self, blobs: Sequence[tuple[NodeId, Blob]], now: datetime) -> list[bool]:
        """For each, whether the transport confirmed that it keeps it."""
        # A mebibyte takes its time to be encoded and signed: pages and messages go on meanwhile.
        parcels = [
            await asyncio.to_thread(self._parcel, peer, blob, self._desk.new_id(), now)
            for peer, blob in blobs
        ]
        return await self._transport.publish(parcels)

    def _parcel(self, peer: NodeId, blob: Blob, id: UUID, now: datetime) -> Parcel:
        payload = event.compose(
            blob, id=id, sender=self._desk.node, recipient=peer, subject=None, time=now
        )
        signer = self._formers.get(peer, self._signer)
        token = envelope.seal(payload, signer, signed_at=now, incarnation=self._incarnation)
        properties = Properties(
            message_id=str(id), type=NAME, app_id=self._desk.node, content_type=CONTENT_TYPE
        )
        return Parcel(peer, token, properties)
