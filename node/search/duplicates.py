"""Items like a text: from the whole office to a few, and then by what they really say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from node.search import finding, marks, resemblance
from node.storage.database import Session
from node.storage.items import Edition


@dataclass(frozen=True)
class Likeness:
    """The newest edition of an item, and which part of the shorter text stands in both."""

    edition: Edition
    share: float


async def of_text(
    session: Session, title: str, body: str, *, since: datetime, without: UUID | None = None
) -> list[Likeness]:
    """Items since then that are similar to the text, those that agree most first."""
    text = joined(title, body)
    likely = await finding.similar(session, marks.of_text(text), since=since, without=without)
    mine = resemblance.shingles(text)
    found = [
        Likeness(one, resemblance.share(mine, resemblance.shingles(joined(one.title, one.body))))
        for one in await finding.newest_editions(session, likely)
    ]
    similar = [one for one in found if one.share >= resemblance.SIMILAR]
    return sorted(similar, key=lambda one: (-one.share, one.edition.submitted_at))


def joined(title: str, body: str) -> str:
    """What of an item is compared."""
    return f"{title}\n{body}"
