"""What people see: lists, one item with its timeline, notices. Reads only; no locks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar, get_args
from uuid import UUID

from sqlalchemy import Select, func, select, union_all, update

from node.storage.calls import Call
from node.storage.database import Session
from node.storage.events import Event, Notice
from node.storage.items import Edition, Item, ItemAuthor
from node.workflow import access, attachments, enclosures, items, phrases, record, reviews, tags
from node.workflow.access import Scope
from node.workflow.attachments import FileView
from node.workflow.desk import Actor, Desk
from protocol import lifecycle
from protocol.lifecycle import Action, State
from protocol.messages.items import Urgency

PAGE = 50
ELSEWHERE = frozenset({Action.SUBMIT, Action.REPLY, Action.PUBLISH, Action.REFER, Action.RETRACT})
"""Done with a new text, with an assignment, and with an issue: not with an item by itself."""
T = TypeVar("T")


@dataclass(frozen=True)
class Entry:
    """One line of the timeline."""

    at: datetime
    office: str
    office_name: str
    level: str
    kind: str
    sentence: str
    data: dict[str, Any]
    proven: bool
    """Whether it came as a signed message from another office."""
    files: tuple[FileView, ...] = ()
    """Those that go with it."""


@dataclass(frozen=True)
class ItemView:
    """An item as one person sees it."""

    item: Item
    edition: Edition
    files: tuple[FileView, ...]
    timeline: tuple[Entry, ...]
    actions: tuple[str, ...]
    tags: tuple[str, ...]


@dataclass(frozen=True)
class NoticeView:
    """A notice to an author: of an item, or of a call."""

    id: UUID
    item_id: UUID | None
    call_id: UUID | None
    title: str
    sentence: str
    at: datetime
    read: bool


@dataclass(frozen=True)
class Page(Generic[T]):
    """A part of a list, with how many there are in all."""

    rows: Sequence[T]
    total: int


async def list_items(
    desk: Desk, actor: Actor, *, state: str | None = None, offset: int = 0, limit: int = PAGE
) -> Page[Item]:
    """The items that the actor may see, the newest first.

    Those of an office leave out what is part of a combined item, unless that is asked for.
    """
    access.demand(actor, "read")
    query = select(Item.id)
    own = access.scope(actor, "read") is Scope.OWN
    if own:
        query = query.join(ItemAuthor, ItemAuthor.item_id == Item.id).where(
            ItemAuthor.person_id == actor.id
        )
    elif state is None:
        # What is done with them is done with the combined item.
        query = query.where(Item.state.not_in((State.MERGED, State.DISSOLVED)))
    if state is not None:
        query = query.where(Item.state == state)
    newest = query if own or state is None else _newest(state, offset + limit)
    newest = newest.order_by(Item.created_at.desc(), Item.id.desc()).offset(offset).limit(limit)
    shown = select(Item).where(Item.id.in_(newest.subquery().select()))
    async with desk.database.reading() as session:
        total = await session.scalar(select(func.count()).select_from(query.subquery()))
        rows = await session.scalars(shown.order_by(Item.created_at.desc(), Item.id.desc()))
        return Page(rows.all(), total or 0)


def _newest(state: str, limit: int) -> Select[UUID]:
    """Among these are the newest in the state: the newest of each part of the desk's index."""
    parts = [
        select(Item.id)
        .where(Item.state == state, Item.closed.is_(closed), Item.urgency == urgency)
        .order_by(Item.created_at.desc(), Item.id.desc())
        .limit(limit)
        .subquery()
        .select()
        for closed in (False, True)
        for urgency in get_args(Urgency)
    ]
    return select(Item.id).where(Item.id.in_(union_all(*parts)))


async def view(desk: Desk, actor: Actor, item_id: UUID) -> ItemView:
    """One item. Raises `ForbiddenError`, `UnknownItemError`."""
    access.demand(actor, "read")
    async with desk.database.reading() as session:
        item = await session.get(Item, item_id)
        await items.demand_visible(session, actor, item_id, item)
        assert item is not None
        own = await items.written_by(session, actor, item_id)
        at_the_desk = access.scope(actor, "read") is Scope.ALL
        return ItemView(
            item=item,
            edition=await session.get_one(Edition, (item.id, item.edition)),
            files=await attachments.view(session, desk, item),
            timeline=await _timeline(session, desk, item, at_the_desk=at_the_desk),
            tags=await tags.of(session, item.id),
            actions=_actions(
                desk, actor, item, own=own, hidden=await reviews.not_offered(session, item)
            ),
        )


async def titles(desk: Desk, actor: Actor, ids: Sequence[UUID]) -> dict[UUID, str]:
    """The titles of those of the items that the actor may see."""
    access.demand(actor, "read")
    query = select(Item.id, Item.title).where(Item.id.in_(ids))
    if access.scope(actor, "read") is Scope.OWN:
        query = query.join(ItemAuthor, ItemAuthor.item_id == Item.id).where(
            ItemAuthor.person_id == actor.id
        )
    async with desk.database.reading() as session:
        found = await session.execute(query)
        return {row.id: row.title for row in found}


async def notices(desk: Desk, actor: Actor, *, limit: int = PAGE) -> Page[NoticeView]:
    """What the actor was told, the newest first."""
    access.demand(actor, "read")
    mine = select(Notice.id).where(Notice.person_id == actor.id)
    query = (
        select(Notice, Event, Item.title, Call.title)
        .outerjoin(Event, Event.id == Notice.event_id)
        .outerjoin(Item, Item.id == Notice.item_id)
        .outerjoin(Call, Call.id == Notice.call_id)
        .where(Notice.person_id == actor.id)
        .order_by(Notice.created_at.desc(), Notice.id.desc())
        .limit(limit)
    )
    async with desk.database.reading() as session:
        total = await session.scalar(select(func.count()).select_from(mine.subquery()))
        found = await session.execute(query)
        rows = [
            NoticeView(
                id=notice.id,
                item_id=notice.item_id,
                call_id=notice.call_id,
                title=item_title or call_title or "",
                sentence=notice.words or _sentence(desk, event),
                at=notice.created_at if notice.words else event.at,
                read=notice.read_at is not None,
            )
            for notice, event, item_title, call_title in found
        ]
        return Page(rows, total or 0)


async def unread(desk: Desk, actor: Actor) -> int:
    """How many notices the actor has not seen."""
    access.demand(actor, "read")
    query = select(func.count()).where(Notice.person_id == actor.id, Notice.read_at.is_(None))
    async with desk.database.reading() as session:
        return await session.scalar(query) or 0


async def mark_read(desk: Desk, actor: Actor) -> None:
    """The actor has seen all notices."""
    access.demand(actor, "read")
    async with desk.database.writing.begin() as session:
        await session.execute(
            update(Notice)
            .where(Notice.person_id == actor.id, Notice.read_at.is_(None))
            .values(read_at=desk.clock())
        )


async def _timeline(
    session: Session, desk: Desk, item: Item, *, at_the_desk: bool
) -> tuple[Entry, ...]:
    query = select(Event).where(Event.item_id == item.id)
    if not at_the_desk:
        # How the office works on the text is its own affair, until it decides.
        query = query.where(Event.kind.not_in((*lifecycle.EDITORIAL, "reminded", "noted")))
    rows = await session.scalars(query.order_by(Event.at, Event.office, Event.sequence, Event.step))
    events = rows.all()
    files = await enclosures.views(session, [event.id for event in events])
    return tuple(
        Entry(
            at=event.at,
            office=event.office,
            office_name=_office_name(desk, event),
            level=_level(desk, event),
            kind=event.kind,
            sentence=_sentence(desk, event),
            data=event.data,
            proven=event.message_id is not None,
            files=files.get(event.id, ()),
        )
        for event in events
    )


def _sentence(desk: Desk, event: Event) -> str:
    combined = event.about != event.item_id
    return phrases.sentence(event.kind, event.data, _office_name(desk, event), combined=combined)


def _office_name(desk: Desk, event: Event) -> str:
    if event.office == desk.node:
        return desk.office.name
    name: str = event.data["office"]["name"]
    return name


def _level(desk: Desk, event: Event) -> str:
    if event.office == desk.node:
        return desk.office.level
    level: str = event.data["office"]["level"]
    return level


def _actions(
    desk: Desk, actor: Actor, item: Item, *, own: bool, hidden: set[Action]
) -> tuple[str, ...]:
    standing = record.standing_of(item, desk.node)
    if standing is None or item.purged_at is not None:
        return ()
    found = set(lifecycle.possible(standing)) - ELSEWHERE - hidden
    if not items.returned_above(desk, item):
        found.discard(Action.REVISE)
    # An original comes out of a combined item when that is taken apart.
    found.discard(Action.UNMERGE)
    found -= {Action.RETURN} if item.combined else {Action.TAKE_APART}
    if item.source is not None:
        # Only the author's own office changes the text or asks for the item back.
        found -= {Action.RESUBMIT, Action.REVISE, Action.WITHDRAW}
    if desk.parent is None or item.forwarded_edition == item.edition:
        found.discard(Action.FORWARD_UP)
    if item.forwarded_edition is not None:
        found.discard(Action.WITHDRAW)
        if item.source is None and items.can_be_asked_back(desk, item):
            found.add(Action.WITHDRAW)
    review = (Action.APPROVE, Action.SEND_BACK, Action.SIGN_OFF)
    permitted = {"revise": "resubmit", **dict.fromkeys(map(str, review), "review")}
    reaching = {Scope.ALL, Scope.OWN} if own else {Scope.ALL}
    return tuple(
        action
        for action in lifecycle.TRANSITIONS
        if action in found and access.scope(actor, permitted.get(action, action)) in reaching
    )
