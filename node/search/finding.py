"""Asking the index: items that hold words, and items that are like a text. Reads only.

What a person may see is the caller's business, who hands in conditions on `Item`. Of very many
matches the newest `MOST` are ranked, so that a word that stands in every item costs no more.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Text,
    and_,
    cast,
    column,
    func,
    literal,
    literal_column,
    select,
    table,
    text,
)
from sqlalchemy.dialects.postgresql import TSQUERY

from node.search.words import Phrase
from node.storage import bulk
from node.storage.database import Session
from node.storage.items import Edition, Item
from node.storage.search import TEXT_INDEX, SearchDocument, SearchMark

TEXTS = table(TEXT_INDEX, column("rowid", Integer))

MOST = 1_000
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
    newest = (await newest_holding(session, phrases, conditions)).subquery()
    titled = and_(*(SearchDocument.title.contains(_written(phrase)) for phrase in phrases))
    ranked = (
        select(Item.id)
        .select_from(newest)
        .join(SearchDocument, SearchDocument.id == newest.c.id)
        .join(Item, Item.id == SearchDocument.item_id)
        .order_by(titled.desc(), Item.created_at.desc(), Item.id.desc())
    )
    ids = list(await session.scalars(ranked))
    if number is None:
        return ids
    numbered = await session.scalars(select(Item.id).where(Item.number == number, *conditions))
    return list(dict.fromkeys([*numbered, *ids]))


async def newest_holding(
    session: Session, phrases: Sequence[Phrase], conditions: Collection[ColumnElement[bool]]
) -> Select[Any]:
    """The newest documents that hold the phrases, of items that fulfil the conditions."""
    if session.get_bind().dialect.name == "postgresql":
        held, conditions = await _held_in_postgresql(session, phrases, conditions)
    else:
        asked = " ".join(_for_sqlite(phrase) for phrase in phrases)
        matches = literal_column(TEXTS.name).op("MATCH", is_comparison=True)(asked)
        held = select(TEXTS.c.rowid.label("id")).where(matches).order_by(TEXTS.c.rowid.desc())
    if not conditions:
        return held.limit(MOST)
    # Neither a join nor EXISTS: either database would begin with the items, or look at all of
    # them, where the newest that fit are wanted.
    ids = held.offset(0).subquery()
    fits = (
        select(literal(True))
        .where(SearchDocument.id == ids.c.id, Item.id == SearchDocument.item_id, *conditions)
        .correlate(ids)
        .scalar_subquery()
    )
    return select(ids.c.id).where(fits.is_(True)).limit(MOST)


async def _held_in_postgresql(
    session: Session, phrases: Sequence[Phrase], conditions: Collection[ColumnElement[bool]]
) -> tuple[Select[Any], Collection[ColumnElement[bool]]]:
    """Documents that hold all tokens, which its index knows; the order of tokens is a condition.

    Left to itself, PostgreSQL reads every document, which it takes to be as small as its row.
    """
    await session.execute(text("SET LOCAL enable_seqscan = off"))
    tokens = " & ".join(_for_postgresql(phrase, " & ") for phrase in phrases)
    held = select(SearchDocument.id).where(_matches(tokens)).cte().prefix_with("MATERIALIZED")
    if any(len(phrase.tokens) > 1 for phrase in phrases):
        whole = " & ".join(_for_postgresql(phrase, " <-> ") for phrase in phrases)
        conditions = [_matches(whole), *conditions]
    return select(held.c.id).order_by(held.c.id.desc()), conditions


def _matches(asked: str) -> ColumnElement[bool]:
    query = cast(cast(literal(asked), Text), TSQUERY)
    return SearchDocument.words.op("@@", is_comparison=True)(query)


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


def _for_postgresql(phrase: Phrase, between: str) -> str:
    return between.join(f"'{token}'" for token in phrase.tokens) + (":*" if phrase.prefix else "")


def _for_sqlite(phrase: Phrase) -> str:
    return f'"{" ".join(phrase.tokens)}"' + ("*" if phrase.prefix else "")


def _written(phrase: Phrase) -> str:
    return f" {' '.join(phrase.tokens)}" + ("" if phrase.prefix else " ")
