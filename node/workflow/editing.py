"""Editions that an office's editors make (编辑). What the author wrote is never changed.

`edit` is one transaction:

 1. The actor's role may do this; the text fits the limits, and holds none of the office's phrases
    for secret documents, unless the editor confirmed that it is none.
 2. The item is found and locked, and nobody else has claimed it; the state allows it (`lifecycle`).
 3. The editor worked on the newest edition, and changed something. It is classified no lower.
 4. The edition is written, with authors and files as before; the item is claimed by the editor.
 5. The event and the audit row are written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import ConfigDict, StrictBool
from sqlalchemy import select

from node.desk_errors import StaleError, UnchangedError, UnknownEditionError
from node.errors import InputError
from node.storage.database import Session
from node.storage.items import Edition, Item
from node.storage.people import Person
from node.workflow import (
    access,
    attachments,
    claims,
    comparing,
    editions,
    items,
    record,
    submissions,
    topics,
)
from node.workflow.calendar import when
from node.workflow.comparing import Part
from node.workflow.desk import Actor, Desk
from node.workflow.topics import Code
from protocol.lifecycle import Action
from protocol.messages.items import LEVELS, Author, Classification, Urgency
from protocol.offices import Line, Record, Text

CONTENT = ("title", "body", "topic", "urgency", "classification")


class Rewriting(Record):
    """What an editor makes of the edition `based_on`. An unknown member is a mistake of his."""

    model_config = ConfigDict(extra="forbid", defer_build=False)

    based_on: int
    title: Line
    body: Text
    topic: Code | None = None
    """As the office calls it (`topics`)."""
    urgency: Urgency | None = None
    classification: Classification | None = None
    why: Line
    confirmed: StrictBool = False
    """Whether the editor saw a warning about phrases, and says that nothing here is secret."""


@dataclass(frozen=True)
class EditionView:
    """An edition: the author's, as it came from below, or made here by an editor."""

    number: int
    title: str
    body: str
    topic: str
    urgency: str
    classification: str
    submitted_at: datetime
    base: int | None
    editor: str | None
    edited_at: datetime | None
    why: str | None


@dataclass(frozen=True)
class Comparison:
    """Two editions beside each other."""

    before: EditionView
    after: EditionView
    title: Sequence[Part]
    body: Sequence[Part]


async def edit(desk: Desk, actor: Actor, item_id: UUID, wanted: Rewriting) -> int:
    """Make a new edition. Returns its number. Raises `StaleError`, `UnchangedError`."""
    # 1.
    access.demand(actor, Action.EDIT)
    draft = submissions.draft(
        wanted.model_dump(include={"title", "body", "confirmed"}) | {"topic": "government"}
    )
    submissions.demand_length(desk, title=wanted.title, body=wanted.body)
    submissions.demand_confirmed(desk, draft)
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        # 2.
        item = await items.locked(session, desk, actor, item_id, Action.EDIT)
        state = items.advance(desk, item, Action.EDIT)
        # 3.
        await demand_newest(session, item, wanted.based_on)
        base = await session.get_one(Edition, (item.id, wanted.based_on))
        before = item.topic_code
        topic = await topics.file(session, item, wanted.topic) if wanted.topic else base.topic
        made = draft.model_copy(
            update={
                "topic": topic,
                "urgency": wanted.urgency or base.urgency,
                "classification": wanted.classification or base.classification,
            }
        )
        if LEVELS.index(made.classification) < LEVELS.index(base.classification):
            raise InputError("密级不能低于上一稿")
        same = all(getattr(made, name) == getattr(base, name) for name in CONTENT)
        if same and item.topic_code == before:
            raise UnchangedError
        # 4.
        number = await editions.next_number(session, item.id)
        editions.write(
            session,
            item,
            made,
            number=number,
            authors=[Author.model_validate(author) for author in base.authors],
            submitted_at=base.submitted_at,
            editing=editions.Editing(base.number, actor.id, now, wanted.why),
        )
        await attachments.carry_over(session, base, number)
        await claims.hold(session, actor, item.id, now)
        # 5.
        record.own_step(
            session,
            desk,
            item,
            "edited",
            {"edition": number, "reason": wanted.why},
            state=state,
            now=now,
            actor=actor,
        )
    return number


async def history(desk: Desk, actor: Actor, item_id: UUID) -> Sequence[EditionView]:
    """All editions, the oldest first. Raises `UnknownItemError`."""
    access.demand(actor, "review")
    async with desk.database.reading() as session:
        await items.demand_visible(session, actor, item_id, await session.get(Item, item_id))
        rows = await session.execute(
            select(Edition, Person.name)
            .outerjoin(Person, Person.id == Edition.editor_id)
            .where(Edition.item_id == item_id)
            .order_by(Edition.number)
        )
        return [_view(edition, editor) for edition, editor in rows]


async def compare(desk: Desk, actor: Actor, item_id: UUID, before: int, after: int) -> Comparison:
    """Two editions, sentence by sentence. Raises `UnknownEditionError`."""
    found = {edition.number: edition for edition in await history(desk, actor, item_id)}
    for number in (before, after):
        if number not in found:
            raise UnknownEditionError(f"第 {number} 稿")
    one, other = found[before], found[after]
    return Comparison(
        one,
        other,
        comparing.compare(one.title, other.title),
        comparing.compare(one.body, other.body),
    )


async def demand_newest(session: Session, item: Item, number: int) -> None:
    """Raises `StaleError` unless this edition is the item's newest; says who made that, and why."""
    if number == item.edition:
        return
    newest = await session.get_one(Edition, (item.id, item.edition))
    if newest.edited_at is None:
        raise StaleError(f"第 {newest.number} 稿来自撰稿人，{when(newest.submitted_at)}提交")
    editor = await session.get(Person, newest.editor_id) if newest.editor_id else None
    name = editor.name if editor else "本机关"
    why = f"：{newest.why}" if newest.why else ""
    raise StaleError(f"{name}已于{when(newest.edited_at)}存为第 {newest.number} 稿{why}")


def _view(edition: Edition, editor: str | None) -> EditionView:
    return EditionView(
        number=edition.number,
        title=edition.title,
        body=edition.body,
        topic=edition.topic,
        urgency=edition.urgency,
        classification=edition.classification,
        submitted_at=edition.submitted_at,
        base=edition.base,
        editor=editor,
        edited_at=edition.edited_at,
        why=edition.why,
    )
