"""An item's row: as it begins, and found for an action, locked, where the actor may touch it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from node.errors import ForbiddenError, PurgedItemError, UnknownItemError
from node.storage.database import Session
from node.storage.items import Item, ItemAuthor
from node.workflow import access, claims, lineage, record, recovery
from node.workflow.access import Scope
from node.workflow.calendar import day_of
from node.workflow.desk import Actor, Desk
from protocol import lifecycle
from protocol.errors import LifecycleError
from protocol.lifecycle import Action, State
from protocol.offices import OfficeReference


def new(id: UUID, origin: OfficeReference, at: datetime, **known: Any) -> Item:
    """An item that has come, without an edition and before anything was said of it."""
    day = day_of(at)
    return Item(
        id=id,
        origin=origin.model_dump(),
        origin_office=origin.id,
        edition=0,
        sequence=0,
        step=0,
        standings={},
        created_at=at,
        year=day.year,
        month=day.month,
        **known,
    )


async def locked(session: Session, desk: Desk, actor: Actor, item_id: UUID, action: str) -> Item:
    """The item, locked until the transaction ends, as are the originals of a combined one.

    Raises `UnknownItemError`, `PurgedItemError`, `ArchivedError`, `ClaimedError`,
    `ForbiddenError` where the actor may see the item and not do this with it, and `RecoveringError`
    while a restored node takes in no work.

    An item of someone else is as unknown to an author as one that does not exist.
    """
    await recovery.demand_work_allowed(session, desk.node)
    item = (await lineage.locked(session, [item_id])).get(item_id)
    await demand_visible(session, actor, item_id, item)
    assert item is not None
    if not await within_reach(session, actor, item_id, action):
        raise ForbiddenError(
            f"only an author of the item may {action} it", refused=access.refused(actor, action)
        )
    if item.purged_at is not None:
        raise PurgedItemError
    # Purging asks for no lock: when the period is over, contents may go.
    lifecycle.demand_unarchived(action, record.standing_of(item, desk.node))
    if action in claims.RESPECTED:
        await claims.demand_free(session, actor, item_id, desk.clock())
    return item


async def demand_visible(
    session: Session, actor: Actor, item_id: UUID, found: object | None
) -> None:
    """Raises `UnknownItemError` unless it was found, and the actor may see the item."""
    if found is None:
        raise UnknownItemError
    if not await within_reach(session, actor, item_id, "read"):
        raise UnknownItemError(refused=access.refused(actor, "read"))


async def within_reach(session: Session, actor: Actor, item_id: UUID, action: str) -> bool:
    """Whether the actor may do this with the item: with any, or as one of its authors."""
    scope = access.scope(actor, action)
    if scope is not Scope.OWN:
        return scope is Scope.ALL
    return await written_by(session, actor, item_id)


async def written_by(session: Session, actor: Actor, item_id: UUID) -> bool:
    """Whether the actor is one of the item's authors."""
    mine = select(ItemAuthor.item_id).where(
        ItemAuthor.item_id == item_id, ItemAuthor.person_id == actor.id
    )
    return await session.scalar(mine) is not None


def advance(desk: Desk, item: Item, action: Action) -> State:
    """The state after the action. Raises `LifecycleError` when it is not possible now."""
    if action is Action.RETURN and item.combined:
        raise LifecycleError("cannot return: a combined item has no author; take it apart instead")
    return lifecycle.advance(action, record.standing_of(item, desk.node))


def returned_above(desk: Desk, item: Item) -> bool:
    """Whether an office above returned the newest edition that it was sent."""
    return any(
        node != desk.node and kept["state"] == State.RETURNED
        for node, kept in item.standings.items()
    )


DECIDED = frozenset({State.ADOPTED, State.DECLINED, State.WITHDRAWN, State.MERGED})
"""What an office above does not take back when it is asked for the item."""


def can_be_asked_back(desk: Desk, item: Item) -> bool:
    """Whether asking the office above for a forwarded item makes sense."""
    decided = any(
        node != desk.node and (kept["state"] in DECIDED or "closed" in kept["kinds"])
        for node, kept in item.standings.items()
    )
    return item.forwarded_edition is not None and not item.closed and not decided
