"""All that the desk knows of one item beside its texts: for the page of whoever works on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from node.storage.items import Item
from node.storage.people import Person
from node.workflow import access, checks, claims, items, reviews
from node.workflow.checks import CheckView
from node.workflow.claims import ClaimView
from node.workflow.desk import Actor, Desk
from node.workflow.reviews import ReviewView


@dataclass(frozen=True)
class Bench:
    """Who works on the item, what was found in its newest edition, and how its reviews went."""

    editor: str | None
    claim: ClaimView | None
    checks: Sequence[CheckView]
    checks_missing: Sequence[str]
    reviews: Sequence[ReviewView]


async def view(desk: Desk, actor: Actor, item_id: UUID) -> Bench:
    """The item's bench. Raises `UnknownItemError`."""
    access.demand(actor, "review")
    async with desk.database.reading() as session:
        item = await session.get(Item, item_id)
        await items.demand_visible(session, actor, item_id, item)
        assert item is not None
        editor = await session.get(Person, item.editor_id) if item.editor_id else None
        return Bench(
            editor=editor.name if editor else None,
            claim=await claims.view(session, item_id, desk.clock()),
            checks=await checks.view(session, item_id, item.edition),
            checks_missing=await checks.missing(session, item_id, item.edition),
            reviews=await reviews.view(session, item_id),
        )
