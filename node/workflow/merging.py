"""Merging (综合): a new item is written out of several, and can be taken apart again.

`merge` is one transaction:

 1. The actor's role may do this; there are at least two items, and none twice.
 2. All are found and locked, in the order of their ids; the state of each allows it; none lies
    with the office above.
 3. Authors and shares are united; the text fits; it is classified no lower than an original.
 4. The combined item is written: item, edition, files, lineage. It is registered at once: the
    items that it is made of were.
 5. Each original gets the fact `merged`, which its authors and its office are told. It leaves the
    work list and can be decided only through the combined item (`lifecycle`, `record.own_fact`).

A combined item has no authors who read it here: it holds the text of others. They are told through
their own items. A circle cannot come about: what is merged already is not merged again, and the id
of a combined item is new each time.

`take_apart` is the other way, as long as nobody else has the combined item:

 1. The actor's role may do this.
 2. The combined item and its originals are locked; it was neither adopted, published, passed on nor
    forwarded, nor merged itself.
 3. It is dissolved: it stays as it is, and nothing is done with it any more.
 4. Each original gets the fact `unmerged` and stands where it stood before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import ConfigDict, Field, StrictBool, ValidationError, model_validator
from sqlalchemy import ColumnElement, select, update

from node.errors import ForwardedError, InputError, NotCombinedError
from node.storage import bulk
from node.storage.database import Session
from node.storage.items import Edition, Item
from node.storage.merges import Lineage
from node.workflow import (
    access,
    attachments,
    composing,
    editions,
    items,
    lineage,
    numbers,
    places,
    record,
    submissions,
    topics,
)
from node.workflow.attachments import Named
from node.workflow.desk import Actor, Desk
from node.workflow.submissions import Draft
from node.workflow.topics import Code
from protocol import lifecycle
from protocol.identifiers import NodeId
from protocol.lifecycle import Action, State
from protocol.messages import event, facts
from protocol.messages.items import (
    LEVELS,
    Author,
    Classification,
    Share,
    Urgency,
)
from protocol.offices import Line, Record, Text

MOST = 50
URGENCIES = ("normal", "urgent", "most_urgent")
GIVEN_BACK = frozenset({State.DECLINED, State.WITHDRAWN})
"""What the office above is done with: an item that stands so there may be merged here."""


class Combination(Record):
    """What an editor makes of several items. An unknown member is a mistake of the editor.

    Without `body` the originals stand one after the other; what else is absent follows from them.
    `shares` says how the authors share: all alike, or by items, of which each has the same part or
    that in `parts`.
    """

    model_config = ConfigDict(extra="forbid", defer_build=False)

    items: Annotated[tuple[UUID, ...], Field(min_length=2, max_length=MOST)]
    title: Line | None = None
    body: Text | None = None
    topic: Code | None = None
    """As the office calls it (`topics`)."""
    urgency: Urgency | None = None
    classification: Classification | None = None
    shares: Literal["equal", "by_item", "given"] = "equal"
    parts: Annotated[tuple[Share, ...], Field(max_length=MOST)] = ()
    attachments: tuple[Named, ...] = Field(default=(), max_length=50)
    confirmed: StrictBool = False
    """Whether the editor saw a warning about phrases, and says that nothing here is secret."""

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        if len(set(self.items)) < len(self.items):
            raise ValueError("an item stands there twice")
        if (self.shares == "given") != bool(self.parts):
            raise ValueError("parts belong to given shares")
        if self.parts and (
            len(self.parts) != len(self.items) or sum(map(Fraction, self.parts)) != 1
        ):
            raise ValueError("there must be a part for each item, and they must add up to 1")
        return self


@dataclass(frozen=True)
class Part:
    """An item that is part of a combined one, or a combined one that has it; `ended_at`: once."""

    item: Item
    merged_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class Parts:
    """What an item is made of, and what it went into."""

    originals: Sequence[Part]
    combined: Sequence[Part]


def combination(content: dict[str, object]) -> Combination:
    """From what was entered. Raises `InputError`, and `ClassifiedError` for a secret."""
    try:
        return Combination.model_validate(content)
    except ValidationError as error:
        raise InputError(event.brief(error)) from error


async def merge(desk: Desk, actor: Actor, wanted: Combination) -> UUID:
    """Write a combined item out of these. Returns its id."""
    # 1.
    access.demand(actor, Action.MERGE)
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        # 2.
        await lineage.locked(session, wanted.items)
        originals = [
            await items.locked(session, desk, actor, id, Action.MERGE) for id in wanted.items
        ]
        states = [items.advance(desk, original, Action.MERGE) for original in originals]
        for original in originals:
            await _demand_here(session, desk, original)
        # 3.
        texts = [await session.get_one(Edition, (o.id, o.edition)) for o in originals]
        chosen = await topics.choose(session, wanted.topic) if wanted.topic else None
        draft, authors = _drafted(desk, wanted, texts, chosen.topic if chosen else None)
        # 4.
        combined = await _write(session, desk, actor, draft, authors, wanted.items, now)
        combined.topic_code = chosen.code if chosen else originals[0].topic_code
        # 5.
        for position, (original, state) in enumerate(zip(originals, states, strict=True)):
            bulk.insert(
                session,
                Lineage,
                combined_id=combined.id,
                item_id=original.id,
                position=position,
                merged_at=now,
                ended_at=None,
            )
            await record.own_fact(
                session,
                desk,
                original,
                facts.Merged,
                state=state,
                now=now,
                actor=actor,
                into=combined.id,
                number=combined.number,
            )
            original.merged_into = combined.id
    return combined.id


async def take_apart(desk: Desk, actor: Actor, item_id: UUID) -> None:
    """Undo a merge: the originals are items of their own again."""
    # 1.
    access.demand(actor, Action.TAKE_APART)
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        # 2.
        combined = await items.locked(session, desk, actor, item_id, Action.TAKE_APART)
        if not combined.combined:
            raise NotCombinedError
        state = items.advance(desk, combined, Action.TAKE_APART)
        # 3.
        record.own_step(session, desk, combined, "dissolved", {}, state=state, now=now, actor=actor)
        # 4.
        for original in await lineage.originals(session, combined):
            await record.own_fact(
                session,
                desk,
                original,
                facts.Unmerged,
                state=items.advance(desk, original, Action.UNMERGE),
                now=now,
                actor=actor,
                out_of=combined.id,
            )
        # Those that were purged meanwhile, too.
        await session.execute(
            update(Item).where(Item.merged_into == combined.id).values(merged_into=None)
        )
        await session.execute(
            update(Lineage).where(Lineage.combined_id == combined.id).values(ended_at=now)
        )


async def view(desk: Desk, actor: Actor, item_id: UUID) -> Parts:
    """What the item is made of, and what it went into. Raises `UnknownItemError`."""
    access.demand(actor, "read_merges")
    async with desk.database.reading() as session:
        await items.demand_visible(session, actor, item_id, await session.get(Item, item_id))
        return Parts(
            await _parts(session, Lineage.item_id, Lineage.combined_id == item_id),
            await _parts(session, Lineage.combined_id, Lineage.item_id == item_id),
        )


async def _demand_here(session: Session, desk: Desk, item: Item) -> None:
    """Raises `ForwardedError` for what an office above has, and has not given back."""
    if item.forwarded_edition is None or desk.parent is None:
        return
    # After a move it may be a former parent.
    sent_to = await places.last_holder(session, item.id) or desk.parent.id
    above = record.standing_of(item, NodeId(sent_to))
    if above is None or above.state not in GIVEN_BACK:
        raise ForwardedError


def _drafted(
    desk: Desk, wanted: Combination, texts: Sequence[Edition], topic: str | None
) -> tuple[Draft, tuple[Author, ...]]:
    level = max((text.classification for text in texts), key=LEVELS.index)
    if wanted.classification and LEVELS.index(wanted.classification) < LEVELS.index(level):
        raise InputError("密级不能低于所合并的任何一件信息")
    draft = submissions.draft(
        {
            "title": wanted.title or composing.title([text.title for text in texts]),
            "body": wanted.body or composing.body([(text.title, text.body) for text in texts]),
            "topic": topic or texts[0].topic,
            "urgency": wanted.urgency or max((t.urgency for t in texts), key=URGENCIES.index),
            "classification": wanted.classification or level,
            "attachments": wanted.attachments,
            "confirmed": wanted.confirmed,
        }
    )
    submissions.demand_length(desk, title=wanted.title, body=wanted.body)
    submissions.demand_confirmed(desk, draft)
    parts = {
        "equal": None,
        "by_item": [Fraction(1, len(texts))] * len(texts),
        "given": [Fraction(part) for part in wanted.parts],
    }[wanted.shares]
    authors = [[Author.model_validate(one) for one in text.authors] for text in texts]
    return draft, composing.unite(authors, parts)


async def _write(
    session: Session,
    desk: Desk,
    actor: Actor,
    draft: Draft,
    authors: Sequence[Author],
    originals: Sequence[UUID],
    now: datetime,
) -> Item:
    state = lifecycle.advance(Action.SUBMIT, None)
    item = items.new(
        desk.new_id(),
        desk.office,
        now,
        state=state,
        combined=True,
        number=await numbers.next_number(session, desk.numbers.register_number, now),
    )
    session.add(item)
    editions.write(session, item, draft, number=1, authors=authors, submitted_at=now)
    await attachments.name(session, desk, actor, item, draft.attachments, now, of=originals)
    record.own_step(
        session,
        desk,
        item,
        "submitted",
        {"edition": 1, "originals": len(originals)},
        state=state,
        now=now,
        actor=actor,
    )
    await record.own_fact(
        session,
        desk,
        item,
        facts.Registered,
        state=items.advance(desk, item, Action.REGISTER),
        now=now,
        actor=actor,
        number=item.number,
    )
    return item


async def _parts(session: Session, of: Any, where: ColumnElement[bool]) -> Sequence[Part]:
    rows = await session.execute(
        select(Item, Lineage.merged_at, Lineage.ended_at)
        .join(Lineage, Item.id == of)
        .where(where)
        .order_by(Lineage.merged_at, Lineage.position)
    )
    return [Part(*row) for row in rows]
