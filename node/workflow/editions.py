"""Writing an edition of an item: handed in here, come from below, or come back after a restore."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from node.search import index
from node.storage import bulk
from node.storage.database import Session
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


def write(
    session: Session,
    item: Item,
    content: Content,
    *,
    number: int,
    authors: Sequence[Author],
    submitted_at: datetime,
    message: Opened | None = None,
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
    )
    index.pending(session, item.id)
    if number >= item.edition:
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
