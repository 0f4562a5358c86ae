"""People of this office: adding them, changing what is known of them, and their accounts.

Each deed of an administrator is one transaction:

 1. The actor's role may do this.
 2. The person is found and locked, is not the actor himself, and was not changed meanwhile: the
    actor names the version that he looked at.
 3. The row is changed. Whoever may less than before, or is gone, has no session left.
 4. The deed is noted in the audit log: which fields, and never what stands in them but for roles.

Nobody is ever removed: items name their authors.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints, ValidationError
from sqlalchemy import delete, or_, select
from sqlalchemy.exc import IntegrityError

from node.errors import InputError
from node.people_errors import (
    NameTakenError,
    OneselfError,
    PersonChangedError,
    PersonStateError,
    UnknownPersonError,
)
from node.storage.database import Session
from node.storage.people import LoginSession, Person
from node.workflow import access, audit, passwords
from node.workflow.desk import Actor, Desk
from protocol.messages.event import brief
from protocol.messages.items import AuthorKind
from protocol.offices import Line, Record

Username = Annotated[Line, Field(max_length=60)]
EmployeeNumber = Annotated[Line, Field(max_length=40)]
Phone = Annotated[
    str, StringConstraints(strip_whitespace=True, pattern=r"^\+?[0-9][0-9 -]{4,28}[0-9]$")
]
Email = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        max_length=200,
        pattern=r"^[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+\.[a-zA-Z]+$",
    ),
]


class Particulars(Record):
    """What is known of a person and can change. `unit` stands under what he writes."""

    model_config = ConfigDict(extra="forbid", defer_build=False)

    name: Line
    roles: tuple[str, ...]
    kind: AuthorKind | None = None
    unit: Line | None = None
    employee_number: EmployeeNumber | None = None
    phone: Phone | None = None
    email: Email | None = None


class Newcomer(Particulars):
    """A person to be added."""

    username: Username


def newcomer(content: Mapping[str, Any]) -> Newcomer:
    """A person from what was entered. Raises `InputError`."""
    try:
        return Newcomer.model_validate(content)
    except ValidationError as error:
        raise InputError(brief(error)) from error


def demand_whole(given: Particulars) -> None:
    """Raises `InputError` unless the roles go together, and an author has a kind and a unit."""
    access.demand_compatible(given.roles)
    if access.AUTHOR in given.roles and not (given.kind and given.unit):
        raise InputError("撰稿人须填写身份和单位")


async def add(
    desk: Desk, actor: Actor, given: Newcomer, password: str | None, *, one_time: bool = True
) -> UUID:
    """Make an account. Without a password nobody logs in until an administrator sets one.

    Raises `InputError`, `WeakPasswordError` or `NameTakenError`.
    """
    # 1.
    access.demand(actor, "manage_people")
    demand_whole(given)
    hashed = await _hashed(password, given.username)
    now = desk.clock()
    person = Person(
        id=desk.new_id(),
        **given.model_dump(exclude={"roles"}),
        roles=sorted(set(given.roles)),
        password_hash=hashed,
        must_change=one_time and password is not None,
        version=1,
        created_at=now,
    )
    try:
        async with desk.database.writing.begin() as session:
            # 2.
            await _demand_free(session, given.username, given.employee_number)
            # 3.
            session.add(person)
            # 4.
            audit.note(
                session,
                now,
                actor=actor,
                action="person_added",
                subject=given.username,
                roles=person.roles,
            )
    except IntegrityError as error:
        raise NameTakenError from error
    return person.id


async def change(
    desk: Desk, actor: Actor, person_id: UUID, version: int, given: Particulars
) -> None:
    """Put these particulars in the place of those that were there."""
    # 1.
    access.demand(actor, "manage_people")
    demand_whole(given)
    now = desk.clock()
    try:
        async with desk.database.writing.begin() as session:
            # 2.
            person = await locked(session, actor, person_id, version)
            if person.employee_number != given.employee_number:
                await _demand_free(session, None, given.employee_number)
            # 3.
            new = given.model_dump() | {"roles": sorted(set(given.roles))}
            changed = sorted(name for name in new if getattr(person, name) != new[name])
            before = person.roles
            for name in changed:
                setattr(person, name, new[name])
            if person.roles != before:
                await end_sessions(session, person)
            # 4.
            note(
                session,
                now,
                actor,
                person,
                "person_changed",
                fields=changed,
                roles=person.roles,
            )
    except IntegrityError as error:
        raise NameTakenError from error


async def disable(desk: Desk, actor: Actor, person_id: UUID, version: int, reason: str) -> None:
    """Nobody logs in with this account until it is enabled."""
    # 1.
    access.demand(actor, "manage_people")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        # 2.
        person = await locked(session, actor, person_id, version)
        if person.disabled_at is not None:
            raise PersonStateError("the account is disabled already")
        # 3.
        person.disabled_at = now
        await end_sessions(session, person)
        # 4.
        note(session, now, actor, person, "person_disabled", reason=reason)


async def enable(desk: Desk, actor: Actor, person_id: UUID, version: int) -> None:
    """The account can be used again."""
    # 1.
    access.demand(actor, "manage_people")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        # 2.
        person = await locked(session, actor, person_id, version)
        if person.disabled_at is None:
            raise PersonStateError("the account is not disabled")
        # 3.
        person.disabled_at = None
        # 4.
        note(session, now, actor, person, "person_enabled")


async def set_password(
    desk: Desk, actor: Actor, person_id: UUID, version: int, password: str
) -> None:
    """Set a one-time password, to be changed at the first login. Raises `WeakPasswordError`."""
    # 1.
    access.demand(actor, "manage_people")
    async with desk.database.reading() as session:
        found = await session.get(Person, person_id)
    if found is None:
        raise UnknownPersonError
    hashed = await _hashed(password, found.username)
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        # 2.
        person = await locked(session, actor, person_id, version)
        # 3.
        person.password_hash, person.must_change = hashed, True
        await end_sessions(session, person)
        # 4.
        note(session, now, actor, person, "password_set")


async def by_username(session: Session, username: str) -> Person:
    """The person with this user name. Raises `UnknownPersonError`."""
    person = await session.scalar(select(Person).where(Person.username == username))
    if person is None:
        raise UnknownPersonError(f"there is no account {username}")
    return person


async def locked(session: Session, actor: Actor, person_id: UUID, version: int) -> Person:
    """The person as the actor saw him, locked until the transaction ends; with the next version.

    Raises `UnknownPersonError`, `OneselfError` and `PersonChangedError`.
    """
    person = await session.get(Person, person_id, with_for_update=True)
    if person is None:
        raise UnknownPersonError
    if person.id == actor.id:
        raise OneselfError
    if person.version != version:
        raise PersonChangedError(
            f"you saw version {version}, the record is at version {person.version}"
        )
    person.version += 1
    return person


async def end_sessions(session: Session, person: Person) -> None:
    """End every login of the person."""
    await session.execute(delete(LoginSession).where(LoginSession.person_id == person.id))


def actor_of(person: Person) -> Actor:
    """The person as use-cases know them."""
    return Actor(
        id=person.id,
        username=person.username,
        name=person.name,
        roles=frozenset(person.roles),
        kind=person.kind,
        unit=person.unit,
        must_change=person.must_change,
    )


def note(
    session: Session, now: datetime, actor: Actor, person: Person, action: str, **detail: Any
) -> None:
    """Note what was done with the person."""
    audit.note(session, now, actor=actor, action=action, subject=person.username, **detail)


async def _demand_free(session: Session, username: str | None, employee_number: str | None) -> None:
    query = select(Person).where(
        or_(
            Person.username == username if username else Person.id.is_(None),
            Person.employee_number == employee_number if employee_number else Person.id.is_(None),
        )
    )
    taken = (await session.scalars(query)).first()
    if taken is None:
        return
    if taken.username == username:
        raise NameTakenError(f"the user name {username} is taken")
    raise NameTakenError(f"the employee number {employee_number} is taken")


async def _hashed(password: str | None, username: str) -> str | None:
    if password is None:
        return None
    passwords.demand_good(password, username)
    return await asyncio.to_thread(passwords.hash_password, password)
