"""Writing an edition of an item: handed in here, made by an editor, come from below, or come back
after a restore.

Editions of one item are numbered in the order in which they came to this office. One that came from
below keeps the number that it has there, unless an edition of an editor here has that one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy import func, select, update

from node.search import index
from node.storage import bulk
from node.storage.database import Session
from node.storage.desk import Check
from node.storage.files import Attachment
from node.storage.items import Edition, Item
from protocol import lifecycle
from protocol.envelope import Opened
from protocol.lifecycle import Action, Standing, State
from protocol.messages.items import Author


class Content(Protocol):
    """What an author wrote, in a draft or in a message."""

    @property
    def title(self) -> str:
        """One line."""

    @property
    def body(self) -> str:
        """The text."""

    @property
    def topic(self) -> str:
        """What it is about."""

    @property
    def urgency(self) -> str:
        """How soon it is to be dealt with."""

    @property
    def classification(self) -> str:
        """Who may read it."""


@dataclass(frozen=True)
class Editing:
    """Who made an edition out of another one at this office, when and why."""

    base: int
    editor_id: UUID | None
    at: datetime
    why: str | None


async def next_number(session: Session, item_id: UUID) -> int:
    """The number of the next edition that is made here."""
    highest = select(func.max(Edition.number)).where(Edition.item_id == item_id)
    return (await session.scalar(highest) or 0) + 1


async def origin_of(session: Session, edition: Edition) -> Edition:
    """The edition as it came to this office, of which its editors made this one."""
    while edition.base is not None:
        edition = await session.get_one(Edition, (edition.item_id, edition.base))
    return edition


async def renumber(session: Session, edition: Edition, item: Item) -> None:
    """Give the edition the next number that is free, with all that belongs to it."""
    old, new = edition.number, await next_number(session, item.id)
    for table in (Attachment, Check):
        await session.execute(
            update(table).where(table.item_id == item.id, table.edition == old).values(edition=new)
        )
    await session.execute(
        update(Edition).where(Edition.item_id == item.id, Edition.base == old).values(base=new)
    )
    edition.number = new
    if item.edition == old:
        item.edition = new
    await session.flush()


def number_for(number: int, taken: Collection[int]) -> int:
    """The number that an edition gets which has this one at the office that sent it."""
    return max(taken) + 1 if number in taken else number


def write(
    session: Session,
    item: Item,
    content: Content,
    *,
    number: int,
    authors: Sequence[Author],
    submitted_at: datetime,
    newest: bool = True,
    message: Opened | None = None,
    source_number: int | None = None,
    editing: Editing | None = None,
) -> None:
    """Add the edition; the item shows it when it is the newest. `message` is what brought it."""
    bulk.insert(
        session,
        Edition,
        item_id=item.id,
        number=number,
        title=content.title,
        body=content.body,
        authors=[author.model_dump(exclude_none=True) for author in authors],
        topic=content.topic,
        urgency=content.urgency,
        classification=content.classification,
        submitted_at=submitted_at,
        message_source=message.event.sender if message else None,
        message_id=message.event.id if message else None,
        source_number=source_number,
        base=editing.base if editing else None,
        editor_id=editing.editor_id if editing else None,
        edited_at=editing.at if editing else None,
        why=editing.why if editing else None,
    )
    index.pending(session, item.id)
    if newest:
        item.edition = number
        item.title, item.topic = content.title, content.topic
        item.urgency, item.classification = content.urgency, content.classification


def arrival(before: Standing | None, *, newest: bool) -> tuple[str, State]:
    """What an edition is that a message tells of, and the item's state after it."""
    if before is None or before.state is None:
        return "submitted", State.SUBMITTED
    if newest and before.state is State.RETURNED and not before.closed:
        return "resubmitted", lifecycle.advance(Action.RESUBMIT, before)
    return "revised", before.state
