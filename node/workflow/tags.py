"""Tags (标签): free words by which this office finds its items again. They do not travel."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from sqlalchemy import delete, select

from node.storage import bulk
from node.storage.database import Session
from node.storage.topics import ItemTag
from node.workflow import access, audit, items
from node.workflow.desk import Actor, Desk
from protocol.offices import one_line

MOST = 10


def normal(tag: object) -> object:
    """The one way in which a tag is written: without space around, letters small and narrow."""
    if not isinstance(tag, str):
        return tag
    return " ".join(unicodedata.normalize("NFKC", one_line(tag)).lower().split())


def _each_once(tags: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tags))


Tag = Annotated[str, BeforeValidator(normal), StringConstraints(min_length=1, max_length=20)]
Tags = Annotated[tuple[Tag, ...], Field(max_length=MOST), AfterValidator(_each_once)]


async def set_tags(desk: Desk, actor: Actor, item_id: UUID, tags: Sequence[str]) -> None:
    """Let the item carry these tags, and no others."""
    access.demand(actor, "edit")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        item = await items.locked(session, desk, actor, item_id, "edit")
        await write(session, item.id, tags)
        audit.note(session, now, actor=actor, action="tagged", subject=item.id, count=len(tags))


async def write(session: Session, item_id: UUID, tags: Sequence[str]) -> None:
    """Write an item's tags in the transaction of the caller."""
    await session.execute(delete(ItemTag).where(ItemTag.item_id == item_id))
    for tag in tags:
        bulk.insert(session, ItemTag, item_id=item_id, tag=tag)


async def of(session: Session, item_id: UUID) -> tuple[str, ...]:
    """An item's tags."""
    found = await session.scalars(select(ItemTag.tag).where(ItemTag.item_id == item_id))
    return tuple(sorted(found))
