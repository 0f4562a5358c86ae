"""Drafts: what an author writes before he hands it in, saved as he goes. Nobody else sees them.

`save` takes what was made of the newest version, and nothing else: whoever saves from a second
window is shown what the first one saved. What a version replaced is kept for a while (`MOST_KEPT`,
no two within `APART`), and the author takes from it what he wants back (`draft_history`).

`submit` is one transaction, and a second time it answers the same:

 1. The actor's role may do this; the draft is his own, and the version the one that he saw.
 2. It has become an item already, which had its id: nothing is left to be done.
 3. All is there that an item needs, and it is handed in under the draft's id (`submissions`).
 4. The draft is removed, with what it said before. One of a new edition (`revisions`) leaves an
    empty row, by which a second time is known.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, ValidationError
from sqlalchemy import delete, func, select

from node.draft_errors import (
    DraftChangedError,
    TooManyDraftsError,
    UnknownDraftError,
)
from node.errors import InputError, TooLongError, UnknownFileError
from node.storage import bulk
from node.storage.database import Session
from node.storage.drafts import Draft, DraftFile, DraftVersion
from node.storage.files import Attachment, Upload
from node.storage.items import ItemAuthor
from node.workflow import access, manuscripts, submissions
from node.workflow.attachments import Named
from node.workflow.desk import Actor, Desk
from node.workflow.reading import PAGE, Page
from node.workflow.submissions import Channel, CoAuthor
from node.workflow.tags import Tags
from node.workflow.topics import Code
from protocol.messages import event
from protocol.messages.items import Classification, Share, Urgency
from protocol.offices import Record, one_line, printable

MOST_DRAFTS = 200
LONGEST_BODY = 20_000
MOST_KEPT = 50
APART = timedelta(minutes=1)
REQUIRED = {"title": "标题", "body": "正文", "topic": "领域"}


class Sketch(Record):
    """What a draft holds: all that an item may, and as little of it as there is yet."""

    model_config = ConfigDict(extra="forbid", defer_build=False)

    title: Annotated[
        str,
        StringConstraints(max_length=200, strip_whitespace=True),
        AfterValidator(one_line),
    ] = ""
    body: Annotated[
        str,
        StringConstraints(max_length=LONGEST_BODY, strip_whitespace=True),
        AfterValidator(printable),
    ] = ""
    topic: Code | None = None
    urgency: Urgency = "normal"
    classification: Classification = "internal"
    share: Share | None = None
    co_authors: tuple[CoAuthor, ...] = Field(default=(), max_length=49)
    attachments: tuple[Named, ...] = Field(default=(), max_length=50)
    answers: UUID | None = None
    tags: Tags = ()
    channel: Channel | None = None


@dataclass(frozen=True)
class DraftView:
    """A draft, or what it said in an earlier version, saved at `changed_at`."""

    id: UUID
    version: int
    content: Sketch
    created_at: datetime
    changed_at: datetime
    item_id: UUID | None = None
    """The item of which it will be a new edition."""


async def begin(desk: Desk, actor: Actor, sketch: Sketch) -> DraftView:
    """Begin a draft. Raises `TooManyDraftsError`, `UnknownFileError`."""
    access.demand(actor, "draft")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        return await begin_within(session, desk, actor, sketch, now)


async def begin_within(
    session: Session,
    desk: Desk,
    actor: Actor,
    sketch: Sketch,
    now: datetime,
    *,
    item_id: UUID | None = None,
) -> DraftView:
    """The same in the transaction of the caller; of a new edition, where an item is named."""
    have = select(func.count()).where(Draft.person_id == actor.id, Draft.submitted_at.is_(None))
    if (await session.scalar(have) or 0) >= MOST_DRAFTS:
        raise TooManyDraftsError(f"{MOST_DRAFTS} drafts at most")
    draft = Draft(
        id=desk.new_id(),
        person_id=actor.id,
        version=1,
        content=sketch.model_dump(mode="json"),
        created_at=now,
        changed_at=now,
        item_id=item_id,
    )
    session.add(draft)
    await _name_files(session, draft, sketch, now)
    return view_of(draft)


async def of_manuscript(desk: Desk, actor: Actor, name: str, data: bytes) -> DraftView:
    """Begin a draft with title and body of a .docx. Raises what `manuscripts.read` does."""
    access.demand(actor, "draft")
    found = await asyncio.to_thread(manuscripts.read, name, data)
    return await begin(desk, actor, sketch({"title": found.title, "body": found.body}))


def sketch(content: dict[str, Any]) -> Sketch:
    """What a draft holds, from what was entered. Raises `InputError`, `TooLongError`."""
    if len(content["body"]) > LONGEST_BODY:
        raise TooLongError(f"正文有 {len(content['body'])} 字，最多 {LONGEST_BODY} 字")
    try:
        return Sketch.model_validate(content)
    except ValidationError as error:
        raise InputError(event.brief(error)) from error


async def save(desk: Desk, actor: Actor, draft_id: UUID, version: int, sketch: Sketch) -> DraftView:
    """Save what was made of this version. Raises `DraftChangedError`, `UnknownFileError`.

    What says the same as before makes no new version.
    """
    access.demand(actor, "draft")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        draft = await own(session, actor, draft_id, version, lock=True)
        await replace(session, draft, sketch, now)
        return view_of(draft)


async def discard(desk: Desk, actor: Actor, draft_id: UUID, version: int) -> None:
    """Remove a draft and what it said before. Raises `DraftChangedError`."""
    access.demand(actor, "draft")
    async with desk.database.writing.begin() as session:
        draft = await own(session, actor, draft_id, version, lock=True)
        await _remove(session, [draft.id])


async def submit(
    desk: Desk, actor: Actor, draft_id: UUID, version: int, *, confirmed: bool = False
) -> UUID:
    """Hand the draft in, once. Returns the item's id. Raises what `submissions.submit` does."""
    # 1.
    access.demand(actor, "draft")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        done = await session.get(Draft, draft_id, with_for_update=True)
        if done is not None and done.submitted_at is not None and done.person_id == actor.id:
            assert done.item_id is not None
            return done.item_id
        written = await session.get(ItemAuthor, (draft_id, actor.id)) is not None
        try:
            draft = await own(session, actor, draft_id, version, lock=True)
        except UnknownDraftError:
            # Two who asked at once: the second one waited for the first.
            if written or await session.get(ItemAuthor, (draft_id, actor.id)) is not None:
                return draft_id
            raise
        if draft.item_id is not None:
            return await _hand_in(session, desk, actor, draft, now, confirmed=confirmed)
        # 2. A restored office has the draft of an item that its neighbours sent back.
        if not written:
            # 3.
            complete = _complete(draft, confirmed=confirmed)
            await _let_go(session, draft)
            await submissions.submit_within(session, desk, actor, complete, draft.id, now)
        # 4.
        await _remove(session, [draft.id])
    return draft_id


async def _hand_in(
    session: Session, desk: Desk, actor: Actor, draft: Draft, now: datetime, *, confirmed: bool
) -> UUID:
    """Hand in what was made of an item that was returned."""
    assert draft.item_id is not None
    # 3.
    complete = _complete(draft, confirmed=confirmed)
    await _let_go(session, draft)
    await submissions.resubmit_within(session, desk, actor, draft.item_id, complete, now)
    # 4.
    await session.execute(delete(DraftVersion).where(DraftVersion.draft_id == draft.id))
    draft.content, draft.submitted_at = Sketch().model_dump(mode="json"), now
    return draft.item_id


def _complete(draft: Draft, *, confirmed: bool) -> submissions.Draft:
    missing = [word for field, word in REQUIRED.items() if not draft.content[field]]
    if missing:
        raise InputError(f"还没有填写：{'、'.join(missing)}")
    return submissions.draft(draft.content | {"confirmed": confirmed})


async def _let_go(session: Session, draft: Draft) -> None:
    """The item keeps the files from now on, and other drafts those that they name."""
    await session.execute(delete(DraftFile).where(DraftFile.draft_id == draft.id))


async def list_drafts(
    desk: Desk, actor: Actor, *, offset: int = 0, limit: int = PAGE
) -> Page[DraftView]:
    """The actor's own drafts, what was saved last first."""
    access.demand(actor, "draft")
    query = select(Draft).where(Draft.person_id == actor.id, Draft.submitted_at.is_(None))
    async with desk.database.reading() as session:
        total = await session.scalar(select(func.count()).select_from(query.subquery()))
        rows = await session.scalars(
            query.order_by(Draft.changed_at.desc(), Draft.id.desc()).offset(offset).limit(limit)
        )
        return Page([view_of(draft) for draft in rows], total or 0)


async def view(desk: Desk, actor: Actor, draft_id: UUID) -> DraftView:
    """One draft. Raises `UnknownDraftError`, also for a draft of somebody else."""
    access.demand(actor, "draft")
    async with desk.database.reading() as session:
        return view_of(await own(session, actor, draft_id))


async def copy_of(session: Session, person_id: UUID) -> list[dict[str, Any]]:
    """All drafts of the person, for the copy of what is kept of him."""
    rows = await session.scalars(
        select(Draft)
        .where(Draft.person_id == person_id, Draft.submitted_at.is_(None))
        .order_by(Draft.created_at, Draft.id)
    )
    return [row.content | {"changed_at": row.changed_at} for row in rows]


async def forget(session: Session, person_id: UUID) -> None:
    """Remove all drafts of a person who is gone."""
    found = await session.scalars(select(Draft.id).where(Draft.person_id == person_id))
    await _remove(session, found.all())


async def own(
    session: Session,
    actor: Actor,
    draft_id: UUID,
    version: int | None = None,
    *,
    lock: bool = False,
) -> Draft:
    """The actor's draft. Raises `UnknownDraftError`, `DraftChangedError`."""
    draft = await session.get(Draft, draft_id, with_for_update=lock)
    if draft is None or draft.submitted_at is not None:
        raise UnknownDraftError
    if draft.person_id != actor.id:
        raise UnknownDraftError(refused=access.refused(actor, "draft"))
    if version is not None and draft.version != version:
        raise changed(draft, version)
    return draft


def changed(draft: Draft, version: int) -> DraftChangedError:
    """That the draft was saved elsewhere since this version, with what is stored."""
    stored = {
        "version": draft.version,
        "changed_at": draft.changed_at.isoformat(),
        "content": draft.content,
    }
    words = f"已保存到第 {draft.version} 版，您改的是第 {version} 版"
    return DraftChangedError(words if version else f"已有保存到第 {draft.version} 版的草稿", stored)


async def replace(
    session: Session, draft: Draft, sketch: Sketch, now: datetime, *, always_keep: bool = False
) -> None:
    """Put this in the place of what the draft says; the same again makes no new version."""
    content = sketch.model_dump(mode="json")
    if content != draft.content:
        await _keep(session, draft, now, always=always_keep)
        await _name_files(session, draft, sketch, now)
        draft.content, draft.changed_at = content, now
        draft.version += 1


async def _keep(session: Session, draft: Draft, now: datetime, *, always: bool) -> None:
    """Keep what is about to be replaced; unless `always`, only if nothing was kept just now."""
    kept = select(DraftVersion.version).where(DraftVersion.draft_id == draft.id)
    lately = kept.where(DraftVersion.kept_at > now - APART)
    if not always and await session.scalar(lately.limit(1)) is not None:
        return
    row = DraftVersion(
        draft_id=draft.id,
        version=draft.version,
        content=draft.content,
        at=draft.changed_at,
        kept_at=now,
    )
    session.add(row)
    await session.flush()
    oldest = await session.scalar(
        kept.order_by(DraftVersion.version.desc()).offset(MOST_KEPT).limit(1)
    )
    if oldest is not None:
        await session.execute(
            delete(DraftVersion).where(
                DraftVersion.draft_id == draft.id, DraftVersion.version <= oldest
            )
        )


async def _name_files(session: Session, draft: Draft, sketch: Sketch, now: datetime) -> None:
    """Keep the files that the draft names from being cleared away; and no others."""
    await session.execute(delete(DraftFile).where(DraftFile.draft_id == draft.id))
    # What an edition of the item names stays here for that.
    before = await files_of_item(session, draft)
    for digest in sorted({file.digest for file in sketch.attachments} - before):
        upload = await session.get(Upload, (draft.person_id, digest), with_for_update=True)
        if upload is None:
            raise UnknownFileError
        upload.at = now
        bulk.insert(session, DraftFile, draft_id=draft.id, digest=digest, person_id=draft.person_id)


async def files_of_item(session: Session, draft: Draft) -> set[str]:
    """What the item had before, of which the draft will be a new edition."""
    if draft.item_id is None:
        return set()
    had = select(Attachment.digest).where(Attachment.item_id == draft.item_id)
    return set(await session.scalars(had))


async def _remove(session: Session, drafts: Any) -> None:
    for table in (DraftFile, DraftVersion):
        await session.execute(delete(table).where(table.draft_id.in_(drafts)))
    await session.execute(delete(Draft).where(Draft.id.in_(drafts)))


def view_of(draft: Draft) -> DraftView:
    """The draft as its author sees it."""
    content = Sketch.model_validate(draft.content)
    return DraftView(
        draft.id, draft.version, content, draft.created_at, draft.changed_at, draft.item_id
    )
