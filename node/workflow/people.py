"""Accounts: making them, and logging in.

Passwords are kept as argon2id. Five wrong ones in a row lock the account for a quarter of an hour.
A session is a random token; the database holds only its digest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from pydantic import Field, ValidationError
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from node.errors import (
    InputError,
    LockedOutError,
    NameTakenError,
    NotLoggedInError,
    UnknownPersonError,
    WrongPasswordError,
)
from node.storage.database import Session
from node.storage.people import LoginSession, Person
from node.workflow import access, audit
from node.workflow.desk import CLI, Actor, Desk
from protocol.identifiers import digest
from protocol.messages.event import brief
from protocol.messages.items import AuthorKind
from protocol.offices import CONTROL, Line, Record

LONGEST_RUN = 5
LOCKED_FOR = timedelta(minutes=15)
SHORTEST_PASSWORD = 10

_hasher = PasswordHasher()
_NOBODY = (
    "$argon2id$v=19$m=65536,t=3,p=4$PVvWqZUjJBXaLeFY7LQrEQ"
    "$Z5CgKjB2I3IrwrSOGQUkocbs2mQuWeWlGxHNnPHLiGQ"
)
"""The hash of nobody's password, to compare with where the name is unknown."""


class Account(Record):
    """Who has an account, as messages may name an author."""

    username: Annotated[Line, Field(max_length=60)]
    name: Line
    kind: AuthorKind | None
    unit: Line | None


async def add(
    desk: Desk,
    *,
    username: str,
    name: str,
    roles: Sequence[str],
    password: str,
    kind: str | None = None,
    unit: str | None = None,
    by: str = "system",
) -> UUID:
    """Make an account. Raises `InputError` or `NameTakenError`."""
    access.demand_compatible(roles)
    if len(password) < SHORTEST_PASSWORD:
        raise InputError(f"a password needs at least {SHORTEST_PASSWORD} characters")
    if access.AUTHOR in roles and not (kind and unit):
        raise InputError("an author needs a kind and a unit")
    try:
        account = Account.model_validate(
            {"username": username, "name": name, "kind": kind, "unit": unit}
        )
    except ValidationError as error:
        raise InputError(brief(error)) from error
    hashed = await asyncio.to_thread(hash_password, password)
    now = desk.clock()
    person = Person(
        id=desk.new_id(),
        **account.model_dump(),
        roles=sorted(set(roles)),
        password_hash=hashed,
        created_at=now,
    )
    try:
        async with desk.database.writing.begin() as session:
            session.add(person)
            audit.note(
                session,
                now,
                actor=by,
                action="person_added",
                subject=account.username,
                came_from=CLI,
                roles=person.roles,
            )
    except IntegrityError as error:
        raise NameTakenError(f"the user name {username} is taken") from error
    return person.id


async def by_username(session: Session, username: str) -> Person:
    """The person with this user name. Raises `UnknownPersonError`."""
    person = await session.scalar(select(Person).where(Person.username == username))
    if person is None:
        raise UnknownPersonError(f"there is no account {username}")
    return person


async def log_in(
    desk: Desk,
    username: str,
    password: str,
    *,
    lasts: timedelta,
    new_token: Callable[[], str],
    came_from: str,
) -> str:
    """Begin a session and return its token. Raises `WrongPasswordError` or `LockedOutError`."""
    person: Person | None = None
    # PostgreSQL cannot even be asked for a name with a zero byte.
    if not CONTROL.search(username):
        async with desk.database.reading() as session:
            person = await session.scalar(select(Person).where(Person.username == username))
    now = desk.clock()
    if person is not None and person.locked_until is not None and now < person.locked_until:
        raise LockedOutError
    # An unknown name takes as long as a wrong password.
    right = await asyncio.to_thread(_fits, person.password_hash if person else _NOBODY, password)
    if person is None:
        raise WrongPasswordError
    async with desk.database.writing.begin() as session:
        person = await session.scalar(
            select(Person).where(Person.id == person.id).with_for_update()
        )
        if person is None:
            raise WrongPasswordError
        if right:
            person.failures, person.locked_until = 0, None
            token = new_token()
            session.add(
                LoginSession(
                    token_digest=digest(token.encode()),
                    person_id=person.id,
                    created_at=now,
                    expires_at=now + lasts,
                )
            )
            await session.execute(delete(LoginSession).where(LoginSession.expires_at < now))
            audit.note(session, now, actor=username, action="logged_in", came_from=came_from)
            return token
        person.failures += 1
        if person.failures >= LONGEST_RUN:
            person.failures, person.locked_until = 0, now + LOCKED_FOR
        audit.note(session, now, actor=username, action="login_refused", came_from=came_from)
    raise WrongPasswordError


async def by_session(desk: Desk, token: str, *, came_from: str) -> Actor:
    """Whose session this is, used from there. Raises `NotLoggedInError`."""
    query = (
        select(Person)
        .join(LoginSession, LoginSession.person_id == Person.id)
        .where(
            LoginSession.token_digest == digest(token.encode()),
            LoginSession.expires_at > desk.clock(),
        )
    )
    async with desk.database.reading() as session:
        person = await session.scalar(query)
    if person is None:
        raise NotLoggedInError
    return replace(actor_of(person), came_from=came_from)


async def log_out(desk: Desk, token: str) -> None:
    """End the session, if it is one."""
    async with desk.database.writing.begin() as session:
        await session.execute(
            delete(LoginSession).where(LoginSession.token_digest == digest(token.encode()))
        )


def actor_of(person: Person) -> Actor:
    """The person as use-cases know them."""
    return Actor(
        id=person.id,
        username=person.username,
        name=person.name,
        roles=frozenset(person.roles),
        kind=person.kind,
        unit=person.unit,
    )


def hash_password(password: str) -> str:
    """The password's argon2id hash. Slow by design: about 50 ms."""
    return _hasher.hash(password)


def _fits(hashed: str, password: str) -> bool:
    try:
        return _hasher.verify(hashed, password)
    except (Argon2Error, InvalidHashError):
        return False
