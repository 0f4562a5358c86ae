"""What others may see of a person: one table of fields and roles; and a copy of it all.

A person sees everything about himself. Fields that a viewer may not see are left out, as if they
were empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, String, cast, func, or_, select

from node.people_errors import UnknownPersonError
from node.storage.database import Session
from node.storage.events import Event
from node.storage.items import Edition, Item, ItemAuthor
from node.storage.people import Person
from node.workflow import access, appointments, audit, drafts, memberships
from node.workflow.access import EDITOR, REVIEWER, SECURITY_ADMINISTRATOR, SIGNER, Scope
from node.workflow.calendar import day_of
from node.workflow.desk import Actor, Desk
from node.workflow.reading import Page

PAGE = 50

_DESK = frozenset({EDITOR, REVIEWER, SIGNER, SECURITY_ADMINISTRATOR})
_RIGHTS = frozenset({SECURITY_ADMINISTRATOR})

SEES: dict[str, frozenset[str]] = {
    "id": _DESK,
    "username": _DESK,
    "name": _DESK,
    "roles": _DESK,
    "kind": _DESK,
    "unit": _DESK,
    "left_on": _DESK,
    "left_for": _DESK,
    "memberships": _DESK,
    "appointments": _DESK,
    "version": _RIGHTS,
    "employee_number": _RIGHTS,
    "phone": _RIGHTS,
    "email": _RIGHTS,
    "disabled_at": _RIGHTS,
    "must_change": _RIGHTS,
    "erased_at": _RIGHTS,
    "created_at": _RIGHTS,
}
"""Which roles see which field of other people."""


@dataclass(frozen=True)
class Wanted:
    """Which people a list is to hold."""

    text: str | None = None
    role: str | None = None
    unit: str | None = None
    gone: bool = False


def visible(viewer: Actor, person: Person, field: str) -> bool:
    """Whether the viewer sees this field of the person."""
    return viewer.id == person.id or not viewer.roles.isdisjoint(SEES[field])


async def list_people(
    desk: Desk, actor: Actor, wanted: Wanted, *, offset: int = 0, limit: int = PAGE
) -> Page[Mapping[str, Any]]:
    """People by their user names, with what the actor may see of them."""
    access.demand(actor, "read_people")
    today = day_of(desk.clock())
    query = select(Person)
    if access.scope(actor, "read_people") is Scope.OWN:
        query = query.where(Person.id == actor.id)
    if not wanted.gone:
        query = query.where(_here(today))
    if wanted.text is not None:
        texts = (Person.username, Person.name, Person.unit)
        query = query.where(or_(*(t.contains(wanted.text, autoescape=True) for t in texts)))
    if wanted.role is not None:
        query = query.where(_has(wanted.role))
    if wanted.unit is not None:
        query = query.where(Person.id.in_(memberships.members(wanted.unit, today)))
    async with desk.database.reading() as session:
        total = await session.scalar(select(func.count()).select_from(query.subquery()))
        rows = await session.scalars(query.order_by(Person.username).offset(offset).limit(limit))
        return Page([_seen(actor, person) for person in rows], total or 0)


async def holders(desk: Desk, actor: Actor, *roles: str) -> Mapping[str, str]:
    """Who is here and has one of the roles: names by user name, in their order."""
    access.demand(actor, "read_people")
    query = select(Person.username, Person.name).where(
        _here(day_of(desk.clock())), or_(*(_has(role) for role in roles))
    )
    if access.scope(actor, "read_people") is Scope.OWN:
        query = query.where(Person.id == actor.id)
    async with desk.database.reading() as session:
        rows = await session.execute(query.order_by(Person.username))
        return dict(rows.all())


def _here(today: date) -> ColumnElement[bool]:
    return or_(Person.left_on.is_(None), Person.left_on > today)


def _has(role: str) -> ColumnElement[bool]:
    return cast(Person.roles, String).contains(f'"{role}"', autoescape=True)


async def show(desk: Desk, actor: Actor, person_id: UUID) -> Mapping[str, Any]:
    """One person, with what the actor may see. Raises `UnknownPersonError`."""
    access.demand(actor, "read_people")
    async with desk.database.reading() as session:
        person = await _found(session, actor, person_id, "read_people")
        return await _whole(session, actor, person)


async def copy_of(desk: Desk, actor: Actor, person_id: UUID) -> Mapping[str, Any]:
    """Everything that is kept of the person, with the items he wrote; noted in the audit log."""
    access.demand(actor, "copy_person")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        person = await _found(session, actor, person_id, "copy_person")
        found: dict[str, Any] = {
            "office": desk.office.model_dump(),
            "at": now,
            "person": await _whole(session, actor, person),
            "items": [
                await _written(session, item)
                for item in await session.scalars(
                    select(Item)
                    .join(ItemAuthor, ItemAuthor.item_id == Item.id)
                    .where(ItemAuthor.person_id == person.id)
                    .order_by(Item.created_at, Item.id)
                )
            ],
        }
        if person.id == actor.id:
            # Nobody else reads what was not handed in.
            found["drafts"] = await drafts.copy_of(session, person.id)
        audit.note(session, now, actor=actor, action="person_copied", subject=person.username)
    return found


async def _found(session: Session, actor: Actor, person_id: UUID, action: str) -> Person:
    person = await session.get(Person, person_id)
    if person is None:
        raise UnknownPersonError
    if person.id != actor.id and access.scope(actor, action) is Scope.OWN:
        raise UnknownPersonError(refused=access.refused(actor, action))
    return person


def _seen(actor: Actor, person: Person) -> dict[str, Any]:
    return {
        field: getattr(person, field)
        for field in SEES
        if hasattr(Person, field) and visible(actor, person, field)
    }


async def _whole(session: Session, actor: Actor, person: Person) -> dict[str, Any]:
    seen = _seen(actor, person)
    if visible(actor, person, "memberships"):
        seen["memberships"] = await memberships.of(session, person.id)
    if visible(actor, person, "appointments"):
        seen["appointments"] = await appointments.of(session, person.id)
    return seen


async def _written(session: Session, item: Item) -> dict[str, Any]:
    editions: Sequence[Edition] = (
        await session.scalars(
            select(Edition).where(Edition.item_id == item.id).order_by(Edition.number)
        )
    ).all()
    events = await session.scalars(
        select(Event)
        .where(Event.item_id == item.id)
        .order_by(Event.at, Event.office, Event.sequence, Event.step)
    )
    return {
        "id": item.id,
        "state": item.state,
        "number": item.number,
        "editions": [
            {
                "number": edition.number,
                "title": edition.title,
                "body": edition.body,
                "authors": edition.authors,
                "submitted_at": edition.submitted_at,
            }
            for edition in editions
        ],
        "timeline": [
            {"at": told.at, "office": told.office, "kind": told.kind, "data": told.data}
            for told in events
        ],
    }
