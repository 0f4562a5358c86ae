"""Looking for the contents of an item wherever an office keeps anything."""

from __future__ import annotations

from sqlalchemy import select, text

from node.search.words import tokens
from node.storage.database import Database
from node.storage.messages import Incoming, Outgoing, Quarantined
from node.storage.recovery import Returned
from node.storage.search import SearchDocument
from tests.node.rooms import contents
from tests.protocol import forgery

TITLE, BODY = "不该存在的标题", "不该存在的正文"


async def written(database: Database, *words: str) -> list[str]:
    """The tables in which the words can still be read, in the clear or inside a token."""
    words = words or (TITLE, BODY)
    found = [
        table
        for table, rows in (await contents(database)).items()
        if any(word in row for row in rows for word in words)
    ]
    async with database.reading() as session:
        payloads = list(await session.scalars(select(Outgoing.payload)))
        signed = {
            "inbox": await session.scalars(select(Incoming.token)),
            "quarantine": await session.scalars(select(Quarantined.body)),
            "returned": await session.scalars(
                select(Returned.token).where(Returned.token.is_not(None))
            ),
        }
        texts = {name: [_payload(token) for token in tokens] for name, tokens in signed.items()}
    texts["outbox"] = payloads
    for table, parts in texts.items():
        if any(word.encode() in part for part in parts for word in words):
            found.append(table)
    return found + await _indexed(database, words)


async def _indexed(database: Database, words: tuple[str, ...]) -> list[str]:
    """The tables of the search index that hold a token of the words."""
    pairs = {token for word in words for token in tokens(word) if len(token) > 1}
    async with database.reading() as session:
        rows = [str(row) for row in await session.execute(select(SearchDocument.words))]
        found = ["search_documents"] * any(pair in row for pair in pairs for row in rows)
        if database.is_postgresql:
            return found
        # All that SQLite keeps of its index, counted in or not.
        blocks = await session.scalars(text("SELECT block FROM search_text_data"))
        written = b"".join(blocks)
    return found + ["search_text"] * any(pair.encode() in written for pair in pairs)


def _payload(token: bytes) -> bytes:
    segments = token.split(b".")
    return forgery.decode(segments[1]) if len(segments) == 3 else token
