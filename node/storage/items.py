"""Items, their editions and their local authors."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, String, Text, false, text
from sqlalchemy.orm import Mapped, mapped_column

from node.storage.base import Base, reference

NOT_SENT = text("forwarded_edition IS NULL OR forwarded_edition < edition")
ENDED = text("ended_at IS NOT NULL AND purged_at IS NULL")


class Item(Base):
    """An item at this office. It keeps its id from the office where it was written to the top.

    `source` is the office that forwarded it to us, None where it was written here. State and
    standings are computed from the item's events and kept for lists; `returned` says that an office
    gave it back, and that is how it stands there. `sequence` and `step` are the newest of this
    office's own events. `edition` is the newest edition here, `forwarded_edition` the newest one
    that was sent up. `combined` says that it was written here out of others, `merged_into` that it
    is part of such a one. `editor_id` is the editor to whom it is assigned, `answers_id` the call
    that the item answers, `topic_code` what this office calls its topic. What `entered_by` handed
    in for somebody else came by a `channel`. Once `purged_at` is set, nothing of its contents is
    here any more.

    For counting, `year` and `month` are when it came by the office's calendar, `origin_office` is
    the id in `origin`, and `adopted_by` names the levels whose offices adopted it: `city county`.
    `adopted`, `waiting` (for this office to act), `archived` and `ended_at` are of this office's
    own standing: the last is when it closed or declined the item or gave it back, None while
    something is left to be done.
    """

    __tablename__ = "items"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    source: Mapped[str | None] = mapped_column(String(40))
    origin: Mapped[dict[str, Any]]
    origin_office: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(200))
    topic: Mapped[str] = mapped_column(String(20))
    urgency: Mapped[str] = mapped_column(String(20))
    classification: Mapped[str] = mapped_column(String(20))
    edition: Mapped[int]
    forwarded_edition: Mapped[int | None]
    state: Mapped[str] = mapped_column(String(20))
    closed: Mapped[bool] = mapped_column(default=False)
    adopted_by: Mapped[str] = mapped_column(String(100), default="", server_default="")
    adopted: Mapped[bool] = mapped_column(default=False, server_default=false())
    waiting: Mapped[bool] = mapped_column(default=False, server_default=false())
    archived: Mapped[bool] = mapped_column(default=False, server_default=false())
    ended_at: Mapped[datetime | None]
    number: Mapped[str | None] = mapped_column(String(60), unique=True)
    editor_id: Mapped[UUID | None] = mapped_column(reference("people.id"))
    sequence: Mapped[int] = mapped_column(default=0)
    step: Mapped[int] = mapped_column(default=0)
    standings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    returned: Mapped[bool] = mapped_column(default=False, server_default=false())
    combined: Mapped[bool] = mapped_column(default=False, server_default=false())
    merged_into: Mapped[UUID | None]
    answers_id: Mapped[UUID | None]
    topic_code: Mapped[str | None] = mapped_column(String(20))
    channel: Mapped[str | None] = mapped_column(String(20))
    entered_by: Mapped[UUID | None] = mapped_column(reference("people.id"))
    created_at: Mapped[datetime]
    year: Mapped[int]
    month: Mapped[int]
    purged_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_items_merged_into", "merged_into"),  # the originals of a combined item
        Index("ix_items_created_at", "created_at"),  # the list, newest first
        Index("ix_items_state", "state", "closed", "urgency", "created_at", "id"),  # the desk
        Index(
            "ix_items_candidates",
            "state",
            "closed",
            "urgency",
            "created_at",
            "id",
            # SQLite takes the index only where it holds what is asked for.
            "forwarded_edition",
            "edition",
            postgresql_where=NOT_SENT,
            sqlite_where=NOT_SENT,
        ),  # what could go to the office above, when most has gone
        Index("ix_items_returned", "returned"),  # what came back
        Index("ix_items_answers_id", "answers_id"),  # the answers to a call
        Index("ix_items_editor_id", "editor_id"),  # what lies with an editor
        Index(
            "ix_items_year",
            "year",
            "source",
            "origin_office",
            "created_at",
            "adopted",
            "waiting",
        ),  # what came from each office, counted without reading the items
        # What came in each month, on what, and who adopted it, counted likewise; an author's too.
        Index("ix_items_month", "year", "combined", "month", "topic", "adopted_by", "id"),
        Index(
            "ix_items_archived",
            "archived",
            "ended_at",
            "id",
            "state",
            postgresql_where=ENDED,
            sqlite_where=ENDED,
        ),  # what waits to be archived, the longest done with first
        Index(
            "ix_items_ended_at",
            "state",
            "ended_at",
            "id",
            "closed",
            "archived",
            postgresql_where=ENDED,
            sqlite_where=ENDED,
        ),  # what was kept long enough
    )


class Edition(Base):
    """One edition of an item's text, never changed.

    `message_source` and `message_id` name the inbox row that brought it, None where it was
    written here. `source_number` is the number that it has at the office that sent it: here it may
    have another, where an own edition had taken that one. An edition that an editor of this office
    made names the one that it was made of as `base`; who wrote the item, and when, is as there.
    """

    __tablename__ = "editions"

    item_id: Mapped[UUID] = mapped_column(reference("items.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    authors: Mapped[list[Any]]
    topic: Mapped[str] = mapped_column(String(20))
    urgency: Mapped[str] = mapped_column(String(20))
    classification: Mapped[str] = mapped_column(String(20))
    submitted_at: Mapped[datetime]
    message_source: Mapped[str | None] = mapped_column(String(40))
    message_id: Mapped[UUID | None]
    source_number: Mapped[int | None]
    base: Mapped[int | None]
    editor_id: Mapped[UUID | None] = mapped_column(reference("people.id"))
    edited_at: Mapped[datetime | None]
    why: Mapped[str | None] = mapped_column(Text)


class ItemAuthor(Base):
    """An author of the item who has an account here, and is told what became of it."""

    __tablename__ = "item_authors"

    item_id: Mapped[UUID] = mapped_column(reference("items.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(reference("people.id"), primary_key=True)

    __table_args__ = (Index("ix_item_authors_person_id", "person_id"),)  # an author's own list


class Counter(Base):
    """Numbers given out without gaps: taken by UPDATE … RETURNING in the same transaction."""

    __tablename__ = "counters"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    value: Mapped[int]
