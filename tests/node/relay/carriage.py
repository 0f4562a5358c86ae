"""The lane of pieces between the two ends of a link, driven by hand beside `ends`."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select

from node.relay.asker import Asker
from node.relay.blobs import BlobSender
from node.relay.collector import Collector
from node.relay.memory import BLOBS
from node.relay.supplier import Supplier
from node.relay.transport import Delivery, Parcel, Properties
from node.storage.files import Order, StoredFile, Transfer
from node.workflow import decisions, files, forwarding, reading
from node.workflow.attachments import FileView
from node.workflow.files import Stored
from protocol.messages import event
from protocol.messages.items import PIECE
from protocol.messages.links import Blob
from tests import files as contents
from tests.factories import make_submission
from tests.node.relay.ends import CITY, SETTINGS, End, Ends, Wire, properties_of
from tests.protocol import forgery

ROUNDS = 400


@dataclass
class Lane(Wire):
    """A wire for pieces that remembers how many of them were in one hand."""

    at_once: int = 0
    """The most blobs that were published, or taken, in one go."""

    async def publish(self, parcels: Sequence[Parcel]) -> list[bool]:
        self.at_once = max(self.at_once, sum(is_piece(parcel.body) for parcel in parcels))
        return await super().publish(parcels)

    async def take(self, limit: int) -> list[Delivery]:
        taken = await super().take(limit)
        self.at_once = max(self.at_once, len(taken))
        return taken


@dataclass
class Side:
    """One office's end of the lane, with its three loops."""

    end: End
    lane: Lane
    asker: Asker = field(init=False)
    supplier: Supplier = field(init=False)
    collector: Collector = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """The process was killed and runs again: only the database and the files are left."""
        self.lane.close()
        desk = self.end.room.desk
        sender = BlobSender(desk, self.lane, self.end.signer, incarnation=1)
        self.asker = Asker(desk, sender, SETTINGS)
        self.supplier = Supplier(desk, sender)
        self.collector = Collector(desk, self.lane)

    async def step(self) -> bool:
        """One step of each loop; whether any had work."""
        return any(
            [await self.asker.step(), await self.supplier.step(), await self.collector.step()]
        )

    async def store(self, content: bytes, name: str = "附件.pdf") -> Stored:
        """Lin Xiaoyu hands in a file."""
        room = self.end.room
        return await files.store(room.desk, room.lin, name, contents.chunks(content))

    async def transfers(self) -> list[Transfer]:
        """What is on its way here."""
        async with self.end.room.database.reading() as session:
            return list(await session.scalars(select(Transfer).order_by(Transfer.started_at)))

    async def orders(self) -> list[int]:
        """Which pieces neighbours wait for."""
        async with self.end.room.database.reading() as session:
            return list(await session.scalars(select(Order.index).order_by(Order.index)))

    async def kept(self) -> list[str]:
        """The digests of the whole files here."""
        async with self.end.room.database.reading() as session:
            return list(await session.scalars(select(StoredFile.digest)))

    def content(self, digest: str) -> bytes:
        """A whole file from the shelf."""
        return self.end.room.desk.shelf.place(digest).read_bytes()

    async def seen(self, item: UUID) -> tuple[FileView, ...]:
        """The files of an item as the editor sees them."""
        return (await reading.view(self.end.room.desk, self.end.room.editor, item)).files


@dataclass
class Carriage:
    """Both ends of the lane."""

    ends: Ends
    county: Side
    city: Side

    async def forwarded(self, *contents: bytes, name: str = "附件{}.pdf") -> UUID:
        """An item with these files that the county forwarded, and that arrived at the city."""
        room = self.ends.county.room
        named = []
        for number, content in enumerate(contents, start=1):
            file = name.format(number)
            stored = await self.county.store(content, file)
            named.append({"digest": stored.digest, "name": file})
        item = await room.submit(attachments=named)
        await decisions.register(room.desk, room.editor, item)
        await forwarding.forward_up(room.desk, room.editor, item)
        await self.ends.exchange()
        return item

    async def carry(self) -> None:
        """Carry pieces until nobody has anything to do."""
        for _ in range(ROUNDS):
            if not any([await self.county.step(), await self.city.step()]):
                return
        raise AssertionError("the two offices never come to rest")

    def under_way(self) -> int:
        """How many pieces wait at the city's door."""
        queue = self.ends.switchboard.queue(self.ends.city.node, BLOBS)
        return sum(is_piece(delivery.body) for delivery in queue)


def joined(ends: Ends) -> Carriage:
    """The lane beside the wire of these ends."""
    county, city = (
        Side(end, Lane(ends.switchboard, end.node, BLOBS)) for end in (ends.county, ends.city)
    )
    return Carriage(ends, county, city)


def put(carriage: Carriage, token: bytes) -> None:
    """Place a token of the county before the city."""
    said = Properties(**properties_of(token))
    carriage.ends.switchboard.queue(CITY, BLOBS).append(Delivery(token, said, "memory.blob"))


def piece(content: bytes, index: int, part: bytes | None = None) -> Blob:
    """A piece of the content, or another one in its place."""
    part = content[index * PIECE : (index + 1) * PIECE] if part is None else part
    return Blob(digest=contents.digest(content), index=index, piece=base64.b64encode(part).decode())


async def announced(carriage: Carriage, **said: object) -> UUID:
    """An item that arrived at the city, of whose one file the county said this."""
    file = {"name": "附件.pdf", "media_type": "application/pdf", "digest": "ab" * 32} | said
    origin = carriage.ends.county.room.desk.office
    item = carriage.ends.county.new_id()
    await carriage.ends.county.post(
        make_submission(origin=origin, attachments=[file]), to=CITY, subject=item
    )
    await carriage.ends.exchange()
    return item


def blob_of(token: bytes) -> Blob:
    """The blob in a token."""
    return Blob.model_validate(event.decode(forgery.decode(token.split(b".")[1])).data)


def is_piece(token: bytes) -> bool:
    """Whether the blob is a piece, and no wish."""
    return blob_of(token).piece is not None
