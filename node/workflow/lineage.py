"""Combined items and their originals: who is part of what now, and what originals are told.

An original may be a combined item itself. Whoever changes a combined item holds the locks of all
that are part of it, taken in the order of their ids: so two who do never wait for each other.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from node.storage import bulk
from node.storage.database import Session
from node.storage.events import Event
from node.storage.items import Item
from node.storage.merges import Lineage
from node.workflow.desk import Desk

TOLD = frozenset(
    {
        "merged",
        "unmerged",
        "declined",
        "published",
        "adopted",
        "adoption_retracted",
        "forwarded",
        "referred",
        "leader_read",
        "instructed",
        "assigned",
        "replied",
        "implemented",
        "closed",
        "archived",
    }
)
"""What an office decides about a combined item and states of each original, too."""


async def with_parts(session: Session, ids: Collection[UUID]) -> set[UUID]:
    """The items, and all that are part of one of them."""
    found, asked = set(ids), set(ids)
    while asked:
        rows = await session.scalars(
            select(Item.id).where(bulk.among(session, Item.merged_into, asked))
        )
        asked = set(rows) - found
        found |= asked
    return found


async def locked(session: Session, ids: Collection[UUID]) -> dict[UUID, Item]:
    """Those of the items that are here, with all that are part of them, locked."""
    wanted = await with_parts(session, ids)
    rows = await session.scalars(
        select(Item).where(bulk.among(session, Item.id, wanted)).order_by(Item.id).with_for_update()
    )
    return {item.id: item for item in rows}


async def originals(session: Session, item: Item) -> Sequence[Item]:
    """The items that are part of this one now; what was purged is told nothing."""
    if not item.combined:
        return ()
    found = await session.scalars(
        select(Item).where(Item.merged_into == item.id, Item.purged_at.is_(None)).order_by(Item.id)
    )
    return found.all()


def told(item: Item, kind: str, content: dict[str, Any]) -> dict[str, Any] | None:
    """What a fact about the combined item says of an original; None where it says nothing."""
    return {"through": item.id} | content if kind in TOLD else None


async def restore(session: Session, desk: Desk, item: Item) -> None:
    """Enter of which combined items it was part, and is, by what this office said of it."""
    await session.flush()
    said = await session.scalars(
        select(Event)
        .where(
            Event.item_id == item.id,
            Event.office == desk.node,
            Event.step == 0,
            Event.kind.in_(("merged", "unmerged")),
            Event.data["through"].as_string().is_(None),
        )
        .order_by(Event.sequence)
    )
    item.merged_into = None
    for told in said:
        into = UUID(told.data["into"] if told.kind == "merged" else told.data["out_of"])
        item.merged_into = into if told.kind == "merged" else None
        ended_at = told.at if told.kind == "unmerged" else None
        await bulk.upsert(
            session,
            Lineage,
            change=["ended_at"],
            combined_id=into,
            item_id=item.id,
            position=0,
            merged_at=told.at,
            ended_at=ended_at,
        )
        await session.execute(update(Item).where(Item.id == into).values(combined=True))


async def is_combined(session: Session, item_id: UUID) -> bool:
    """Whether something is known to be, or to have been, part of it."""
    query = select(Lineage.item_id).where(Lineage.combined_id == item_id).limit(1)
    return await session.scalar(query) is not None
