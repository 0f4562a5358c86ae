"""Looking for the contents of an item wherever an office keeps anything."""

from __future__ import annotations

from sqlalchemy import select

from node.storage.database import Database
from node.storage.messages import Incoming, Outgoing, Quarantined
from node.storage.recovery import Returned
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
    return found


def _payload(token: bytes) -> bytes:
    segments = token.split(b".")
    return forgery.decode(segments[1]) if len(segments) == 3 else token
