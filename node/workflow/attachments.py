"""The files of an item: named by its author, or announced by an office below, and announced above.

Who names a file in a draft must have brought it (`workflow/files`), or find it in an earlier
edition of the same item, or in an original of a combined one: knowing a digest opens nothing. What
an office below announces is fetched piece by piece (`relay/asker`) while the item can be read and
forwarded already; so is, from the office above, what a restored office had announced itself. A file
that this office does not take stays behind, and the item goes on without it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import ConfigDict
from sqlalchemy import delete, exists, select

from node.config import LimitSettings
from node.errors import FileKindError, FileTooLargeError, InputError, UnknownFileError
from node.storage import bulk
from node.storage.database import Session
from node.storage.drafts import DraftFile
from node.storage.files import Attachment, Enclosure, Offer, StoredFile, Transfer, Upload
from node.storage.items import Edition, Item
from node.workflow import kinds
from node.workflow.desk import Actor, Desk
from protocol.errors import ZhitongError
from protocol.identifiers import NodeId
from protocol.messages import items
from protocol.messages.items import FileName, HexDigest
from protocol.offices import Record


class Named(Record):
    """A file that an author names in a draft."""

    model_config = ConfigDict(extra="forbid")

    digest: HexDigest
    name: FileName


@dataclass(frozen=True)
class FileView:
    """A file of an item as people see it. `stopped` is the code of what ended its transfer."""

    name: str
    media_type: str
    size: int
    digest: str
    pieces: int
    arrived: int
    stopped: str | None

    @property
    def complete(self) -> bool:
        """Whether it can be downloaded."""
        return self.arrived == self.pieces


async def name(
    session: Session,
    desk: Desk,
    actor: Actor,
    item: Item,
    named: Sequence[Named],
    now: datetime,
    *,
    of: Sequence[UUID] = (),
) -> None:
    """Write what the item's newest edition names, and keep it from being cleared away.

    `of` are the items that it was written out of: their files may be named, too. Raises
    `UnknownFileError` for a file that the actor did not bring, `FileKindError` for a name that does
    not fit it, `FileTooLargeError` for too much.
    """
    before = await session.scalars(
        select(Attachment.digest).where(Attachment.item_id.in_((item.id, *of)))
    )
    files = await choose(session, desk, actor, named, now, also=set(before))
    _write(session, item.id, item.edition, files)


async def choose(
    session: Session,
    desk: Desk,
    actor: Actor,
    named: Sequence[Named],
    now: datetime,
    *,
    also: Collection[str] = (),
) -> tuple[items.Attachment, ...]:
    """The files that the actor brought, or that are known by these digests, as announced.

    Raises `UnknownFileError`, `FileKindError`, `FileTooLargeError`.
    """
    files = []
    for one in named:
        file = await _own(session, actor, also, one.digest)
        kind = kinds.of_name(one.name, desk.limits.file_types)
        if kind.media_type != file.media_type:
            # It was handed in under a name of another kind.
            await asyncio.to_thread(kinds.demand, kind, desk.shelf.place(file.digest))
        file.touched_at = now
        files.append(announcement(one.name, kind.media_type, file))
    if sum(file.size for file in files) > desk.limits.item_bytes:
        raise FileTooLargeError(f"一件信息的附件总共最多 {desk.limits.item_megabytes} MB")
    try:
        items.demand_different(files)
    except ValueError as error:
        raise InputError(str(error)) from error
    await session.execute(
        delete(Upload).where(
            Upload.person_id == actor.id,
            Upload.digest.in_([one.digest for one in named]),
            # Another draft may name it, too.
            ~exists().where(
                DraftFile.digest == Upload.digest, DraftFile.person_id == Upload.person_id
            ),
        )
    )
    return tuple(files)


async def receive(
    session: Session,
    desk: Desk,
    item: UUID,
    number: int,
    announced: items.Edition,
    source: NodeId,
    now: datetime,
) -> None:
    """Write what an edition announces, and begin to fetch from this neighbour what is not here.

    `number` is that of the edition at this office.
    """
    _write(session, item, number, announced.attachments)
    await expect(session, desk, announced.attachments, source, now)


async def expect(
    session: Session,
    desk: Desk,
    files: Sequence[items.Attachment],
    source: NodeId,
    now: datetime,
) -> None:
    """Begin to fetch from this neighbour what it announced and is not here."""
    total = 0
    for file in files:
        total += file.size
        kept = await session.get(StoredFile, file.digest, with_for_update=True)
        if kept is not None:
            kept.touched_at = now
            continue
        transfer = await session.get(Transfer, (source, file.digest), with_for_update=True)
        refusal = _refusal(desk.limits, file, total)
        if transfer is None:
            transfer = _transfer(source, file, now)
            session.add(transfer)
        transfer.faults, transfer.stopped = 0, refusal.code if refusal else None
        # The next item of this batch may announce the same file.
        await session.flush()


async def announced(session: Session, edition: Edition) -> tuple[items.Attachment, ...]:
    """The files of an edition, as a message announces them."""
    found = await session.scalars(
        select(Attachment)
        .where(Attachment.item_id == edition.item_id, Attachment.edition == edition.number)
        .order_by(Attachment.position)
    )
    return tuple(announcement(one.name, one.media_type, one) for one in found)


async def carry_over(session: Session, of: Edition, number: int) -> None:
    """Let an edition that was made of another one have the same files."""
    _write(session, of.item_id, number, await announced(session, of))


async def offer(session: Session, peer: NodeId, files: Sequence[items.Attachment]) -> None:
    """From now on the neighbour may ask for the pieces of these files."""
    for file in files:
        await bulk.upsert(session, Offer, peer=peer, digest=file.digest, pieces=list(file.pieces))


async def view(session: Session, desk: Desk, item: Item) -> tuple[FileView, ...]:
    """The files of the item's newest edition, and how far they have come."""
    # Those of an item that was written here come back from the office above, after a restore.
    source = item.source or (desk.parent.id if desk.parent is not None else "")
    found = await session.scalars(
        select(Attachment)
        .where(Attachment.item_id == item.id, Attachment.edition == item.edition)
        .order_by(Attachment.position)
    )
    return tuple([await view_one(session, one, source) for one in found])


async def view_one(session: Session, one: Attachment | Enclosure, source: str) -> FileView:
    """One file, and how far it has come from this neighbour."""
    whole = await session.get(StoredFile, one.digest) is not None
    transfer = None if whole else await session.get(Transfer, (source, one.digest))
    missing = 0 if whole else len(one.pieces)
    return FileView(
        name=one.name,
        media_type=one.media_type,
        size=one.size,
        digest=one.digest,
        pieces=len(one.pieces),
        arrived=len(one.pieces) - (missing if transfer is None else len(transfer.missing)),
        stopped=None if transfer is None else transfer.stopped,
    )


def announcement(
    name: str, media_type: str, of: StoredFile | Attachment | Enclosure
) -> items.Attachment:
    """What a message says of a file."""
    return items.Attachment(
        name=name, media_type=media_type, size=of.size, digest=of.digest, pieces=tuple(of.pieces)
    )


async def _own(session: Session, actor: Actor, known: Collection[str], digest: str) -> StoredFile:
    brought = select(Upload.digest).where(Upload.person_id == actor.id, Upload.digest == digest)
    if digest not in known and not await session.scalar(brought):
        raise UnknownFileError
    file = await session.get(StoredFile, digest, with_for_update=True)
    if file is None:
        raise UnknownFileError
    return file


def _write(session: Session, item: UUID, edition: int, files: Sequence[items.Attachment]) -> None:
    for position, file in enumerate(files):
        content = file.model_dump() | {"pieces": list(file.pieces)}
        bulk.insert(
            session, Attachment, item_id=item, edition=edition, position=position, **content
        )


def _refusal(limits: LimitSettings, file: items.Attachment, total: int) -> ZhitongError | None:
    if file.size > limits.file_bytes or total > limits.item_bytes:
        return FileTooLargeError()
    try:
        kind = kinds.of_name(file.name, limits.file_types)
    except FileKindError as error:
        return error
    return None if kind.media_type == file.media_type else FileKindError()


def _transfer(source: NodeId, file: items.Attachment, now: datetime) -> Transfer:
    return Transfer(
        source=source,
        digest=file.digest,
        name=file.name,
        media_type=file.media_type,
        size=file.size,
        pieces=list(file.pieces),
        missing=list(range(len(file.pieces))),
        asked=[],
        attempts=0,
        started_at=now,
    )
