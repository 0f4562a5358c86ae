"""Files that people hand in and fetch, and clearing away what nobody names.

`store` takes a file in:

 1. The actor may hand in items; the name promises a kind of file that this office takes.
 2. The bytes are written as they come, up to the limit.
 3. The content is of the kind that the name promises.
 4. In one transaction: the file's row, its name on the shelf, the person's upload, the audit row.

`clear` removes uploads that neither an item nor a draft named within a day, and then, in one
transaction a file, its row and its bytes; pieces of purged files at once. Whoever still wants a
file has locked and touched its row before.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, func, select

from node.errors import (
    FileArrivingError,
    FileTooLargeError,
    InputError,
    PurgedItemError,
    UnknownFileError,
)
from node.storage import bulk
from node.storage.database import Session
from node.storage.drafts import DraftFile
from node.storage.events import Event
from node.storage.files import Attachment, Enclosure, StoredFile, Transfer, Upload
from node.storage.shelf import Content
from node.workflow import access, audit, items, kinds
from node.workflow.desk import Actor, Desk
from node.workflow.kinds import Kind
from protocol.identifiers import NodeId

KEPT = timedelta(days=1)
"""How long a file lies here that no item names."""
AT_ONCE = 100
NAMING: tuple[type[Upload | Attachment | Enclosure], ...] = (Upload, Attachment, Enclosure)
"""Tables whose rows keep a file here."""


@dataclass(frozen=True)
class Stored:
    """A file that was handed in: its digest is what a draft names."""

    digest: str
    size: int
    media_type: str


@dataclass(frozen=True)
class Download:
    """A whole file, where it lies, and what the item calls it."""

    path: Path
    name: str
    media_type: str


async def store(desk: Desk, actor: Actor, name: str, chunks: AsyncIterator[bytes]) -> Stored:
    """Take in a file that a draft will name. Raises `FileKindError` or `FileTooLargeError`."""
    # 1.
    access.demand(actor, "upload")
    kind = kinds.of_name(name, desk.limits.file_types)
    deposit = await asyncio.to_thread(desk.shelf.deposit, desk.new_id())
    try:
        # 2.
        async for chunk in chunks:
            if deposit.size + len(chunk) > desk.limits.file_bytes:
                raise FileTooLargeError(f"一个附件最多 {desk.limits.file_megabytes} MB")
            await asyncio.to_thread(deposit.add, chunk)
        content = await asyncio.to_thread(deposit.finish)
        if content.size == 0:
            raise InputError("附件是空的")
        # 3.
        await asyncio.to_thread(kinds.demand, kind, deposit.file)
        # 4.
        await _enter(desk, actor, kind, content, deposit.file)
    finally:
        await asyncio.to_thread(deposit.discard)
    return Stored(content.digest, content.size, kind.media_type)


async def download(desk: Desk, actor: Actor, item_id: UUID, digest: str) -> Download:
    """A file of an item that the actor may see, or of a fact about it.

    Raises `UnknownFileError`, and `FileArrivingError` while pieces are missing.
    """
    access.demand(actor, "read")
    async with desk.database.reading() as session:
        found: Attachment | Enclosure | None = await session.scalar(
            select(Attachment)
            .where(Attachment.item_id == item_id, Attachment.digest == digest)
            .order_by(Attachment.edition.desc())
            .limit(1)
        ) or await session.scalar(
            select(Enclosure)
            .join(Event, Event.id == Enclosure.owner_id)
            .where(Enclosure.item_id == item_id, Enclosure.digest == digest)
            .limit(1)
        )
        if found is None:
            raise UnknownFileError
        if not await items.within_reach(session, actor, item_id, "read"):
            raise UnknownFileError(refused=access.refused(actor, "read"))
        if await session.get(StoredFile, digest) is None:
            raise FileArrivingError
    return Download(desk.shelf.place(digest), found.name, found.media_type)


async def clear(desk: Desk) -> bool:
    """Remove what nobody named; whether there may be more."""
    before = desk.clock() - KEPT
    async with desk.database.writing.begin() as session:
        in_draft = exists().where(
            DraftFile.digest == Upload.digest, DraftFile.person_id == Upload.person_id
        )
        await session.execute(delete(Upload).where(Upload.at < before, ~in_draft))
        unnamed = await session.scalars(
            select(StoredFile)
            .where(StoredFile.touched_at < before, *(~_wanted(one) for one in NAMING))
            .order_by(StoredFile.digest)
            .limit(AT_ONCE)
            .with_for_update()
        )
        removed = unnamed.all()
        for file in removed:
            await session.delete(file)
        await session.flush()
        for file in removed:
            await asyncio.to_thread(desk.shelf.remove, desk.shelf.place(file.digest))
    await _clear_purged(desk)
    await _clear_unfinished(desk)
    return len(removed) == AT_ONCE


def _wanted(table: type[Upload | Attachment | Enclosure]) -> ColumnElement[bool]:
    return exists().where(table.digest == StoredFile.digest)


async def _clear_purged(desk: Desk) -> None:
    """Pieces of files whose item was purged on their way. The row stays until they are gone."""
    async with desk.database.writing.begin() as session:
        purged = await session.scalars(
            select(Transfer)
            .where(Transfer.stopped == PurgedItemError.code)
            .order_by(Transfer.source, Transfer.digest)
            .with_for_update()
        )
        for transfer in purged.all():
            file = desk.shelf.arriving(NodeId(transfer.source), transfer.digest)
            await asyncio.to_thread(desk.shelf.remove, file)
            await session.delete(transfer)


async def _clear_unfinished(desk: Desk) -> None:
    """Parts of files whose upload broke off, or whose transfer came to its end."""
    before = (desk.clock() - KEPT).timestamp()
    unfinished = await asyncio.to_thread(desk.shelf.unfinished)
    async with desk.database.reading() as session:
        rows = await session.execute(select(Transfer.source, Transfer.digest))
        expected = {desk.shelf.arriving(NodeId(source), digest) for source, digest in rows}
    for file, changed_at in unfinished:
        if changed_at < before and file not in expected:
            await asyncio.to_thread(desk.shelf.remove, file)


async def _enter(desk: Desk, actor: Actor, kind: Kind, content: Content, file: Path) -> None:
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        await _demand_room(session, desk, actor, content)
        # Whoever clears the same file away now either waits for this row, or is waited for here.
        await bulk.upsert(
            session,
            StoredFile,
            change=["touched_at"],
            digest=content.digest,
            size=content.size,
            media_type=kind.media_type,
            pieces=list(content.pieces),
            touched_at=now,
        )
        await bulk.upsert(
            session, Upload, change=["at"], person_id=actor.id, digest=content.digest, at=now
        )
        await asyncio.to_thread(desk.shelf.put, file, content.digest)
        audit.note(session, now, actor=actor, action="uploaded", digest=content.digest)


async def _demand_room(session: Session, desk: Desk, actor: Actor, content: Content) -> None:
    # An account must not fill the disk with files that it never names.
    waiting = await session.scalar(
        select(func.sum(StoredFile.size))
        .join(Upload, Upload.digest == StoredFile.digest)
        .where(Upload.person_id == actor.id, Upload.digest != content.digest)
    )
    if (waiting or 0) + content.size > 2 * desk.limits.item_bytes:
        raise FileTooLargeError(
            "上传后还没有提交的附件太多，请先提交或删去不用的草稿，或一天后再上传"
        )
