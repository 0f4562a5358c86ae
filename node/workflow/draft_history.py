"""What a draft said before: its earlier versions, one beside the present, and taking it over.

Taking one over is a save like any other, and what it replaces is always kept, however short it
stood: the author can go back. A file that was cleared away meanwhile stays away; the rest returns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from node.draft_errors import UnknownVersionError
from node.storage.database import Session
from node.storage.drafts import Draft, DraftVersion
from node.storage.files import Upload
from node.workflow import access, comparing, drafts
from node.workflow.attachments import Named
from node.workflow.comparing import Part
from node.workflow.desk import Actor, Desk
from node.workflow.drafts import DraftView, Sketch


@dataclass(frozen=True)
class Kept:
    """An earlier version in the list of them, saved at `at`."""

    version: int
    title: str
    characters: int
    at: datetime


@dataclass(frozen=True)
class Comparison:
    """An earlier version and the present one: all of both, sentence by sentence."""

    before: DraftView
    after: DraftView
    title: Sequence[Part]
    body: Sequence[Part]
    gone: tuple[Named, ...]
    """Files that the earlier version names and that are no longer here."""


async def versions(desk: Desk, actor: Actor, draft_id: UUID) -> list[Kept]:
    """What the draft said before, the newest first."""
    access.demand(actor, "draft")
    async with desk.database.reading() as session:
        draft = await drafts.own(session, actor, draft_id)
        rows = await session.scalars(
            select(DraftVersion)
            .where(DraftVersion.draft_id == draft.id)
            .order_by(DraftVersion.version.desc())
        )
        return [
            Kept(row.version, row.content["title"], len(row.content["body"]), row.at)
            for row in rows
        ]


async def earlier(desk: Desk, actor: Actor, draft_id: UUID, version: int) -> DraftView:
    """What the draft said in this version. Raises `UnknownVersionError`."""
    access.demand(actor, "draft")
    async with desk.database.reading() as session:
        draft = await drafts.own(session, actor, draft_id)
        return _view(draft, await _version(session, draft, version))


async def compare(desk: Desk, actor: Actor, draft_id: UUID, version: int) -> Comparison:
    """This version beside the present one. Raises `UnknownVersionError`."""
    access.demand(actor, "draft")
    async with desk.database.reading() as session:
        draft = await drafts.own(session, actor, draft_id)
        before = _view(draft, await _version(session, draft, version))
        after = drafts.view_of(draft)
        here = await _files_here(session, draft)
    return Comparison(
        before,
        after,
        comparing.compare(before.content.title, after.content.title),
        comparing.compare(before.content.body, after.content.body),
        tuple(file for file in before.content.attachments if file.digest not in here),
    )


async def take_over(
    desk: Desk, actor: Actor, draft_id: UUID, version: int, wanted: int
) -> DraftView:
    """Save what stood in the version `wanted` once more, in the place of `version`.

    Raises `DraftChangedError`, `UnknownVersionError`.
    """
    access.demand(actor, "draft")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        draft = await drafts.own(session, actor, draft_id, version, lock=True)
        row = await _version(session, draft, wanted)
        content = Sketch.model_validate(row.content)
        here = await _files_here(session, draft)
        kept = tuple(file for file in content.attachments if file.digest in here)
        content = content.model_copy(update={"attachments": kept})
        await drafts.replace(session, draft, content, now, always_keep=True)
        return drafts.view_of(draft)


async def _version(session: Session, draft: Draft, version: int) -> DraftVersion:
    row = await session.get(DraftVersion, (draft.id, version))
    if row is None:
        raise UnknownVersionError
    return row


async def _files_here(session: Session, draft: Draft) -> set[str]:
    """What the draft can name."""
    brought = select(Upload.digest).where(Upload.person_id == draft.person_id)
    return {*await session.scalars(brought), *await drafts.files_of_item(session, draft)}


def _view(draft: Draft, row: DraftVersion) -> DraftView:
    content = Sketch.model_validate(row.content)
    return DraftView(draft.id, row.version, content, draft.created_at, row.at, draft.item_id)
