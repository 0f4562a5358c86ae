"""Accounts and sessions."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from node.errors import (
    InputError,
    LockedOutError,
    NameTakenError,
    NotLoggedInError,
    WrongPasswordError,
)
from node.storage.audit import AuditRow
from node.storage.people import LoginSession, Person
from node.workflow import people
from node.workflow.desk import Actor
from tests.node.rooms import Room, contents
from tests.offices import PASSWORD

LASTS = timedelta(hours=12)
HERE = "192.0.2.7"
AUTHOR: dict[str, Any] = {
    "username": "wang",
    "name": "王海",
    "roles": ["author"],
    "kind": "member",
    "unit": "东湖县中学",
    "password": PASSWORD,
}


async def test_a_session_says_who_it_is(county: Room) -> None:
    token = await _log_in(county)
    assert await by_session(county, token) == county.lin


async def test_a_session_ends_when_its_time_is_over(county: Room) -> None:
    token = await _log_in(county)
    county.clock.move(LASTS - timedelta(minutes=1))
    assert await by_session(county, token) == county.lin

    county.clock.move(timedelta(minutes=2))

    with pytest.raises(NotLoggedInError):
        await by_session(county, token)


async def test_a_session_ends_when_its_person_logs_out_and_others_stay(county: Room) -> None:
    first, second = await _log_in(county, token="first"), await _log_in(county, token="second")
    await people.log_out(county.desk, first)

    with pytest.raises(NotLoggedInError):
        await by_session(county, first)
    assert await by_session(county, second) == county.lin


async def test_sessions_that_are_over_are_removed_at_the_next_login(county: Room) -> None:
    await _log_in(county, token="old")
    county.clock.move(LASTS * 2)
    await _log_in(county, token="new")
    async with county.database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(LoginSession)) == 1


async def test_the_database_holds_neither_the_token_nor_the_password(county: Room) -> None:
    await people.add(county.desk, **AUTHOR)
    await _log_in(county, token="a-token-that-nobody-may-read")
    everything = repr(await contents(county.database))
    assert "wang" in everything
    assert "a-token-that-nobody-may-read" not in everything
    assert PASSWORD not in everything


async def test_a_wrong_password_is_refused_and_begins_no_session(county: Room) -> None:
    with pytest.raises(WrongPasswordError):
        await _log_in(county, password="not-the-password")
    async with county.database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(LoginSession)) == 0
        assert list(await session.scalars(select(AuditRow.action))) == ["login_refused"]


async def test_five_wrong_passwords_lock_the_account_for_a_quarter_of_an_hour(
    county: Room,
) -> None:
    for _ in range(5):
        with pytest.raises(WrongPasswordError):
            await _log_in(county, password="not-the-password")

    with pytest.raises(LockedOutError):
        await _log_in(county)
    county.clock.move(timedelta(minutes=14))
    with pytest.raises(LockedOutError):
        await _log_in(county)
    county.clock.move(timedelta(minutes=2))
    assert await _log_in(county)


async def test_a_right_password_forgets_the_wrong_ones_before_it(county: Room) -> None:
    for run in range(3):
        for _ in range(4):
            with pytest.raises(WrongPasswordError):
                await _log_in(county, password="not-the-password")
        assert await _log_in(county, token=f"token {run}")


async def test_a_locked_account_locks_nobody_else(county: Room) -> None:
    for _ in range(5):
        with pytest.raises(WrongPasswordError):
            await _log_in(county, password="not-the-password")
    assert await _log_in(county, username="chen")


async def test_an_unknown_name_is_refused_like_a_wrong_password_after_as_much_work(
    county: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes: list[str] = []

    def compare(hashed: str, password: str) -> bool:
        hashes.append(hashed)
        return False

    monkeypatch.setattr(people, "_fits", compare)
    refused = []
    for username in ("lin", "nobody"):
        with pytest.raises(WrongPasswordError) as error:
            await _log_in(county, username=username, password="not-the-password")
        refused.append((error.value.detail, error.value.code, error.value.status))

    assert refused[0] == refused[1]
    assert len(hashes) == 2


def test_comparing_with_nobodys_password_costs_what_comparing_with_a_real_one_does() -> None:
    real, nobodys = people.hash_password(PASSWORD), people._NOBODY
    assert _parameters(nobodys) == _parameters(real)
    assert people._fits(real, PASSWORD)
    assert not people._fits(nobodys, PASSWORD)


@pytest.mark.parametrize("username", ["lin\x00", "\x00", "林" * 300, ""])
async def test_a_name_that_nobody_can_have_is_refused_like_any_other(
    county: Room, username: str
) -> None:
    with pytest.raises(WrongPasswordError):
        await _log_in(county, username=username)


async def test_a_person_who_was_added_can_log_in(county: Room) -> None:
    await people.add(county.desk, **AUTHOR)
    actor = await by_session(county, await _log_in(county, username="wang"))
    assert (actor.name, actor.roles, actor.kind, actor.unit) == (
        "王海",
        {"author"},
        "member",
        "东湖县中学",
    )


async def test_a_user_name_is_given_once(county: Room) -> None:
    await people.add(county.desk, **AUTHOR)
    before = await contents(county.database)
    with pytest.raises(NameTakenError, match="the user name wang is taken"):
        await people.add(county.desk, **AUTHOR | {"name": "王江"})
    assert await contents(county.database) == before


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"roles": ["king"]}, "the role 'king' is none of author, editor, reviewer"),
        ({"roles": []}, "at least one role"),
        ({"roles": ["author", "auditor"]}, "whoever is auditor holds no other role"),
        ({"roles": ["auditor", "system_administrator"]}, "holds no other role"),
        ({"password": "short"}, "at least 10 characters"),
        ({"kind": None}, "an author needs a kind and a unit"),
        ({"unit": None}, "an author needs a kind and a unit"),
        ({"kind": "poet"}, "kind"),
        ({"unit": "单" * 201}, "unit"),
        ({"name": ""}, "name"),
        ({"name": "名" * 201}, "name"),
        ({"username": ""}, "username"),
        ({"username": "x" * 61}, "username"),
        ({"username": "two\nlines"}, "username"),
    ],
)
async def test_an_account_that_could_not_be_used_is_not_made(
    leaf: Room, wrong: dict[str, Any], said: str
) -> None:
    before = await contents(leaf.database)
    with pytest.raises(InputError, match=said):
        await people.add(leaf.desk, **AUTHOR | wrong)
    assert await contents(leaf.database) == before


async def test_an_editor_needs_neither_kind_nor_unit(county: Room) -> None:
    await people.add(county.desk, **AUTHOR | {"roles": ["editor"], "kind": None, "unit": None})
    async with county.database.reading() as session:
        person = await people.by_username(session, "wang")
    assert person.roles == ["editor"]
    assert isinstance(person, Person)


async def _log_in(
    room: Room, *, username: str = "lin", password: str = PASSWORD, token: str = "token"
) -> str:
    return await people.log_in(
        room.desk, username, password, lasts=LASTS, new_token=lambda: token, came_from=HERE
    )


async def by_session(room: Room, token: str) -> Actor:
    return await people.by_session(room.desk, token, came_from="cli")


def _parameters(hashed: str) -> str:
    found = re.match(r"\$argon2id\$v=\d+\$m=\d+,t=\d+,p=\d+\$", hashed)
    assert found is not None
    return found.group()
