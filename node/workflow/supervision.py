"""Supervision (督办): what is overdue, and reminders to whoever is to do it, each sent once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select

from node.storage.assignments import Assignment
from node.storage.database import Session
from node.storage.events import Notice
from node.storage.items import Item
from node.storage.people import Membership, Person
from node.workflow import access, record, workdays
from node.workflow.calendar import day_of
from node.workflow.desk import Actor, Desk
from protocol.lifecycle import State

SOON, OVERDUE = "soon", "overdue"
AHEAD = 1
"""So many working days before the last one, whoever is to do it is reminded."""
LONGEST = timedelta(days=15)
"""No holiday with its exchanges keeps people from work for longer."""
AT_ONCE = 50
ACTOR = "system"


async def overdue(desk: Desk, actor: Actor) -> Sequence[Assignment]:
    """What should have been answered before today, the oldest first."""
    access.demand(actor, "supervise")
    async with desk.database.reading() as session:
        rows = await session.scalars(
            select(Assignment)
            .where(*late(day_of(desk.clock())))
            .order_by(Assignment.due, Assignment.given_at, Assignment.id)
        )
        return rows.all()


def late(today: date) -> tuple[ColumnElement[bool], ...]:
    """Of assignments: that they should have been answered before today."""
    return (
        Assignment.settled_at.is_(None),
        Assignment.state != "replied",
        Assignment.due < today,
    )


async def remind(desk: Desk) -> bool:
    """Remind whoever is to answer soon, or should have; whether there may be more to remind of."""
    now = desk.clock()
    today = day_of(now)
    async with desk.database.writing.begin() as session:
        rows = await session.scalars(
            select(Assignment)
            .where(
                Assignment.settled_at.is_(None),
                Assignment.state.in_(("given", "signed_for")),
                Assignment.office.is_(None),
                or_(
                    (Assignment.due < today)
                    & (Assignment.reminded.is_(None) | (Assignment.reminded != OVERDUE)),
                    (Assignment.due >= today)
                    & (Assignment.due <= today + LONGEST)
                    & Assignment.reminded.is_(None),
                ),
            )
            .order_by(Assignment.due, Assignment.id)
            .limit(AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        found = rows.all()
        for row in found:
            assert row.due is not None
            # Asked only now: most nodes have nothing to remind of, and need no calendar.
            if row.due > workdays.after(today, AHEAD):
                return False
            row.reminded = OVERDUE if row.due < today else SOON
            await _remind(session, desk, row, row.due)
    return len(found) == AT_ONCE


async def _remind(session: Session, desk: Desk, row: Assignment, due: date) -> None:
    item = await session.get(Item, row.item_id, with_for_update=True) if row.item_id else None
    if item is None or item.purged_at is not None:
        return
    now = desk.clock()
    event_id = record.own_step(
        session,
        desk,
        item,
        "reminded",
        {"unit": row.handler, "due": due.isoformat(), "overdue": row.reminded == OVERDUE},
        state=State(item.state),
        now=now,
        actor=ACTOR,
    )
    for person in await _people(session, row, day_of(now)):
        session.add(
            Notice(
                id=desk.new_id(),
                person_id=person,
                item_id=item.id,
                event_id=event_id,
                created_at=now,
            )
        )


async def _people(session: Session, row: Assignment, today: date) -> Sequence[UUID]:
    """Who answers for the assignment: the unit's handlers, or the editors."""
    query = select(Person).where(Person.disabled_at.is_(None), Person.left_on.is_(None))
    if row.unit_id is not None:
        query = query.join(Membership, Membership.person_id == Person.id).where(
            Membership.unit_id == row.unit_id,
            Membership.since <= today,
            or_(Membership.until.is_(None), Membership.until >= today),
        )
    role = "editor" if row.unit_id is None else "handler"
    return [person.id for person in await session.scalars(query) if role in person.roles]
