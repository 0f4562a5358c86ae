"""Whether something like it was handed in before: asked about a draft, and about an item.

It only tells. Nothing is refused for being similar, and who decides sees the passages that agree.

Editors see every similar item of the office. An author sees his own; of what others wrote he is
told that there is something, from which level, and since which day: enough to ask the office before
writing it once more, too little to read what is not his.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, select

from node.errors import PurgedItemError, TooLongError
from node.search import duplicates, resemblance
from node.search.duplicates import Likeness, joined
from node.search.resemblance import Passage
from node.storage import bulk
from node.storage.database import Session
from node.storage.items import Edition, Item, ItemAuthor
from node.storage.messages import Incoming
from node.workflow import access, items
from node.workflow.access import Scope
from node.workflow.desk import Actor, Desk
from node.workflow.numbers import OFFICE_TIME
from protocol import envelope

PERIOD = timedelta(days=731)
"""Two years: what was true longer ago may be written once more."""

MOST = 10


@dataclass(frozen=True)
class Agreement:
    """Words that stand in both texts, as the other one has them, and where it has them.

    The place counts the characters of its title, a line break, and its text.
    """

    text: str
    start: int


@dataclass(frozen=True)
class Similar:
    """An item that is similar, as whoever may read it sees it.

    `first_at` is when the message was signed that first brought it (`signed`), or when it was
    handed in here. `share`, from 0 to 1, is the part of the shorter text that stands in both.
    """

    item: Item
    first_at: datetime
    signed: bool
    share: float
    agreements: tuple[Agreement, ...]


@dataclass(frozen=True)
class Hint:
    """Somebody else handed in something similar: since which day, and at which level."""

    on: date
    level: str


@dataclass(frozen=True)
class Duplicates:
    """What is similar: items that the person may read, and hints at others."""

    similar: tuple[Similar, ...]
    hints: tuple[Hint, ...]


async def of_draft(desk: Desk, actor: Actor, title: str, body: str) -> Duplicates:
    """What is similar to a text that was not handed in yet. Raises `TooLongError`."""
    access.demand(actor, "submit")
    if len(title) + len(body) > desk.limits.title_characters + desk.limits.body_characters:
        raise TooLongError(f"标题和正文共有 {len(title) + len(body)} 字")
    async with desk.database.reading() as session:
        return await _similar(session, desk, actor, title, body)


async def of_item(desk: Desk, actor: Actor, item_id: UUID) -> Duplicates:
    """What is similar to an item, for whoever may read it. Raises `PurgedItemError`."""
    access.demand(actor, "read")
    async with desk.database.reading() as session:
        item = await session.get(Item, item_id)
        await items.demand_visible(session, actor, item_id, item)
        assert item is not None
        if item.purged_at is not None:
            raise PurgedItemError
        edition = await session.get_one(Edition, (item.id, item.edition))
        return await _similar(session, desk, actor, edition.title, edition.body, item.id)


async def _similar(
    session: Session, desk: Desk, actor: Actor, title: str, body: str, without: UUID | None = None
) -> Duplicates:
    since = desk.clock() - PERIOD
    likely = await duplicates.of_text(session, title, body, since=since, without=without)
    found = likely[:MOST]
    ids = [one.edition.item_id for one in found]
    rows = await session.scalars(select(Item).where(bulk.among(session, Item.id, ids)))
    there = {item.id: item for item in rows}
    first = await _first(session, ids)
    readable = await _readable(session, actor, ids)
    similar, hints = [], []
    for one in found:
        item = there[one.edition.item_id]
        at, signed = first[item.id]
        if item.id in readable:
            agreements = _agreements(joined(title, body), one)
            similar.append(Similar(item, at, signed, one.share, agreements))
        else:
            hints.append(Hint(at.astimezone(OFFICE_TIME).date(), item.origin["level"]))
    # In the order of their days: how similar they are is not the author's to know.
    hints.sort(key=lambda hint: (hint.on, hint.level))
    return Duplicates(tuple(similar), tuple(dict.fromkeys(hints)))


async def _readable(session: Session, actor: Actor, ids: Sequence[UUID]) -> set[UUID]:
    if access.scope(actor, "read") is Scope.ALL:
        return set(ids)
    mine = select(ItemAuthor.item_id).where(
        ItemAuthor.person_id == actor.id, bulk.among(session, ItemAuthor.item_id, ids)
    )
    return set(await session.scalars(mine))


async def _first(session: Session, ids: Sequence[UUID]) -> dict[UUID, tuple[datetime, bool]]:
    """When each item was first heard of here, and whether a signature says so."""
    brought = and_(Incoming.source == Edition.message_source, Incoming.id == Edition.message_id)
    rows = await session.execute(
        select(Edition.item_id, Edition.submitted_at, Edition.message_id, Incoming.token)
        .outerjoin(Incoming, brought)
        .where(bulk.among(session, Edition.item_id, ids), Edition.base.is_(None))
    )
    first: dict[UUID, tuple[datetime, bool]] = {}
    for item_id, submitted_at, message, token in rows:
        told = (submitted_at, False) if message is None else (envelope.signed_at(token), True)
        first[item_id] = min(first.get(item_id, told), told)
    return first


def _agreements(text: str, one: Likeness) -> tuple[Agreement, ...]:
    other = joined(one.edition.title, one.edition.body)
    return tuple(_agreement(other, found) for found in resemblance.passages(text, other))


def _agreement(other: str, found: Passage) -> Agreement:
    return Agreement(other[found.other_start : found.other_end], found.other_start)
