"""Asking the index: items that hold words, and items that are like a text. Reads only.

What a person may see is the caller's business, who hands in conditions on `Item`. Of very many
matches the newest `MOST` are ranked, so that a word that stands in every item costs no more.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Text, and_, cast, func, literal, select, text
from sqlalchemy.dialects.postgresql import TSQUERY

from node.search.words import Phrase
from node.storage import bulk
from node.storage.database import Session
from node.storage.items import Edition, Item
from node.storage.search import SearchDocument, SearchMark

MOST = 2_000
LIKELY = 30
"""Items whose text is worth a look, those with the most marks in common."""


async def matches(
    session: Session,
    phrases: Sequence[Phrase],
    conditions: Collection[ColumnElement[bool]],
    *,
    number: str | None,
) -> list[UUID]:
    """The items that hold all of the phrases, or have the register number.

    First those with this number, then those with all phrases in the title, each the newest first.
    """
    titled = and_(*(SearchDocument.title.contains(_written(phrase)) for phrase in phrases))
    newest = (
        select(Item.id, Item.created_at, cast(titled, Integer).label("titled"))
        .join(SearchDocument, SearchDocument.item_id == Item.id)
        .where(_holds(session, phrases), *conditions)
        .order_by(SearchDocument.id.desc())
        .limit(MOST)
        .subquery()
    )
    ranked = select(newest.c.id).order_by(
        newest.c.titled.desc(), newest.c.created_at.desc(), newest.c.id.desc()
    )
    ids = list(await session.scalars(ranked))
    if number is None:
        return ids
    numbered = await session.scalars(select(Item.id).where(Item.number == number, *conditions))
    return list(dict.fromkeys([*numbered, *ids]))


async def newest(session: Session, conditions: Collection[ColumnElement[bool]]) -> list[UUID]:
    """The items that fulfil the conditions, whatever they say, the newest first."""
    query = select(Item.id).where(*conditions)
    return list(
        await session.scalars(query.order_by(Item.created_at.desc(), Item.id.desc()).limit(MOST))
    )


async def newest_editions(session: Session, items: Collection[UUID]) -> list[Edition]:
    """The newest edition of each of the items."""
    query = (
        select(Edition)
        .join(Item, and_(Item.id == Edition.item_id, Item.edition == Edition.number))
        .where(bulk.among(session, Edition.item_id, list(items)))
    )
    return list(await session.scalars(query)) if items else []


async def similar(
    session: Session, marks: Sequence[int], *, since: datetime, without: UUID | None
) -> list[UUID]:
    """Items since then that may be like a text with these marks, the likeliest first."""
    if not marks:
        return []
    query = (
        select(SearchDocument.item_id)
        .join(SearchMark, SearchMark.document == SearchDocument.id)
        .join(Item, Item.id == SearchDocument.item_id)
        .where(bulk.among(session, SearchMark.mark, marks), Item.created_at >= since)
        .group_by(SearchDocument.item_id, Item.created_at)
        .order_by(func.count().desc(), Item.created_at.desc())
        .limit(LIKELY)
    )
    if without is not None:
        query = query.where(SearchDocument.item_id != without)
    return list(await session.scalars(query))


def _holds(session: Session, phrases: Sequence[Phrase]) -> ColumnElement[bool]:
    if session.get_bind().dialect.name == "postgresql":
        asked = " & ".join(_for_postgresql(phrase) for phrase in phrases)
        return SearchDocument.words.op("@@", is_comparison=True)(
            cast(cast(literal(asked), Text), TSQUERY)
        )
    asked = " ".join(_for_sqlite(phrase) for phrase in phrases)
    rows = text("SELECT rowid FROM search_text WHERE search_text MATCH :asked")
    return SearchDocument.id.in_(rows.bindparams(asked=asked).columns(SearchDocument.id))


def _for_postgresql(phrase: Phrase) -> str:
    return " <-> ".join(f"'{token}'" for token in phrase.tokens) + (":*" if phrase.prefix else "")


def _for_sqlite(phrase: Phrase) -> str:
    return f'"{" ".join(phrase.tokens)}"' + ("*" if phrase.prefix else "")


def _written(phrase: Phrase) -> str:
    return f" {' '.join(phrase.tokens)}" + ("" if phrase.prefix else " ")
