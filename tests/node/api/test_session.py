"""Logging in and out over the API."""

from __future__ import annotations

from datetime import timedelta
from http.cookies import Morsel, SimpleCookie

import httpx
import pytest

from node.http.session import cookie_of
from tests.node.browser import log_in, problem, visit
from tests.node.rooms import Room

COOKIE = cookie_of("donghu")


async def test_a_session_is_kept_in_a_cookie_that_no_script_and_no_other_site_can_use(
    leaf: Room,
) -> None:
    async with visit(leaf) as client:
        cookie = _cookie(await log_in(client, "lin"))
    assert cookie["httponly"] is True
    assert cookie["samesite"] == "strict"
    assert cookie["secure"] is True
    assert (cookie["path"], cookie["domain"]) == ("/", "")
    assert cookie["max-age"] == str(12 * 60 * 60)


async def test_two_logins_have_two_tokens_that_cannot_be_guessed(leaf: Room) -> None:
    async with visit(leaf) as client:
        tokens = {_cookie(await log_in(client, "lin")).value for _ in range(2)}
    assert len(tokens) == 2
    assert min(map(len, tokens)) >= 43  # 32 random bytes


async def test_who_is_logged_in_can_be_asked(county: Room) -> None:
    async with visit(county, "lin") as client:
        answer = await client.get("/api/v1/session")
    assert answer.json() == {
        "id": str(county.lin.id),
        "username": "lin",
        "name": "林晓雨",
        "roles": ["author"],
        "must_change_password": False,
    }


async def test_whoever_logs_out_is_out_on_the_server_as_well(county: Room) -> None:
    async with visit(county, "lin") as client:
        token = client.cookies[COOKIE]
        assert (await client.delete("/api/v1/session")).status_code == 204
        assert COOKIE not in client.cookies
        problem(await client.get("/api/v1/session"), 401, "session.required")
        client.cookies.set(COOKIE, token)
        problem(await client.get("/api/v1/session"), 401, "session.required")


async def test_logging_out_twice_is_no_mistake(leaf: Room) -> None:
    async with visit(leaf) as client:
        assert (await client.delete("/api/v1/session")).status_code == 204


async def test_a_session_is_over_after_its_hours(county: Room) -> None:
    async with visit(county, "lin") as client:
        county.clock.move(timedelta(hours=11, minutes=59))
        assert (await client.get("/api/v1/session")).status_code == 200
        county.clock.move(timedelta(minutes=2))
        problem(await client.get("/api/v1/session"), 401, "session.required")


async def test_a_wrong_password_and_an_unknown_name_get_the_very_same_answer(county: Room) -> None:
    async with visit(county) as client:
        answers = [await log_in(client, name, "not-the-password") for name in ("lin", "nobody")]
    for answer in answers:
        problem(answer, 401, "session.wrong_password")
    assert answers[0].json() == answers[1].json()
    assert COOKIE not in answers[0].cookies


async def test_the_sixth_wrong_password_is_told_to_wait(leaf: Room) -> None:
    async with visit(leaf) as client:
        for _ in range(5):
            problem(await log_in(client, "lin", "wrong-password"), 401, "session.wrong_password")
        problem(await log_in(client, "lin"), 429, "session.locked_out")


@pytest.mark.parametrize("token", ["", "x", "x" * 5000, "%00", "密"])
async def test_a_made_up_token_is_no_session(county: Room, token: str) -> None:
    async with visit(county) as client:
        answer = await client.get(
            "/api/v1/session", headers={"cookie": f"{COOKIE}={token}".encode()}
        )
    problem(answer, 401, "session.required")


@pytest.mark.parametrize("username", ["lin\x00", "\x1b[31m"])
async def test_a_user_name_with_control_characters_is_refused_not_stumbled_over(
    county: Room, username: str
) -> None:
    async with visit(county) as client:
        problem(await log_in(client, username), 401, "session.wrong_password")


def _cookie(answer: httpx.Response) -> Morsel[str]:
    cookies: SimpleCookie = SimpleCookie(answer.headers["set-cookie"])
    return cookies[COOKIE]
