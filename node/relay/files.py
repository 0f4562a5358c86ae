"""Across a gap: the same signed messages and receipts, carried as files. Both ends.

Export, which changes nothing about a message: it is received when its receipt has come.

 1. Choose what the neighbour has not received: receipts first, then by urgency and age. A pause
    holds business messages back here as well.
 2. Sign each with the present time and write it, in parts that are bearable at the other end.
 3. Once the files are on the disk: note when receipts first left, and forget those that left long
    ago. A receipt is never receipted itself; it goes into every file for `RECEIPTS_KEPT`.

Import: every token goes through the reception, as a delivery from a broker does, in batches. So a
file may come again, in any order, beside a broker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import structlog
from sqlalchemy import and_, delete, or_, select, update

from node.config import RelaySettings
from node.errors import FileRefusedError, StandingError, UnknownOfficeError
from node.relay import archive
from node.relay.archive import Index
from node.relay.consumer import take_in
from node.relay.reception import Reception, Result
from node.relay.transport import Delivery
from node.storage import bulk
from node.storage.database import Session
from node.storage.messages import Outgoing
from node.storage.offices import Link
from node.workflow import audit
from node.workflow.desk import CLI, Desk
from node.workflow.outbox import FIRST_PRIORITY
from protocol import envelope
from protocol.identifiers import NodeId
from protocol.keys import Signer
from protocol.messages.catalogue import NAMES
from protocol.messages.links import Receipt

log = structlog.get_logger()

QUEUE = "file"
RECEIPT = NAMES[Receipt]
AT_ONCE = 50
BATCH_BYTES = 16 * 1024 * 1024
PART_BYTES = archive.MOST_BYTES // 2
RECEIPTS_KEPT = timedelta(days=30)

Progress = Callable[[int, int], None]
"""Told how many of how many messages are done."""


@dataclass(frozen=True)
class Exported:
    """What was written. `held_back`: the link is paused, and only receipts went."""

    files: Sequence[Path]
    messages: int
    receipts: int
    held_back: bool


@dataclass(frozen=True)
class Imported:
    """From whom the file says it comes, and what its messages came to."""

    sender: str
    result: Result


class Exporter:
    """Writes files for one office's neighbours."""

    def __init__(self, desk: Desk, signer: Signer, *, incarnation: int) -> None:
        self._desk = desk
        self._signer = signer
        self._incarnation = incarnation

    async def export(
        self, peer: NodeId, path: Path, *, by: str, limit: int, progress: Progress
    ) -> Exported:
        """Write what the neighbour has not received, at most `limit` messages a file.

        The second file of a large export is named after the first. Raises `UnknownOfficeError`,
        `StandingError`, and `ConfigurationError` where a file cannot be written.
        """
        now = self._desk.clock()
        # 1.
        now = self._desk.clock()
        async with self._desk.database.reading() as session:
            link = await _demand_link(session, peer)
            if link.barred is not None:
                raise StandingError(f"{peer} is {link.barred}")
            held_back = link.paused_at is not None
            wanted = await _unreceived(session, peer, now, held_back=held_back)
        # 2.
        index = Index(sender=self._desk.node, recipient=peer, made_at=now)
        files: list[Path] = []
        written: list[_Row] = []
        done = 0
        while done < len(wanted):
            part = path if not files else path.with_stem(f"{path.stem}-{len(files) + 1}")
            with archive.writing(part, index) as add:
                size, end = 0, min(done + limit, len(wanted))
                while done < end and size < PART_BYTES:
                    some = wanted[done : min(done + AT_ONCE, end)]
                    for row in await self._read(some):
                        token = self._seal(row)
                        add(token)
                        size += len(token)
                        written.append(row)
                    done += len(some)
                    progress(done, len(wanted))
            files.append(part)
        # 3.
        receipts = [row.id for row in written if row.name == RECEIPT]
        exported = Exported(files, len(written) - len(receipts), len(receipts), held_back)
        await self._note(peer, receipts, exported, by)
        return exported

    def _seal(self, row: _Row) -> bytes:
        return envelope.seal(
            row.payload,
            self._signer,
            signed_at=self._desk.clock(),
            incarnation=self._incarnation,
        )

    async def _read(self, ids: Sequence[UUID]) -> list[_Row]:
        # A receipt that the broker took meanwhile is gone.
        async with self._desk.database.reading() as session:
            found = await session.execute(
                select(Outgoing.id, Outgoing.name, Outgoing.payload).where(
                    bulk.among(session, Outgoing.id, ids)
                )
            )
            rows = {row.id: _Row(*row) for row in found}
        return [rows[id] for id in ids if id in rows]

    async def _note(
        self, peer: NodeId, receipts: Sequence[UUID], exported: Exported, by: str
    ) -> None:
        now = self._desk.clock()
        async with self._desk.database.writing.begin() as session:
            link = await _demand_link(session, peer, lock=True)
            link.exported_at = now
            for some in _batches(receipts, AT_ONCE):
                await session.execute(
                    update(Outgoing)
                    .where(bulk.among(session, Outgoing.id, some), Outgoing.sent_at.is_(None))
                    .values(sent_at=now)
                )
            await session.execute(
                delete(Outgoing).where(
                    Outgoing.peer == peer,
                    Outgoing.name == RECEIPT,
                    Outgoing.sent_at < now - RECEIPTS_KEPT,
                )
            )
            audit.note(
                session,
                now,
                actor=by,
                action="link_exported",
                came_from=CLI,
                subject=peer,
                files=len(exported.files),
                messages=exported.messages,
                receipts=exported.receipts,
            )
        log.info("link.exported", peer=peer, messages=exported.messages)


async def take_in_file(
    desk: Desk, settings: RelaySettings, path: Path, *, by: str, progress: Progress
) -> Imported:
    """Take in a file that a neighbour exported. Raises `FileRefusedError`."""
    reception = Reception(desk, settings)
    total = Result()
    with archive.opened(path, recipient=desk.node) as found:
        sender = found.index.sender
        async with desk.database.reading() as session:
            if await session.get(Link, sender) is None:
                raise FileRefusedError(f"the file is from {sender}, which is no neighbour here")
        done = 0
        for batch in _deliveries(found.read(), settings.batch):
            total.add(await take_in(reception, batch))
            done += len(batch)
            progress(done, found.tokens)
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        audit.note(
            session,
            now,
            actor=by,
            action="link_imported",
            came_from=CLI,
            subject=sender,
            applied=total.applied,
            parked=total.parked,
            repeated=total.repeated,
            refused=total.refused,
            link=total.link,
        )
    log.info("link.imported", peer=sender, applied=total.applied, refused=total.refused)
    return Imported(sender, total)


class _Row(NamedTuple):
    id: UUID
    name: str
    payload: bytes


async def _unreceived(
    session: Session, peer: NodeId, now: datetime, *, held_back: bool
) -> Sequence[UUID]:
    temporary = and_(Outgoing.state == "refused", Outgoing.permanent.is_(False))
    query = select(Outgoing.id).where(
        Outgoing.peer == peer,
        or_(Outgoing.state.in_(("pending", "sent")), temporary),
        # A receipt that left in a file long ago is only here to be forgotten.
        or_(
            Outgoing.name != RECEIPT,
            Outgoing.sent_at.is_(None),
            Outgoing.sent_at >= now - RECEIPTS_KEPT,
        ),
    )
    if held_back:
        query = query.where(Outgoing.priority == FIRST_PRIORITY)
    found = await session.scalars(
        query.order_by(Outgoing.priority, Outgoing.created_at, Outgoing.id)
    )
    return found.all()


async def _demand_link(session: Session, peer: NodeId, *, lock: bool = False) -> Link:
    link = await session.get(Link, peer, with_for_update=lock)
    if link is None:
        raise UnknownOfficeError(f"{peer} is no neighbour of this office")
    return link


def _deliveries(tokens: Iterable[bytes], limit: int) -> Iterator[list[Delivery]]:
    batch: list[Delivery] = []
    size = 0
    for token in tokens:
        batch.append(Delivery(token, None, QUEUE))
        size += len(token)
        if len(batch) >= limit or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _batches(ids: Sequence[UUID], size: int) -> Iterator[Sequence[UUID]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]
