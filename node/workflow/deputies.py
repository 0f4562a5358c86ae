"""Deputies (代办): who acts in somebody's place, in one role and for some days.

Whoever goes away names one; so may whoever manages people. A deputy's own deputies do not act for
those whom he stands for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from pydantic import ConfigDict
from sqlalchemy import select
from sqlalchemy.orm import aliased

from node.desk_errors import UnknownDeputyError
from node.errors import ForbiddenError, InputError
from node.storage.database import Session
from node.storage.desk import Deputy
from node.storage.people import Person
from node.workflow import access, audit, people
from node.workflow.calendar import day_of
from node.workflow.chains import ReviewRole
from node.workflow.desk import Actor, Desk
from protocol.offices import Day, Line, Record


class Absence(Record):
    """Who acts in whose place; without `username` it is whoever says so. Both days belong to it."""

    model_config = ConfigDict(extra="forbid", defer_build=False)

    username: Line | None = None
    deputy: Line
    role: ReviewRole
    since: Day
    until: Day


@dataclass(frozen=True)
class DeputyView:
    """Who acts in whose place."""

    id: UUID
    person: str
    deputy: str
    role: str
    since: date
    until: date
    set_by: str


async def add(desk: Desk, actor: Actor, absence: Absence) -> UUID:
    """Name a deputy. Raises `InputError` where one of the two cannot be it."""
    access.demand(actor, "name_deputy")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        person = await people.by_username(session, absence.username or actor.username)
        _demand_ones_own(actor, person.id)
        deputy = await people.by_username(session, absence.deputy)
        _demand_sound(absence, person, deputy, day_of(now))
        row = Deputy(
            id=desk.new_id(),
            person_id=person.id,
            deputy_id=deputy.id,
            role=absence.role,
            since=absence.since,
            until=absence.until,
            set_by=actor.name,
        )
        session.add(row)
        _note(session, now, actor, "deputy_named", person, deputy, row)
    return row.id


async def end(desk: Desk, actor: Actor, deputy_id: UUID) -> None:
    """The deputy acts no longer, from now on."""
    access.demand(actor, "name_deputy")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        row = await session.get(Deputy, deputy_id, with_for_update=True)
        if row is None:
            raise UnknownDeputyError
        _demand_ones_own(actor, row.person_id)
        person = await session.get_one(Person, row.person_id)
        deputy = await session.get_one(Person, row.deputy_id)
        await session.delete(row)
        _note(session, now, actor, "deputy_ended", person, deputy, row)


async def view(desk: Desk, actor: Actor) -> Sequence[DeputyView]:
    """Who acts in whose place now and later."""
    access.demand(actor, "name_deputy")
    absent, deputy = aliased(Person), aliased(Person)
    query = (
        select(Deputy, absent.name, deputy.name)
        .join(absent, absent.id == Deputy.person_id)
        .join(deputy, deputy.id == Deputy.deputy_id)
        .where(Deputy.until >= day_of(desk.clock()))
        .order_by(Deputy.since, Deputy.id)
    )
    async with desk.database.reading() as session:
        return [
            DeputyView(row.id, one, other, row.role, row.since, row.until, row.set_by)
            for row, one, other in await session.execute(query)
        ]


async def roles_of(
    session: Session, actor: Actor, now: datetime
) -> Mapping[str, Sequence[UUID | None]]:
    """The roles in which the actor reviews, each with those for whom: None is himself."""
    found: dict[str, list[UUID | None]] = {role: [None] for role in actor.roles}
    today = day_of(now)
    rows = await session.execute(
        select(Deputy, Person)
        .join(Person, Person.id == Deputy.person_id)
        .where(Deputy.deputy_id == actor.id, Deputy.since <= today, Deputy.until >= today)
        .order_by(Deputy.since, Deputy.id)
    )
    for row, person in rows:
        # Whoever lost the role since has nothing to hand on.
        if row.role in person.roles and person.disabled_at is None:
            found.setdefault(row.role, []).append(person.id)
    return found


def _demand_ones_own(actor: Actor, person_id: UUID) -> None:
    if person_id != actor.id and not access.allows(actor, "manage_people"):
        raise ForbiddenError(
            "only oneself, or whoever manages people, names a deputy",
            refused=access.refused(actor, "name_deputy"),
        )


def _demand_sound(absence: Absence, person: Person, deputy: Person, today: date) -> None:
    if absence.until < absence.since:
        raise InputError("结束日期不能早于开始日期")
    if absence.until < today:
        raise InputError("结束日期已经过去")
    if deputy.id == person.id:
        raise InputError("不能由本人代办")
    if absence.role not in person.roles:
        raise InputError(f"{person.name}没有这个角色，无须代办")
    if not access.allows(people.actor_of(deputy), "review"):
        raise InputError(f"{deputy.name}不参与审签，不能代办")
    if deputy.disabled_at is not None or deputy.left_on is not None:
        raise InputError(f"{deputy.name}的账号已停用")


def _note(
    session: Session,
    now: datetime,
    actor: Actor,
    action: str,
    person: Person,
    deputy: Person,
    row: Deputy,
) -> None:
    audit.note(
        session,
        now,
        actor=actor,
        action=action,
        subject=person.username,
        deputy=deputy.username,
        role=row.role,
        since=row.since.isoformat(),
        until=row.until.isoformat(),
    )
