"""Logging in and out, and changing one's own password.

Five wrong passwords in a row lock a user name for a quarter of an hour, whether or not anybody has
that name: neither the answer nor the time it takes says who has an account. Whoever is disabled or
has left is answered like a wrong password. A session is a random token; the database holds only its
digest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select
from sqlalchemy.sql import ColumnElement

from node.people_errors import (
    LockedOutError,
    NotLoggedInError,
    OldPasswordError,
    WeakPasswordError,
    WrongPasswordError,
)
from node.storage import bulk
from node.storage.database import Session
from node.storage.people import LoginFailure, LoginSession, Person
from node.workflow import access, audit, passwords, people
from node.workflow.calendar import day_of
from node.workflow.desk import Actor, Desk
from protocol.identifiers import digest
from protocol.offices import CONTROL

LONGEST_RUN = 5
LOCKED_FOR = timedelta(minutes=15)


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
    now = desk.clock()
    key = digest(username.encode("utf-8", "surrogatepass"))
    person: Person | None = None
    async with desk.database.reading() as session:
        failed = await session.get(LoginFailure, key)
        if failed is not None and failed.locked_until is not None and now < failed.locked_until:
            raise LockedOutError
        # PostgreSQL cannot even be asked for a name with a zero byte.
        if not CONTROL.search(username):
            query = select(Person).where(Person.username == username, may_log_in(now))
            person = await session.scalar(query)
    hashed = person.password_hash if person else None
    right = await asyncio.to_thread(passwords.fits, hashed, password)
    async with desk.database.writing.begin() as session:
        if person is not None and right:
            # Changed or disabled meanwhile, it must not begin a session any more.
            person = await session.scalar(
                select(Person)
                .where(Person.id == person.id, Person.password_hash == hashed, may_log_in(now))
                .with_for_update()
            )
            if person is not None:
                token = new_token()
                await _begin(session, person, token, now, now + lasts)
                await session.execute(delete(LoginFailure).where(LoginFailure.name_digest == key))
                audit.note(
                    session, now, actor=person.username, action="logged_in", came_from=came_from
                )
                return token
        await _fail(session, key, now)
        if person is not None:
            audit.note(
                session, now, actor=person.username, action="login_refused", came_from=came_from
            )
    raise WrongPasswordError


async def by_session(desk: Desk, token: str, *, came_from: str) -> Actor:
    """Whose session this is, used from there. Raises `NotLoggedInError`."""
    now = desk.clock()
    query = (
        select(Person)
        .join(LoginSession, LoginSession.person_id == Person.id)
        .where(
            LoginSession.token_digest == _digest(token),
            LoginSession.expires_at > now,
            may_log_in(now),
        )
    )
    async with desk.database.reading() as session:
        person = await session.scalar(query)
    if person is None:
        raise NotLoggedInError
    return replace(people.actor_of(person), came_from=came_from)


async def log_out(desk: Desk, token: str) -> None:
    """End the session, if it is one."""
    async with desk.database.writing.begin() as session:
        await session.execute(
            delete(LoginSession).where(LoginSession.token_digest == _digest(token))
        )


async def change_password(desk: Desk, actor: Actor, token: str, *, old: str, new: str) -> None:
    """Change one's own password; all other sessions of the person end.

    Raises `OldPasswordError` for a wrong old one, which counts like a failed login,
    `LockedOutError` after too many of them, and `WeakPasswordError`.
    """
    access.demand(actor, "own_account")
    now = desk.clock()
    key = digest(actor.username.encode())
    async with desk.database.reading() as session:
        failed = await session.get(LoginFailure, key)
        if failed is not None and failed.locked_until is not None and now < failed.locked_until:
            raise LockedOutError
        hashed = (await session.get_one(Person, actor.id)).password_hash
    if not await asyncio.to_thread(passwords.fits, hashed, old):
        async with desk.database.writing.begin() as session:
            await _fail(session, key, now)
            audit.note(session, now, actor=actor, action="password_change_refused")
        raise OldPasswordError
    passwords.demand_good(new, actor.username)
    if new == old:
        raise WeakPasswordError("the new password is the old one")
    new_hash = await asyncio.to_thread(passwords.hash_password, new)
    async with desk.database.writing.begin() as session:
        person = await session.get_one(Person, actor.id, with_for_update=True)
        if person.password_hash != hashed:
            # An administrator, or the person in another window, was faster.
            raise OldPasswordError
        person.password_hash, person.must_change = new_hash, False
        await session.execute(
            delete(LoginSession).where(
                LoginSession.person_id == actor.id, LoginSession.token_digest != _digest(token)
            )
        )
        await session.execute(delete(LoginFailure).where(LoginFailure.name_digest == key))
        audit.note(session, now, actor=actor, action="password_changed")


def may_log_in(now: datetime) -> ColumnElement[bool]:
    """The people who may: neither disabled nor gone."""
    stays = or_(Person.left_on.is_(None), Person.left_on > day_of(now))
    return Person.disabled_at.is_(None) & stays


async def _begin(
    session: Session, person: Person, token: str, now: datetime, until: datetime
) -> None:
    session.add(
        LoginSession(
            token_digest=_digest(token), person_id=person.id, created_at=now, expires_at=until
        )
    )
    await session.execute(delete(LoginSession).where(LoginSession.expires_at < now))


async def _fail(session: Session, key: str, now: datetime) -> None:
    await session.execute(delete(LoginFailure).where(LoginFailure.last_at < now - LOCKED_FOR))
    await bulk.add_new(session, LoginFailure, name_digest=key, failures=0, last_at=now)
    row = await session.get_one(LoginFailure, key, with_for_update=True)
    row.failures, row.last_at = row.failures + 1, now
    if row.failures >= LONGEST_RUN:
        row.failures, row.locked_until = 0, now + LOCKED_FOR


def _digest(token: str) -> str:
    return digest(token.encode("utf-8", "surrogatepass"))
