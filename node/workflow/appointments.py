"""Appointments of informants (聘任): a kind, a term, and the number of the certificate (聘书)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field
from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from node.errors import InputError
from node.people_errors import NameTakenError, PersonStateError
from node.storage.database import Session
from node.storage.people import Appointment, Person
from node.workflow import access, audit, people
from node.workflow.calendar import day_of
from node.workflow.desk import Actor, Desk
from protocol.offices import Day, Line, Record

AppointmentKind = Literal["informant", "invited_informant", "invited_writer"]
Certificate = Annotated[Line, Field(max_length=60)]


class Term(Record):
    """What an appointment says. Both days belong to the term."""

    model_config = ConfigDict(extra="forbid")

    kind: AppointmentKind
    certificate: Certificate
    since: Day
    until: Day


@dataclass(frozen=True)
class Expiring:
    """An appointment that ends soon, with nothing after it."""

    id: UUID
    person_id: UUID
    name: str
    unit: str | None
    kind: str
    certificate: str
    until: date


async def appoint(desk: Desk, actor: Actor, person_id: UUID, version: int, term: Term) -> UUID:
    """Enter an appointment. Raises `NameTakenError` for a certificate that was given out before."""
    access.demand(actor, "manage_people")
    if term.until < term.since:
        raise InputError("the term cannot end before it begins")
    now = desk.clock()
    try:
        async with desk.database.writing.begin() as session:
            person = await people.locked(session, actor, person_id, version)
            if person.left_on is not None:
                raise PersonStateError("the person has left")
            for other in await of(session, person.id):
                if other.since <= term.until and term.since <= other.until:
                    raise PersonStateError(
                        f"the appointment {other.certificate} covers part of this term"
                    )
            appointment = Appointment(id=desk.new_id(), person_id=person.id, **term.model_dump())
            session.add(appointment)
            audit.note(
                session,
                now,
                actor=actor,
                action="appointed",
                subject=person.username,
                kind=term.kind,
                certificate=term.certificate,
                until=term.until.isoformat(),
            )
    except IntegrityError as error:
        raise NameTakenError(f"the certificate {term.certificate} was given out before") from error
    return appointment.id


async def shorten(
    desk: Desk, actor: Actor, person_id: UUID, version: int, appointment_id: UUID, until: date
) -> None:
    """The appointment ends earlier than it says (解聘)."""
    access.demand(actor, "manage_people")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        person = await people.locked(session, actor, person_id, version)
        appointment = await session.get(Appointment, appointment_id, with_for_update=True)
        if appointment is None or appointment.person_id != person.id:
            raise PersonStateError("the person has no such appointment")
        if not appointment.since <= until < appointment.until:
            raise InputError(f"the new end lies within the term, before {appointment.until}")
        appointment.until = until
        audit.note(
            session,
            now,
            actor=actor,
            action="appointment_shortened",
            subject=person.username,
            certificate=appointment.certificate,
            until=until.isoformat(),
        )


async def of(session: Session, person_id: UUID) -> Sequence[Appointment]:
    """The person's appointments, the newest first."""
    rows = await session.scalars(
        select(Appointment)
        .where(Appointment.person_id == person_id)
        .order_by(Appointment.since.desc(), Appointment.id)
    )
    return rows.all()


async def expiring(desk: Desk, actor: Actor, *, days: int) -> Sequence[Expiring]:
    """What ends within so many days, or ended as many days ago at most, and was not renewed."""
    access.demand(actor, "read_units")
    today = day_of(desk.clock())
    later = aliased(Appointment)
    renewed = select(later.id).where(
        later.person_id == Appointment.person_id, later.until > Appointment.until
    )
    query = (
        select(Appointment, Person)
        .join(Person, Person.id == Appointment.person_id)
        .where(
            Appointment.until <= today + timedelta(days=days),
            Appointment.until >= today - timedelta(days=days),
            or_(Person.left_on.is_(None), Person.left_on > today),
            ~renewed.exists(),
        )
        .order_by(Appointment.until, Appointment.id)
    )
    async with desk.database.reading() as session:
        return [
            Expiring(a.id, p.id, p.name, p.unit, a.kind, a.certificate, a.until)
            for a, p in await session.execute(query)
        ]
