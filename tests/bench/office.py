"""A big office: very many items (`many`), all that is around them (`office_rows`), and what is
looked at by itself, which is brought about as people do, or picked out of these.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from node.storage.items import Item, ItemAuthor
from node.storage.people import Unit
from protocol.lifecycle import Action
from tests.bench import many, office_rows
from tests.browser import scene, things
from tests.node.rooms import Room

DRAFTS = 20


async def fill(room: Room, count: int) -> Mapping[str, object]:
    """Write so many items, and all that is around them. What can be looked at, by name."""
    await things.furnish(room)
    await many.fill(room.desk, count, office_rows.BELOW)
    async with room.database.reading() as session:
        rows = await session.execute(select(Item.id, Item.state, Item.archived, Item.source))
        items = [office_rows.Known(*row) for row in rows]
        bureau = await session.scalar(select(Unit.id).where(Unit.code == "B1"))
    assert bureau is not None
    office = office_rows.Office(room, items, bureau)
    for write in (
        office.neighbours,
        office.people,
        office.calls,
        office.cases,
        office.issues,
        office.reviews,
        office.messages,
        office.accounts,
        office.audit,
    ):
        many.tell(f"{write.__name__} …          ")
        async with room.database.writing.begin() as session:
            await write(session)
    return await _looked_at(room, office)


async def _looked_at(room: Room, office: office_rows.Office) -> Mapping[str, object]:
    """What stands in the addresses of pages, by the names that the table of pages has for it."""
    items: dict[str, object] = {
        "fresh": await room.submit(),
        "similar": await room.submit(),
        "returned": await things.after(Action.REGISTER, Action.RETURN)(room),
        "declined": await things.after(Action.REGISTER, Action.DECLINE)(room),
        "long": await room.submit(title="很长的题目" * 12, body=scene.LONG),
        "combined": await things.combined(room),
    }
    for made in (scene.DESK, scene.OTHERS):
        items |= {name: await make(room) for name, make in made.items()}
    await things.asking(room)
    for _ in range(DRAFTS):
        await things.drafted_by_lin(room)
    lins = (
        select(Item.id)
        .join(ItemAuthor, ItemAuthor.item_id == Item.id)
        .where(ItemAuthor.person_id == room.lin.id, Item.archived, Item.adopted)
    )
    async with room.database.reading() as session:
        heard = await session.scalar(lins.limit(1))
    assert heard is not None
    named: dict[str, Any] = {"heard": heard, "peer": office_rows.BELOW[0].id}
    return items | office.large | named | {"queue": "candidates", "sheet": "people"}
