"""To which units a person belongs, from when to when. What is over stays as it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import Select, or_, select

from node.errors import InputError
from node.people_errors import PersonStateError, UnitStateError, UnknownUnitError
from node.storage.database import Session
from node.storage.people import Membership, Person, Unit
from node.workflow import access, audit, people, units
from node.workflow.calendar import day_of
from node.workflow.desk import Actor, Desk

DAY = timedelta(days=1)


@dataclass(frozen=True)
class MembershipView:
    """A membership with its unit's name of today."""

    id: UUID
    unit: str
    name: str
    kind: str
    main: bool
    since: date
    until: date | None


async def join(
    desk: Desk,
    actor: Actor,
    person_id: UUID,
    version: int,
    *,
    unit: str,
    since: date,
    main: bool,
) -> UUID:
    """The person belongs to a unit from this day on.

    A main membership takes the place of the one before, which ends the day before; what the person
    writes from now on names the new unit.
    """
    access.demand(actor, "manage_people")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        person = await people.locked(session, actor, person_id, version)
        if person.left_on is not None and person.left_on <= since:
            raise PersonStateError("the person has left")
        found = await units.find(session, unit)
        if found.closed_on is not None:
            raise UnitStateError("the unit is closed")
        if main and since > day_of(now):
            raise InputError("the main unit changes today or earlier, not in future")
        for other in await _open(session, person.id, since):
            if other.unit_id == found.id and other.main == main:
                raise PersonStateError("the person belongs to this unit already")
            if main and other.main:
                if other.since >= since:
                    raise InputError(f"the main unit changed on {other.since}, not before it")
                other.until = since - DAY
        membership = Membership(
            id=desk.new_id(), person_id=person.id, unit_id=found.id, main=main, since=since
        )
        session.add(membership)
        if main:
            person.unit = found.name
        audit.note(
            session,
            now,
            actor=actor,
            action="unit_joined",
            subject=person.username,
            unit=found.code,
            main=main,
            since=since.isoformat(),
        )
    return membership.id


async def end(
    desk: Desk, actor: Actor, person_id: UUID, version: int, membership_id: UUID, until: date
) -> None:
    """The membership ends with this day. Raises `UnknownUnitError` where there is none."""
    access.demand(actor, "manage_people")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        person = await people.locked(session, actor, person_id, version)
        membership = await session.get(Membership, membership_id, with_for_update=True)
        if membership is None or membership.person_id != person.id:
            raise UnknownUnitError("the person has no such membership")
        if membership.until is not None:
            raise PersonStateError("the membership is over already")
        if until < membership.since:
            raise InputError("it cannot end before it began")
        membership.until = until
        unit = await session.get_one(Unit, membership.unit_id)
        audit.note(
            session,
            now,
            actor=actor,
            action="unit_left",
            subject=person.username,
            unit=unit.code,
            until=until.isoformat(),
        )


async def end_all(session: Session, person: Person, on: date) -> None:
    """What is open ends the day before the person is gone."""
    for membership in await _open(session, person.id, on):
        membership.until = max(membership.since, on - DAY)


async def of(session: Session, person_id: UUID) -> Sequence[MembershipView]:
    """The person's memberships, the newest first."""
    rows = await session.execute(
        select(Membership, Unit)
        .join(Unit, Unit.id == Membership.unit_id)
        .where(Membership.person_id == person_id)
        .order_by(Membership.since.desc(), Membership.id.desc())
    )
    return [MembershipView(m.id, u.code, u.name, u.kind, m.main, m.since, m.until) for m, u in rows]


def members(unit: str, day: date) -> Select[UUID]:
    """Who belongs on this day to the unit with this code."""
    return (
        select(Membership.person_id)
        .join(Unit, Unit.id == Membership.unit_id)
        .where(
            Unit.code == unit,
            Membership.since <= day,
            or_(Membership.until.is_(None), Membership.until >= day),
        )
    )


async def _open(session: Session, person_id: UUID, day: date) -> Sequence[Membership]:
    found = await session.scalars(
        select(Membership)
        .where(
            Membership.person_id == person_id,
            or_(Membership.until.is_(None), Membership.until >= day),
        )
        .order_by(Membership.id)
    )
    return found.all()
