"""Cases: assignments as those see them who are to carry them out, and those who gave them.

A handler sees those of the units that he belongs to today, with the item's text; editors and
leaders see all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select

from node.assignment_errors import UnknownAssignmentError
from node.errors import FileArrivingError, ForbiddenError, UnknownFileError
from node.storage import bulk
from node.storage.assignments import Assignment, Reply
from node.storage.database import Session
from node.storage.files import Enclosure, StoredFile
from node.storage.items import Edition, Item
from node.storage.people import Membership
from node.workflow import access, enclosures
from node.workflow.access import Scope
from node.workflow.attachments import FileView
from node.workflow.calendar import day_of
from node.workflow.desk import Actor, Desk
from node.workflow.files import Download

MOST = 200
"""So many cases are listed at once."""


@dataclass(frozen=True)
class Case:
    """An assignment as people see it, with the item's text where that is here."""

    assignment: Assignment
    replies: Sequence[Reply]
    title: str | None
    body: str | None
    files: Mapping[UUID, Sequence[FileView]]
    """Of answers that have some."""


async def list_cases(
    desk: Desk,
    actor: Actor,
    *,
    item_id: UUID | None = None,
    settled: bool = False,
    offset: int = 0,
    limit: int = MOST,
) -> Sequence[Case]:
    """The cases that the actor may see, those due first; of one item, where that is named."""
    access.demand(actor, "read_assignments")
    async with desk.database.reading() as session:
        query = select(Assignment).where(*await seen_by(session, desk, actor))
        if item_id is not None:
            query = query.where(Assignment.item_id == item_id)
        elif not settled:
            query = query.where(Assignment.settled_at.is_(None))
        order = (Assignment.due.is_(None), Assignment.due, Assignment.given_at, Assignment.id)
        rows = await session.scalars(query.order_by(*order).offset(offset).limit(limit))
        return await _cases(session, rows.all())


async def view(desk: Desk, actor: Actor, assignment_id: UUID) -> Case:
    """One case. Raises `UnknownAssignmentError`."""
    access.demand(actor, "read_assignments")
    async with desk.database.reading() as session:
        row = await session.get(Assignment, assignment_id)
        await _demand_visible(session, desk, actor, row)
        assert row is not None
        [found] = await _cases(session, [row])
    return found


async def locked(session: Session, desk: Desk, actor: Actor, assignment_id: UUID) -> Assignment:
    """The assignment, locked until the transaction ends. Raises `UnknownAssignmentError`."""
    row = await session.get(Assignment, assignment_id, with_for_update=True)
    await _demand_visible(session, desk, actor, row)
    assert row is not None
    return row


async def download(desk: Desk, actor: Actor, assignment_id: UUID, digest: str) -> Download:
    """A file of an answer. Raises `UnknownAssignmentError`, and as `files.download` does."""
    access.demand(actor, "read_assignments")
    async with desk.database.reading() as session:
        await _demand_visible(session, desk, actor, await session.get(Assignment, assignment_id))
        found = await session.scalar(
            select(Enclosure)
            .join(Reply, Reply.id == Enclosure.owner_id)
            .where(Reply.assignment_id == assignment_id, Enclosure.digest == digest)
            .limit(1)
        )
        if found is None:
            raise UnknownFileError
        if await session.get(StoredFile, digest) is None:
            raise FileArrivingError
    return Download(desk.shelf.place(digest), found.name, found.media_type)


def handles(actor: Actor, row: Assignment) -> bool:
    """Whether the actor, who may see the case, answers for whoever is to do it."""
    if row.office is not None or not access.allows(actor, "handle"):
        return False
    return row.unit_id is not None or access.EDITOR in actor.roles


def demand_handler(actor: Actor, row: Assignment) -> None:
    """Raises `ForbiddenError` unless the actor answers for whoever is to do it."""
    if not handles(actor, row):
        raise ForbiddenError(
            "only whoever the work was given to answers it",
            refused=access.refused(actor, "handle"),
        )


def sign(row: Assignment, actor: Actor, now: datetime) -> None:
    """Whoever is to do it has seen it, and takes it."""
    row.state, row.signed_for_at, row.signed_for_by = "signed_for", now, actor.name


async def _demand_visible(
    session: Session, desk: Desk, actor: Actor, row: Assignment | None
) -> None:
    if row is None:
        raise UnknownAssignmentError
    if access.scope(actor, "read_assignments") is Scope.OWN and row.unit_id not in await _units_of(
        session, desk, actor
    ):
        raise UnknownAssignmentError(refused=access.refused(actor, "read_assignments"))


async def seen_by(session: Session, desk: Desk, actor: Actor) -> Sequence[ColumnElement[bool]]:
    """Of assignments: that the actor may see them."""
    if access.scope(actor, "read_assignments") is not Scope.OWN:
        return ()
    return (Assignment.unit_id.in_(await _units_of(session, desk, actor)),)


async def _units_of(session: Session, desk: Desk, actor: Actor) -> Sequence[UUID]:
    today = day_of(desk.clock())
    found = await session.scalars(
        select(Membership.unit_id).where(
            Membership.person_id == actor.id,
            Membership.since <= today,
            or_(Membership.until.is_(None), Membership.until >= today),
        )
    )
    return found.all()


async def _cases(session: Session, rows: Sequence[Assignment]) -> Sequence[Case]:
    """All with their answers and texts: a few queries for however many they are."""
    replies: dict[UUID, list[Reply]] = defaultdict(list)
    for reply in await session.scalars(
        select(Reply)
        .where(bulk.among(session, Reply.assignment_id, [row.id for row in rows]))
        .order_by(Reply.at, Reply.id)
    ):
        replies[reply.assignment_id].append(reply)
    items = [row.item_id for row in rows if row.item_id is not None]
    texts = await session.execute(
        select(Edition.item_id, Edition.title, Edition.body)
        .join(Item, (Item.id == Edition.item_id) & (Item.edition == Edition.number))
        .where(bulk.among(session, Item.id, items))
    )
    titles: dict[UUID | None, tuple[str, str]] = {item: (one, two) for item, one, two in texts}
    answers = [reply.id for found in replies.values() for reply in found]
    files = await enclosures.views(session, answers) if answers else {}
    found = []
    for row in rows:
        title, body = titles.get(row.item_id, (None, None))
        found.append(Case(row, replies[row.id], title, body, files))
    return found
