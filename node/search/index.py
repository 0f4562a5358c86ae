"""Keeping the index: what is to be put into it, putting it in, taking it out.

Whoever writes an edition leaves a mark that the item is `pending`, in the same transaction. One
`step` takes some of these up:

 1. Nobody else indexes meanwhile.
 2. The items are locked, in the order of their ids, as whoever takes in messages does: a purge
    comes before or after, and not between.
 3. The newest edition of each is turned into tokens and marks; what was purged is left out.
 4. Documents and marks are written, and are no longer pending.

Killed anywhere, it does the same again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Table, delete, func, insert, select, text
from sqlalchemy.dialects import postgresql, sqlite

from node.search import marks, words
from node.search.duplicates import joined
from node.search.finding import newest_editions
from node.storage import bulk
from node.storage.base import Base
from node.storage.database import Database, Session, take_turn
from node.storage.items import Edition, Item
from node.storage.search import SearchDocument, SearchMark, SearchPending

BATCH = 40
AT_ONCE = 5
"""Items between two looks at what else is to be done in this process."""


def pending(session: Session, item_id: UUID) -> None:
    """The item has an edition that is not in the index yet."""
    bulk.insert(session, SearchPending, item_id=item_id)


async def mark_all(session: Session) -> int:
    """Have every item indexed anew; how many there are. What is found meanwhile is found."""
    await session.execute(delete(SearchPending))
    every = select(Item.id).where(Item.purged_at.is_(None)).order_by(Item.created_at, Item.id)
    await session.execute(insert(SearchPending).from_select(["item_id"], every))
    return await waiting(session)


async def waiting(session: Session) -> int:
    """How many editions are not in the index yet."""
    return await session.scalar(select(func.count()).select_from(SearchPending)) or 0


async def mend(session: Session) -> None:
    """Have SQLite read its index anew from the documents. PostgreSQL's needs no mending."""
    await _tell_sqlite(session, "rebuild")


async def step(database: Database) -> int:
    """Put some of what is pending into the index; how many items were taken up."""
    async with database.writing.begin() as session:
        # 1.
        await take_turn(session, "search")
        query = select(SearchPending.number, SearchPending.item_id)
        rows = (await session.execute(query.order_by(SearchPending.number).limit(BATCH))).all()
        if not rows:
            return 0
        found = list(dict.fromkeys(item_id for _, item_id in rows))
        # 2.
        locked = select(Item).where(bulk.among(session, Item.id, found)).order_by(Item.id)
        items = {item.id: item for item in await session.scalars(locked.with_for_update(read=True))}
        # 3.
        there = [id for id in found if id in items and items[id].purged_at is None]
        editions = {one.item_id: one for one in await newest_editions(session, there)}
        # 4. In the order in which they were written: documents count on.
        await _write(session, [editions[id] for id in there if id in editions])
        numbers = [number for number, _ in rows]
        await session.execute(
            delete(SearchPending).where(bulk.among(session, SearchPending.number, numbers))
        )
    return len(rows)


async def erase(session: Session, item_id: UUID) -> None:
    """Take the item out, in the caller's transaction: what it held is not in the index any more."""
    await session.execute(delete(SearchPending).where(SearchPending.item_id == item_id))
    document = await session.scalar(
        select(SearchDocument.id).where(SearchDocument.item_id == item_id)
    )
    if document is None:
        return
    await session.execute(delete(SearchMark).where(SearchMark.document == document))
    await session.execute(delete(SearchDocument).where(SearchDocument.id == document))
    # SQLite only notes that the tokens do not count any more; written anew, the index lacks them.
    await _tell_sqlite(session, "optimize")


async def _write(session: Session, editions: Sequence[Edition]) -> None:
    documents, marked = [], {}
    for number, edition in enumerate(editions, start=1):
        documents.append(_document(edition))
        marked[edition.item_id] = marks.of_text(joined(edition.title, edition.body))
        if number % AT_ONCE == 0:
            await asyncio.sleep(0)
    if not documents:
        return
    await _upsert(session, documents)
    rows = await session.execute(
        select(SearchDocument.item_id, SearchDocument.id).where(
            bulk.among(session, SearchDocument.item_id, list(marked))
        )
    )
    ids = {row.item_id: row.id for row in rows}
    await session.execute(
        delete(SearchMark).where(bulk.among(session, SearchMark.document, list(ids.values())))
    )
    for item_id, found in marked.items():
        for mark in found:
            bulk.insert(session, SearchMark, mark=mark, document=ids[item_id])


def _document(edition: Edition) -> dict[str, Any]:
    people = [f"{author['name']} {author['unit']}" for author in edition.authors]
    title = words.tokens(edition.title)
    rest = words.tokens("\n".join((edition.body, *people)))
    return {
        "item_id": edition.item_id,
        "title": f" {' '.join(title)} ",
        "words": [*title, *rest],
    }


async def _upsert(session: Session, documents: Collection[dict[str, Any]]) -> None:
    # Not in bulk: no COPY knows what a document is to PostgreSQL. An item keeps its document's id.
    table: Table = Base.metadata.tables[SearchDocument.__tablename__]
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    statement = (postgresql.insert if is_postgresql else sqlite.insert)(table)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["item_id"],
            set_={name: statement.excluded[name] for name in ("title", "words")},
        ),
        list(documents),
    )


async def _tell_sqlite(session: Session, command: str) -> None:
    if session.get_bind().dialect.name == "sqlite":
        statement = text("INSERT INTO search_text(search_text) VALUES (:command)")
        await session.execute(statement.bindparams(command=command))
