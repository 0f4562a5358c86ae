"""People who leave: where they went, that they come back, and when their contact data are erased.

Whoever left stays the author of what he wrote: items, editions and signed messages are not touched,
nor is his name. Contact data are kept for as long as the office is likely to need them, and then
erased, with the drafts that were never handed in (`erase_due`).
"""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import select

from node.people_errors import PersonStateError
from node.storage.people import Person
from node.workflow import access, audit, drafts, memberships, people
from node.workflow.calendar import day_of
from node.workflow.desk import Actor, Desk

AT_ONCE = 200
SYSTEM = "system"


async def leave(
    desk: Desk, actor: Actor, person_id: UUID, version: int, *, on: date, left_for: str
) -> None:
    """From this day on the person is gone; `left_for` says where, or why.

    He stays the author of what he wrote, and his memberships end on the day before.
    """
    # 1.
    access.demand(actor, "manage_people")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        # 2.
        person = await people.locked(session, actor, person_id, version)
        if person.left_on is not None:
            raise PersonStateError("the person has left already")
        # 3.
        person.left_on, person.left_for = on, left_for
        await memberships.end_all(session, person, on)
        if on <= day_of(now):
            await people.end_sessions(session, person)
        # 4.
        people.note(session, now, actor, person, "person_left", on=on.isoformat())


async def come_back(desk: Desk, actor: Actor, person_id: UUID, version: int) -> None:
    """The person is here again, or never left. Memberships are entered anew."""
    # 1.
    access.demand(actor, "manage_people")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        # 2.
        person = await people.locked(session, actor, person_id, version)
        if person.left_on is None:
            raise PersonStateError("the person has not left")
        # 3.
        person.left_on = person.left_for = person.erased_at = None
        # 4.
        people.note(session, now, actor, person, "person_back")


async def erase_due(desk: Desk, years: int) -> bool:
    """Erase contact data and drafts of people who left so many years ago; may there be more?"""
    now = desk.clock()
    today = day_of(now)
    before = date(today.year - years, today.month, min(today.day, 28))
    async with desk.database.writing.begin() as session:
        due = await session.scalars(
            select(Person)
            .where(Person.left_on <= before, Person.erased_at.is_(None))
            .order_by(Person.left_on, Person.id)
            .limit(AT_ONCE)
            .with_for_update()
        )
        erased = due.all()
        for person in erased:
            person.phone = person.email = person.employee_number = None
            person.password_hash = person.left_for = None
            await drafts.forget(session, person.id)
            person.erased_at, person.version = now, person.version + 1
            audit.note(
                session,
                now,
                actor=SYSTEM,
                action="contact_erased",
                subject=person.username,
            )
    return len(erased) == AT_ONCE
