"""Sessions, the lock, and changing one's own password."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from node.people_errors import (
    LockedOutError,
    NotLoggedInError,
    OldPasswordError,
    WeakPasswordError,
    WrongPasswordError,
)
from node.storage.audit import AuditRow
from node.storage.people import LoginFailure, LoginSession, Person
from node.workflow import logins, passwords
from node.workflow.calendar import day_of
from node.workflow.desk import Actor
from tests.node.rooms import Room, contents
from tests.offices import PASSWORD

pytestmark = pytest.mark.usefixtures("quick_passwords")
LASTS = timedelta(hours=12)
HERE = "192.0.2.7"
NEW = "sixty-seven-old-courts"


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
    await logins.log_out(county.desk, first)

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
    await _log_in(county, token="a-token-that-nobody-may-read")
    everything = repr(await contents(county.database))
    assert "lin" in everything
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
    hashes: list[str | None] = []

    def compare(hashed: str | None, password: str) -> bool:
        hashes.append(hashed)
        return False

    monkeypatch.setattr(passwords, "fits", compare)
    refused = []
    for username in ("lin", "nobody"):
        with pytest.raises(WrongPasswordError) as error:
            await _log_in(county, username=username, password="not-the-password")
        refused.append((error.value.detail, error.value.code, error.value.status))

    assert refused[0] == refused[1]
    assert len(hashes) == 2


def test_comparing_with_nobodys_password_costs_what_comparing_with_a_real_one_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.undo()
    real, nobodys = passwords.hash_password(PASSWORD), passwords._NOBODY
    assert _parameters(nobodys) == _parameters(real)
    assert passwords.fits(real, PASSWORD)
    assert not passwords.fits(nobodys, PASSWORD)
    assert not passwords.fits(None, PASSWORD)


@pytest.mark.parametrize("username", ["lin\x00", "\x00", "林" * 300, ""])
async def test_a_name_that_nobody_can_have_is_refused_like_any_other(
    county: Room, username: str
) -> None:
    with pytest.raises(WrongPasswordError):
        await _log_in(county, username=username)


async def test_a_name_that_nobody_has_is_locked_like_any_other(county: Room) -> None:
    said: dict[str, list[str]] = {"lin": [], "nobody": []}
    for username, codes in said.items():
        for _ in range(6):
            with pytest.raises((WrongPasswordError, LockedOutError)) as error:
                await _log_in(county, username=username, password="not-the-password")
            codes.append(error.value.code)
    assert said["lin"] == said["nobody"]
    assert said["nobody"][4:6] == ["session.wrong_password", "session.locked_out"]


async def test_failures_are_forgotten_and_keep_no_name(county: Room) -> None:
    with pytest.raises(WrongPasswordError):
        await _log_in(county, username="my-real-password", password="lin")
    assert "my-real-password" not in repr(await contents(county.database))
    county.clock.move(timedelta(minutes=16))
    with pytest.raises(WrongPasswordError):
        await _log_in(county, username="another", password="not-the-password")
    async with county.database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(LoginFailure)) == 1


@pytest.mark.parametrize("why", ["disabled", "gone", "no password"])
async def test_whoever_may_not_log_in_is_answered_like_a_wrong_password_and_is_out(
    county: Room, why: str
) -> None:
    token = await _log_in(county, token="before")
    today = day_of(county.clock())
    values: dict[str, Any] = {
        "disabled": {"disabled_at": county.clock()},
        "gone": {"left_on": today},
        "no password": {"password_hash": None},
    }[why]
    async with county.database.writing.begin() as session:
        lin = await session.get_one(Person, county.lin.id)
        hashed = lin.password_hash
        await session.execute(update(Person).where(Person.id == lin.id).values(values))
    try:
        with pytest.raises(WrongPasswordError):
            await _log_in(county)
        if why != "no password":
            with pytest.raises(NotLoggedInError):
                await by_session(county, token)
    finally:
        async with county.database.writing.begin() as session:
            await session.execute(
                update(Person).where(Person.id == lin.id).values(password_hash=hashed)
            )


async def test_whoever_leaves_tomorrow_still_logs_in_today(county: Room) -> None:
    tomorrow = day_of(county.clock()) + timedelta(days=1)
    async with county.database.writing.begin() as session:
        await session.execute(
            update(Person).where(Person.id == county.lin.id).values(left_on=tomorrow)
        )
    token = await _log_in(county)
    county.clock.move(timedelta(hours=24))
    with pytest.raises(NotLoggedInError):
        await by_session(county, token)


async def test_a_changed_password_ends_all_other_sessions_and_the_old_one_is_worth_nothing(
    leaf: Room,
) -> None:
    here, elsewhere = await _log_in(leaf, token="here"), await _log_in(leaf, token="elsewhere")
    await logins.change_password(leaf.desk, leaf.lin, here, old=PASSWORD, new=NEW)

    assert await by_session(leaf, here) == leaf.lin
    with pytest.raises(NotLoggedInError):
        await by_session(leaf, elsewhere)
    with pytest.raises(WrongPasswordError):
        await _log_in(leaf)
    assert await _log_in(leaf, password=NEW, token="new")


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ("short", "at least 10 characters"),
        ("x" * 201, "at most 200 characters"),
        ("Lin-1234567890", "the user name"),
        ("1212121212121212", "4 different characters"),
        ("Password123", "first that anybody tries"),
        (PASSWORD, "the new password is the old one"),
    ],
)
async def test_a_weak_password_is_not_taken(leaf: Room, new: str, said: str) -> None:
    token = await _log_in(leaf)
    before = await contents(leaf.database)
    with pytest.raises(WeakPasswordError, match=said):
        await logins.change_password(leaf.desk, leaf.lin, token, old=PASSWORD, new=new)
    assert await contents(leaf.database) == before


async def test_guessing_the_old_password_locks_like_guessing_at_the_door(leaf: Room) -> None:
    token = await _log_in(leaf)
    for _ in range(5):
        with pytest.raises(OldPasswordError):
            await logins.change_password(leaf.desk, leaf.lin, token, old="guessed-wrong", new=NEW)
    with pytest.raises(LockedOutError):
        await logins.change_password(leaf.desk, leaf.lin, token, old=PASSWORD, new=NEW)
    assert await by_session(leaf, token) == leaf.lin


async def _log_in(
    room: Room, *, username: str = "lin", password: str = PASSWORD, token: str = "token"
) -> str:
    return await logins.log_in(
        room.desk, username, password, lasts=LASTS, new_token=lambda: token, came_from=HERE
    )


async def by_session(room: Room, token: str) -> Actor:
    return await logins.by_session(room.desk, token, came_from="cli")


def _parameters(hashed: str) -> str:
    found = re.match(r"\$argon2id\$v=\d+\$m=\d+,t=\d+,p=\d+\$", hashed)
    assert found is not None
    return found.group()
