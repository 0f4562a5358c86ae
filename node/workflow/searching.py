"""Searching the office's items: words, and what an item must be. Reads only.

An author finds his own items, an editor the office's. A restored or migrated office finds what its
index has taken up so far.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, exists, or_, select

from node.errors import InputError
from node.search import finding, highlight, words
from node.search.highlight import Excerpt
from node.search.words import Phrase
from node.storage import bulk
from node.storage.assignments import Assignment
from node.storage.database import Session
from node.storage.events import Event
from node.storage.items import Edition, Item, ItemAuthor
from node.storage.topics import ItemTag
from node.workflow import access, supervision, tags
from node.workflow.access import Scope
from node.workflow.calendar import day_of
from node.workflow.desk import Actor, Desk
from node.workflow.numbers import OFFICE_TIME

LONGEST_QUERY = 200
"""Characters. Who looks for a whole text asks for what is similar to it."""

PAGE = 20


@dataclass(frozen=True)
class Wanted:
    """What an item must be, beside holding the words; None where it does not matter.

    `topic` is what this office calls it, or one of those that all offices know.

    `adopted` is a level: some office of it adopted the item. `source` is the office that forwarded
    it, or this office for what was written here. `since` and `until` are days of the office, both
    included, on which the item came in.
    """

    state: str | None = None
    adopted: str | None = None
    topic: str | None = None
    urgency: str | None = None
    source: str | None = None
    since: date | None = None
    until: date | None = None
    tag: str | None = None
    channel: str | None = None
    overdue: bool = False
    """Only items with work that should have been answered before today (`supervision`)."""


@dataclass(frozen=True)
class Hit:
    """An item that was found, and where the words stand: excerpts by what they are part of."""

    item: Item
    excerpts: tuple[tuple[str, Excerpt], ...]


@dataclass(frozen=True)
class Found:
    """A part of what was found. `more`: there are more than are counted; ask more narrowly."""

    hits: Sequence[Hit]
    total: int
    more: bool


async def search(
    desk: Desk,
    actor: Actor,
    query: str = "",
    wanted: Wanted | None = None,
    *,
    offset: int = 0,
    limit: int = PAGE,
) -> Found:
    """The items that hold all words of the query, those that hold them in the title first.

    The query is text and nothing else; without one, the newest items that are as wanted. Raises
    `InputError` for a query that is too long, has nothing to look for, or where nothing is asked.
    """
    access.demand(actor, "read")
    wanted = wanted or Wanted()
    phrases = _phrases(query)
    if not phrases and wanted == Wanted():
        raise InputError("请输入要查的字词，或者选择筛选条件")
    conditions = _conditions(desk, actor, wanted)
    async with desk.database.reading() as session:
        if phrases:
            # A register number holds nothing unseen, and no database takes everything as a value.
            number = query.strip() if query.isprintable() else None
            ids = await finding.matches(session, phrases, conditions, number=number)
        else:
            ids = await finding.newest(session, conditions)
        hits = await _hits(session, ids[offset : offset + limit], phrases)
    return Found(hits, len(ids), len(ids) >= finding.MOST)


def _phrases(query: str) -> tuple[Phrase, ...]:
    if len(query) > LONGEST_QUERY:
        raise InputError(f"查询内容有 {len(query)} 字，最多 {LONGEST_QUERY} 字")
    phrases = words.phrases(query)
    if query.strip() and not phrases:
        raise InputError("查询内容里没有可以检索的字词")
    return phrases


def _conditions(desk: Desk, actor: Actor, wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if access.scope(actor, "read") is Scope.OWN:
        mine = select(ItemAuthor.item_id).where(ItemAuthor.person_id == actor.id)
        conditions.append(Item.id.in_(mine))
    for column, value in (
        (Item.state, wanted.state),
        (Item.channel, wanted.channel),
        (Item.urgency, wanted.urgency),
    ):
        if value is not None:
            conditions.append(column == value)
    if wanted.topic is not None:
        conditions.append(or_(Item.topic == wanted.topic, Item.topic_code == wanted.topic))
    if wanted.tag is not None:
        tagged = exists().where(ItemTag.item_id == Item.id, ItemTag.tag == tags.normal(wanted.tag))
        conditions.append(tagged)
    if wanted.source is not None:
        own = wanted.source == desk.node
        conditions.append(Item.source.is_(None) if own else Item.source == wanted.source)
    if wanted.adopted is not None:
        level = Event.data["office"]["level"].as_string()
        conditions.append(
            exists().where(
                Event.item_id == Item.id, Event.kind == "adopted", level == wanted.adopted
            )
        )
    if wanted.overdue:
        late = supervision.late(day_of(desk.clock()))
        conditions.append(exists().where(Assignment.item_id == Item.id, *late))
    if wanted.since is not None:
        conditions.append(Item.created_at >= _midnight(wanted.since))
    if wanted.until is not None:
        conditions.append(Item.created_at < _midnight(wanted.until) + timedelta(days=1))
    return conditions


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), OFFICE_TIME)


async def _hits(
    session: Session, ids: Sequence[UUID], phrases: Sequence[Phrase]
) -> tuple[Hit, ...]:
    if not ids:
        return ()
    found = await session.scalars(select(Item).where(bulk.among(session, Item.id, ids)))
    items = {item.id: item for item in found}
    newest = await finding.newest_editions(session, list(items))
    editions = {edition.item_id: edition for edition in newest}
    return tuple(
        Hit(items[id], _excerpts(editions[id], phrases))
        for id in ids
        if id in items and id in editions
    )


def _excerpts(edition: Edition, phrases: Sequence[Phrase]) -> tuple[tuple[str, Excerpt], ...]:
    authors = "、".join(f"{author['name']}（{author['unit']}）" for author in edition.authors)
    parts = (("title", edition.title), ("body", edition.body), ("authors", authors))
    found = ((part, highlight.excerpt(text, phrases)) for part, text in parts)
    return tuple((part, excerpt) for part, excerpt in found if excerpt is not None)
