"""The JSON of the API: what is answered, and what is asked for."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from node.storage.items import Item
from node.workflow import enclosures
from node.workflow.attachments import Named
from node.workflow.desk import Actor
from node.workflow.reading import ItemView, NoticeView
from protocol.offices import Line, Text


class Shape(BaseModel):
    """What is asked for: an unknown member is a mistake of the caller."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Credentials(Shape):
    """A login."""

    username: str
    password: str


class Reason(Shape):
    """Why."""

    reason: Text


class NoteShape(Shape):
    """Words for the editors of the next office."""

    text: Text
    to: Literal["above", "below"] = "above"


class Forwarded(Shape):
    """A note to the editors of the office above, which goes up with the item."""

    note: Text | None = None


class Adoption(Shape):
    """How the item is adopted."""

    manner: Literal["single", "combined"] = "single"
    issue: Line | None = None


class LeaderReadShape(Shape):
    """The leader who has read it."""

    leader: Line
    post: Line


class Instruction(Shape):
    """A leader's instruction."""

    leader: Line
    post: Line
    text: Text | None = None
    """In words, as a scan among the `attachments`, or both."""
    on: date
    attachments: tuple[Named, ...] = Field(default=(), max_length=enclosures.MOST)


class Implementation(Shape):
    """What came of it."""

    unit: Line
    text: Text


class Closing(Shape):
    """A closing word, where there is one."""

    note: Text | None = None


class PersonShape(BaseModel):
    """Who is logged in. `must_change_password`: everything else is refused until then."""

    id: UUID
    username: str
    name: str
    roles: list[str]
    must_change_password: bool

    @classmethod
    def of(cls, actor: Actor) -> Self:
        return cls(
            id=actor.id,
            username=actor.username,
            name=actor.name,
            roles=sorted(actor.roles),
            must_change_password=actor.must_change,
        )


class ItemSummary(BaseModel):
    """An item in a list. `standings` says where it stands at every office that spoke.

    `topic_code` is what this office calls its topic. What was handed in for somebody else came by
    a `channel`. `combined`: it was written here out of others. `merged_into` names the combined
    item that it is part of.
    """

    id: UUID
    title: str
    state: str
    closed: bool
    number: str | None
    topic: str
    urgency: str
    classification: str
    edition: int
    origin: dict[str, Any]
    source: str | None
    standings: dict[str, Any]
    combined: bool
    merged_into: UUID | None
    answers_id: UUID | None
    topic_code: str | None
    channel: str | None
    created_at: datetime

    @classmethod
    def of(cls, item: Item) -> Self:
        return cls.model_validate(item, from_attributes=True)


class ItemList(BaseModel):
    """A part of the list."""

    items: list[ItemSummary]
    total: int


class AttachmentShape(BaseModel):
    """A file of the item: `arrived` of its `pieces` are here; `stopped` says why no more come."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    media_type: str
    size: int
    digest: str
    complete: bool
    arrived: int
    pieces: int
    stopped: str | None


class TimelineEntry(BaseModel):
    """Something that happened. `proven`: it came as a signed message from another office.
    `files` are fetched as those of the item."""

    model_config = ConfigDict(from_attributes=True)

    at: datetime
    office: str
    office_name: str
    level: str
    kind: str
    sentence: str
    data: dict[str, Any]
    proven: bool
    files: list[AttachmentShape]


class StoredShape(BaseModel):
    """A file that was handed in."""

    model_config = ConfigDict(from_attributes=True)

    digest: str
    size: int
    media_type: str


class ItemDetail(ItemSummary):
    """One item with its text, its files, its timeline, and what the caller may do now."""

    body: str
    authors: list[dict[str, str]]
    attachments: list[AttachmentShape]
    timeline: list[TimelineEntry]
    actions: list[str]
    tags: list[str]

    @classmethod
    def of_view(cls, view: ItemView) -> Self:
        return cls(
            **ItemSummary.of(view.item).model_dump(),
            body=view.edition.body,
            authors=view.edition.authors,
            attachments=[AttachmentShape.model_validate(file) for file in view.files],
            timeline=[TimelineEntry.model_validate(entry) for entry in view.timeline],
            actions=list(view.actions),
            tags=list(view.tags),
        )


class NoticeShape(BaseModel):
    """A notice."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    item_id: UUID | None
    call_id: UUID | None
    title: str
    sentence: str
    at: datetime
    read: bool

    @classmethod
    def of(cls, notice: NoticeView) -> Self:
        return cls.model_validate(notice)


class NoticeList(BaseModel):
    """A part of the notices."""

    notices: list[NoticeShape]
    total: int


class RegisteredShape(BaseModel):
    """The number that was given."""

    number: str
