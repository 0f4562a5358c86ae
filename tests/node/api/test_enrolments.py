"""Enrolment over the API: strangers with a token, and the administrator."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric import ec

from node.bootstrap import enrolment as bootstrap
from node.http.attempts import LOCKED_FOR, LONGEST_RUN, MOST_ADDRESSES, Attempts
from node.workflow import enrolment
from protocol.enrolment import Token, make_request
from protocol.identifiers import NodeId
from protocol.offices import OfficeReference
from tests.node.browser import problem, visit
from tests.node.rooms import Room, contents

ENROLMENTS = "/api/v1/enrolments"
OFFICE = OfficeReference(id=NodeId("beihu"), name="北湖街道", level="street")
KEY = ec.derive_private_key(4000, ec.SECP256R1())
REQUEST: dict[str, Any] = make_request(OFFICE, None, KEY, None).model_dump(mode="json")


async def token(room: Room, secret: bytes = bytes(16)) -> Token:
    return await enrolment.make_token(room.desk, room.admin, secret=secret, office=None, hours=1)


def bearer(held: Token | str) -> dict[str, str]:
    return {"authorization": f"Bearer {held}"}


async def test_a_stranger_asks_is_approved_and_fetches_the_welcome(leaf: Room) -> None:
    held = bearer(await token(leaf))
    async with visit(leaf) as stranger, visit(leaf, "admin") as admin:
        asked = await stranger.post(ENROLMENTS, json=REQUEST, headers=held)
        assert (asked.status_code, asked.json()["state"]) == (202, "waiting")
        place = f"{ENROLMENTS}/{asked.json()['id']}"
        (listed,) = (await admin.get(ENROLMENTS)).json()["enrolments"]
        assert (listed["office"], listed["name"]) == ("beihu", "北湖街道")
        assert listed["fingerprint"] == asked.json()["fingerprint"]
        assert "welcome" not in listed
        assert (await admin.post(f"{ENROLMENTS}/beihu/approve")).status_code == 202
        assert (await stranger.get(place, headers=held)).json()["state"] == "approved"
        welcome = await bootstrap.welcome(leaf.node.settings, leaf.desk, leaf.admin, "beihu")
        for _ in range(2):
            answer = (await stranger.get(place, headers=held)).json()
            assert (answer["state"], answer["welcome"]) == ("ready", welcome)
        (listed,) = (await admin.get(ENROLMENTS)).json()["enrolments"]
        assert listed["fetched_at"]


async def test_a_refusal_is_told_with_its_reason(leaf: Room) -> None:
    held = bearer(await token(leaf))
    async with visit(leaf) as stranger, visit(leaf, "admin") as admin:
        id = (await stranger.post(ENROLMENTS, json=REQUEST, headers=held)).json()["id"]
        refused = await admin.post(f"{ENROLMENTS}/beihu/refuse", json={"reason": "请先来电。"})
        assert refused.status_code == 204
        answer = (await stranger.get(f"{ENROLMENTS}/{id}", headers=held)).json()
        assert (answer["state"], answer["reason"]) == ("refused", "请先来电。")
        problem(await admin.post(f"{ENROLMENTS}/beihu/approve"), 404, "enrolment.unknown")


async def test_without_the_right_token_nothing_is_told_and_nothing_changes(leaf: Room) -> None:
    held = await token(leaf)
    async with visit(leaf) as stranger:
        id = (await stranger.post(ENROLMENTS, json=REQUEST, headers=bearer(held))).json()["id"]
        before = await contents(leaf.database)
        wrong = Token(b"x" * 16, held.root)
        for headers, status, code in (
            ({}, 400, "enrolment.token_form"),
            (bearer("ZT1-AAAAA"), 400, "enrolment.token_form"),
            (bearer(wrong), 401, "enrolment.token"),
        ):
            for answer in (
                await stranger.get(f"{ENROLMENTS}/{id}", headers=headers),
                await _post_once(leaf, headers),
            ):
                problem(answer, status, code)
        assert await contents(leaf.database) == before


async def _post_once(room: Room, headers: dict[str, str]) -> httpx.Response:
    async with visit(room) as client:
        return await client.post(ENROLMENTS, json=REQUEST, headers=headers)


async def test_who_guesses_wrongly_a_few_times_has_to_wait(leaf: Room) -> None:
    held = await token(leaf)
    wrong = bearer(Token(b"x" * 16, held.root))
    async with visit(leaf) as stranger:
        for _ in range(LONGEST_RUN):
            answer = await stranger.post(ENROLMENTS, json=REQUEST, headers=wrong)
            problem(answer, 401, "enrolment.token")
        for headers in (wrong, bearer(held)):
            answer = await stranger.post(ENROLMENTS, json=REQUEST, headers=headers)
            problem(answer, 429, "enrolment.locked_out")
        leaf.clock.move(LOCKED_FOR)
        # The hour of the token has not passed meanwhile.
        answer = await stranger.post(ENROLMENTS, json=REQUEST, headers=bearer(held))
        assert answer.status_code == 202


def test_wrong_guesses_are_counted_by_address_in_a_row_and_forgotten() -> None:
    attempts, now = Attempts(), datetime(2026, 11, 26, tzinfo=UTC)
    for _ in range(LONGEST_RUN - 1):
        attempts.failed("one", now)
    attempts.succeeded("one")
    attempts.failed("one", now)
    assert not attempts.locked("one", now)
    for _ in range(LONGEST_RUN):
        attempts.failed("two", now)
    assert attempts.locked("two", now)
    assert not attempts.locked("three", now)
    assert not attempts.locked("two", now + LOCKED_FOR)
    attempts.failed("two", now + LOCKED_FOR + timedelta(seconds=1))
    assert not attempts.locked("two", now + LOCKED_FOR + timedelta(seconds=2))
    for number in range(MOST_ADDRESSES):
        attempts.failed(str(number), now)
    assert len(attempts._wrong) == MOST_ADDRESSES


async def test_a_request_that_is_too_large_or_has_more_members_is_refused(leaf: Room) -> None:
    held = bearer(await token(leaf))
    before = await contents(leaf.database)
    async with visit(leaf) as stranger:
        for change in ({"node": "x" * 20_000}, {"extra": 1}, {"office": {"id": "X"}}):
            answer = await stranger.post(ENROLMENTS, json=REQUEST | change, headers=held)
            problem(answer, 422, "input.invalid")
        answer = await stranger.post(ENROLMENTS, json=REQUEST | {"node": "x"}, headers=held)
        problem(answer, 400, "enrolment.request")
    assert await contents(leaf.database) == before


async def test_people_who_are_no_administrators_decide_nothing(leaf: Room) -> None:
    async with visit(leaf, "editor") as editor:
        problem(await editor.get(ENROLMENTS), 403, "access.forbidden")
        problem(await editor.post(f"{ENROLMENTS}/beihu/approve"), 403, "access.forbidden")
