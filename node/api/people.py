"""People: who is here, and what administrators decide about them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from node.api.people_shapes import (
    Addition,
    Appointing,
    Change,
    Departure,
    Ending,
    ExpiringList,
    ExpiringShape,
    Joining,
    Made,
    OneTime,
    PeopleList,
    PersonCopy,
    Seen,
    SeenPerson,
    SeenWhole,
    Stop,
)
from node.api.permission import needs
from node.http.session import OneDesk, Person
from node.workflow import appointments, departures, memberships, people, personal
from node.workflow.personal import Wanted
from protocol.offices import BIGGEST

router = APIRouter(prefix="/people", tags=["people"])

Word = Annotated[str, Query(min_length=1, max_length=60)]


@router.get("", openapi_extra=needs("read_people"))
async def list_people(
    desk: OneDesk,
    person: Person,
    text: Word | None = None,
    role: Word | None = None,
    unit: Word | None = None,
    gone: bool = False,
    offset: Annotated[int, Query(ge=0, le=BIGGEST)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = personal.PAGE,
) -> PeopleList:
    """The people that you may see, by user name; `gone` lists those who left as well."""
    wanted = Wanted(text=text, role=role, unit=unit, gone=gone)
    page = await personal.list_people(desk, person, wanted, offset=offset, limit=limit)
    return PeopleList(
        people=[SeenPerson.model_validate(one) for one in page.rows], total=page.total
    )


@router.post("", status_code=201, openapi_extra=needs("manage_people"))
async def add(given: Addition, desk: OneDesk, person: Person) -> Made:
    """Add a person; the password is a one-time one."""
    return Made(id=await people.add(desk, person, given.newcomer(), given.password))


@router.get("/expiring", openapi_extra=needs("read_units"))
async def list_expiring(
    desk: OneDesk, person: Person, days: Annotated[int, Query(ge=0, le=730)] = 60
) -> ExpiringList:
    """Appointments that end within so many days, or did as many days ago, and were not renewed."""
    found = await appointments.expiring(desk, person, days=days)
    return ExpiringList(appointments=[ExpiringShape.model_validate(one) for one in found])


@router.get("/{person_id}", openapi_extra=needs("read_people"))
async def view(person_id: UUID, desk: OneDesk, person: Person) -> SeenWhole:
    """One person, with units and appointments, as far as you may see them."""
    return SeenWhole.model_validate(await personal.show(desk, person, person_id))


@router.get("/{person_id}/copy", openapi_extra=needs("copy_person"))
async def copy(person_id: UUID, desk: OneDesk, person: Person) -> PersonCopy:
    """Everything that is kept of the person, with the items; for the person, and administrators."""
    return PersonCopy.model_validate(await personal.copy_of(desk, person, person_id))


@router.put("/{person_id}", status_code=204, openapi_extra=needs("manage_people"))
async def change(person_id: UUID, given: Change, desk: OneDesk, person: Person) -> None:
    """Change what is known of the person."""
    await people.change(desk, person, person_id, given.version, given.particulars())


@router.post("/{person_id}/disable", status_code=204, openapi_extra=needs("manage_people"))
async def disable(person_id: UUID, given: Stop, desk: OneDesk, person: Person) -> None:
    """Disable the account, for a reason; its sessions end."""
    await people.disable(desk, person, person_id, given.version, given.reason)


@router.post("/{person_id}/enable", status_code=204, openapi_extra=needs("manage_people"))
async def enable(person_id: UUID, given: Seen, desk: OneDesk, person: Person) -> None:
    """Enable the account again."""
    await people.enable(desk, person, person_id, given.version)


@router.post("/{person_id}/password", status_code=204, openapi_extra=needs("manage_people"))
async def set_password(person_id: UUID, given: OneTime, desk: OneDesk, person: Person) -> None:
    """Set a one-time password, which must be changed at the next login."""
    await people.set_password(desk, person, person_id, given.version, given.password)


@router.post("/{person_id}/leave", status_code=204, openapi_extra=needs("manage_people"))
async def leave(person_id: UUID, given: Departure, desk: OneDesk, person: Person) -> None:
    """The person leaves, or moves to another office: no login any more, and still an author."""
    await departures.leave(
        desk, person, person_id, given.version, on=given.on, left_for=given.left_for
    )


@router.post("/{person_id}/return", status_code=204, openapi_extra=needs("manage_people"))
async def come_back(person_id: UUID, given: Seen, desk: OneDesk, person: Person) -> None:
    """The person is here again, or did not leave."""
    await departures.come_back(desk, person, person_id, given.version)


@router.post("/{person_id}/memberships", status_code=201, openapi_extra=needs("manage_people"))
async def join(person_id: UUID, given: Joining, desk: OneDesk, person: Person) -> Made:
    """The person belongs to a unit, named by code or name; a main one replaces the one before."""
    id = await memberships.join(
        desk,
        person,
        person_id,
        given.version,
        unit=given.unit,
        since=given.since,
        main=given.main,
    )
    return Made(id=id)


@router.post(
    "/{person_id}/memberships/{id}/end", status_code=204, openapi_extra=needs("manage_people")
)
async def end_membership(
    person_id: UUID, id: UUID, given: Ending, desk: OneDesk, person: Person
) -> None:
    """The person belongs to the unit until this day."""
    await memberships.end(desk, person, person_id, given.version, id, given.until)


@router.post("/{person_id}/appointments", status_code=201, openapi_extra=needs("manage_people"))
async def appoint(person_id: UUID, given: Appointing, desk: OneDesk, person: Person) -> Made:
    """Appoint the person as an informant or writer, for a term, with a certificate."""
    return Made(id=await appointments.appoint(desk, person, person_id, given.version, given.term()))


@router.post(
    "/{person_id}/appointments/{id}/end", status_code=204, openapi_extra=needs("manage_people")
)
async def end_appointment(
    person_id: UUID, id: UUID, given: Ending, desk: OneDesk, person: Person
) -> None:
    """The appointment ends earlier than it says."""
    await appointments.shorten(desk, person, person_id, given.version, id, given.until)
