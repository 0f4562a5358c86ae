"""Every error of the API is a problem document (RFC 9457) with a stable code."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest

from node.workflow import reading
from tests.node.browser import ADDRESS, problem, visit
from tests.node.rooms import CONTENT, Room, contents

ITEMS = "/api/v1/items"
NOBODY = UUID("01a204b1-34f8-71b2-be6e-3a6bd8225b2e")
INSTRUCTION = {"leader": "周明远", "post": "县长", "text": "请研究。", "on": "2026-11-20"}
BODIES: dict[str, Any] = {
    "resubmit": CONTENT,
    "withdraw": {"reason": "数字有误。"},
    "register": None,
    "adopt": {},
    "decline": {"reason": "已有部署。"},
    "return": {"reason": "请补充。"},
    "forward": None,
    "instruct": INSTRUCTION,
    "implement": {"unit": "县住建局", "text": "已布设。"},
    "close": {},
    "leader-read": {"leader": "周明远", "post": "县长"},
    "archive": None,
}
FOR_AUTHORS = ("resubmit", "withdraw")
FOR_STRANGERS = {
    ("post", "/api/v1/session"),
    ("delete", "/api/v1/session"),
    ("post", "/api/v1/enrolments"),
    ("get", f"/api/v1/enrolments/{NOBODY}"),
    ("get", "/api/v1/public/form"),
    ("post", "/api/v1/public"),
    ("get", "/api/v1/public/receipts/{code}"),
}


@pytest.fixture
async def lin(leaf: Room) -> AsyncIterator[httpx.AsyncClient]:
    """The author, logged in."""
    async with visit(leaf, "lin") as client:
        yield client


@pytest.fixture
async def editor(leaf: Room) -> AsyncIterator[httpx.AsyncClient]:
    """The editor, logged in."""
    async with visit(leaf, "editor") as client:
        yield client


async def test_whoever_is_not_logged_in_gets_nothing_from_any_route(leaf: Room) -> None:
    async with visit(leaf) as client:
        routes = [route for route in await _routes(client) if route not in FOR_STRANGERS]
        assert len(routes) > 60, "the walk passes most of them by"
        for method, path in routes:
            answer = await client.request(method, path, json={})
            problem(answer, 401, "session.required")


async def test_a_page_of_another_site_changes_nothing_on_any_route(leaf: Room) -> None:
    item = await leaf.registered()
    before = await contents(leaf.database)
    async with visit(leaf, "editor") as client:
        sessions = await contents(leaf.database)
        changing = [route for route in await _routes(client) if route[0] != "get"]
        assert len(changing) > 40, "the walk passes most of them by"
        for origin in ("https://evil.test", "null", f"{ADDRESS}.evil.test", f"{ADDRESS}:8443"):
            for method, path in changing:
                answer = await client.request(
                    method,
                    path.replace(str(NOBODY), str(item)),
                    json=BODIES.get(path.rsplit("/", 1)[1]),
                    headers={"origin": origin},
                )
                problem(answer, 403, "access.forbidden")
        assert await contents(leaf.database) == sessions
    assert {k: v for k, v in before.items() if k not in ("audit", "login_sessions")}.items() <= (
        sessions.items()
    )


async def test_the_offices_own_pages_and_programs_without_an_origin_are_heard(leaf: Room) -> None:
    async with visit(leaf, "lin") as client:
        own = await client.post(ITEMS, json=CONTENT, headers={"origin": ADDRESS})
        program = await client.post(ITEMS, json=CONTENT)
    assert (own.status_code, program.status_code) == (201, 201)


@pytest.mark.parametrize("action", BODIES)
async def test_a_role_that_may_not_do_it_is_forbidden(leaf: Room, action: str) -> None:
    item = await leaf.registered()
    before = await contents(leaf.database)
    username = "admin" if action in FOR_AUTHORS else "lin"
    async with visit(leaf, username) as client:
        answer = await client.post(f"{ITEMS}/{item}/{action}", json=BODIES[action])
        problem(answer, 403, "access.forbidden")
    after = await contents(leaf.database)
    assert _without_logins(after) == _without_logins(before)


@pytest.mark.parametrize("action", [name for name in BODIES if name != "forward"])
async def test_an_item_that_is_not_there_is_not_found(leaf: Room, action: str) -> None:
    username = "lin" if action in FOR_AUTHORS else "editor"
    async with visit(leaf, username) as client:
        answer = await client.post(f"{ITEMS}/{NOBODY}/{action}", json=BODIES[action])
        problem(answer, 404, "item.unknown")


@pytest.mark.parametrize("action", [name for name in BODIES if name not in ("forward", "archive")])
async def test_an_action_that_the_state_does_not_allow_conflicts(leaf: Room, action: str) -> None:
    item = await leaf.registered()
    async with visit(leaf, "editor") as client:
        await client.post(f"{ITEMS}/{item}/close", json={})
        before = await contents(leaf.database)
        async with visit(leaf, "lin") as author:
            actor = author if action in FOR_AUTHORS else client
            answer = await actor.post(f"{ITEMS}/{item}/{action}", json=BODIES[action])
        document = problem(answer, 409, "item.state")
    assert "the item is closed" in str(document["detail"])
    assert _without_logins(await contents(leaf.database)) == _without_logins(before)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": None}, "title"),
        ({"title": ""}, "title"),
        ({"titel": "标题"}, "titel"),
        ({"body": "响铃\x07"}, "body"),
        ({"body": "零\x00"}, "body"),
        ({"topic": "天气"}, "topic"),
        ({"co_authors": [{"name": "沈", "nickname": "小沈"}]}, "co_authors.0.nickname"),
        ({"co_authors": [{"username": "chen"}] * 50}, "co_authors"),
    ],
)
async def test_a_draft_that_does_not_fit_is_refused_with_the_field(
    leaf: Room, lin: httpx.AsyncClient, change: dict[str, Any], field: str
) -> None:
    before = await contents(leaf.database)
    draft = {name: value for name, value in (CONTENT | change).items() if value is not None}
    document = problem(await lin.post(ITEMS, json=draft), 422, "input.invalid")
    assert [error["field"] for error in document["errors"]] == [field]  # type: ignore[attr-defined]
    assert await contents(leaf.database) == before


@pytest.mark.parametrize(
    ("action", "content", "field"),
    [
        ("decline", {}, "reason"),
        ("decline", {"reason": " "}, "reason"),
        ("decline", {"reason": "字" * 20_001}, "reason"),
        ("return", {"reason": "请补充。", "urgent": True}, "urgent"),
        ("withdraw", {"reason": "\x1b[2J"}, "reason"),
        ("adopt", {"manner": "twice"}, "manner"),
        ("adopt", {"issue": "两\n行"}, "issue"),
        ("instruct", INSTRUCTION | {"on": "yesterday"}, "on"),
        ("instruct", INSTRUCTION | {"leader": ""}, "leader"),
        ("implement", {"unit": "县住建局"}, "text"),
        ("close", {"note": ""}, "note"),
    ],
)
async def test_particulars_that_do_not_fit_are_refused_with_the_field(
    leaf: Room, action: str, content: dict[str, Any], field: str
) -> None:
    item = await leaf.registered()
    async with visit(leaf, "editor") as client:
        before = await contents(leaf.database)
        answer = await client.post(f"{ITEMS}/{item}/{action}", json=content)
        document = problem(answer, 422, "input.invalid")
        assert [error["field"] for error in document["errors"]] == [field]  # type: ignore[attr-defined]
        assert await contents(leaf.database) == before


async def test_a_day_that_no_other_office_would_accept_is_refused(
    editor: httpx.AsyncClient, leaf: Room
) -> None:
    item = await leaf.registered()
    answer = await editor.post(f"{ITEMS}/{item}/instruct", json=INSTRUCTION | {"on": "0001-01-01"})
    problem(answer, 422, "input.invalid")


async def test_a_text_over_the_offices_limit_says_how_long_it_is(lin: httpx.AsyncClient) -> None:
    answer = await lin.post(ITEMS, json=CONTENT | {"body": "字" * 3001})
    assert problem(answer, 422, "input.too_long")["detail"] == "正文有 3001 字，最多 3000 字"
    answer = await lin.post(ITEMS, json=CONTENT | {"title": "字" * 61})
    document = problem(answer, 422, "input.too_long")
    assert document["detail"] == "标题有 61 字，最多 60 字"
    assert "标题" in str(document["title"])


async def test_an_unknown_co_author_is_not_found(lin: httpx.AsyncClient) -> None:
    draft = CONTENT | {"co_authors": [{"username": "nobody"}]}
    problem(await lin.post(ITEMS, json=draft), 404, "person.unknown")


@pytest.mark.parametrize(
    "query", ["offset=-1", "limit=0", "limit=201", "state=lost", f"offset={10**30}", "offset=x"]
)
async def test_a_list_that_cannot_be_is_refused(editor: httpx.AsyncClient, query: str) -> None:
    problem(await editor.get(f"{ITEMS}?{query}"), 422, "input.invalid")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"text"', b"\xff\xfe", b'{"title": "\\ud800"}', b"[" * 100_000]
)
async def test_a_body_that_is_no_json_object_is_refused(
    lin: httpx.AsyncClient, body: bytes
) -> None:
    answer = await lin.post(ITEMS, content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422)
    problem(
        answer, answer.status_code, "http.400" if answer.status_code == 400 else "input.invalid"
    )


async def test_an_item_id_that_is_none_is_refused(editor: httpx.AsyncClient) -> None:
    problem(await editor.get(f"{ITEMS}/donghu"), 422, "input.invalid")


async def test_a_body_over_the_limit_is_too_large(lin: httpx.AsyncClient) -> None:
    answer = await lin.post(ITEMS, json=CONTENT | {"body": "字" * 400_000})
    problem(answer, 413, "http.413")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", ITEMS, {"GET", "POST"}),
        ("DELETE", f"{ITEMS}/{NOBODY}", {"GET"}),
        ("GET", f"{ITEMS}/{NOBODY}/register", {"POST"}),
        ("PATCH", "/api/v1/session", {"GET", "POST", "DELETE"}),
    ],
)
async def test_a_method_that_an_address_does_not_know_is_refused_with_those_it_knows(
    editor: httpx.AsyncClient, method: str, path: str, allowed: set[str]
) -> None:
    answer = await editor.request(method, path)
    problem(answer, 405, "http.405")
    assert set(answer.headers["allow"].split(", ")) <= allowed


async def test_an_address_that_is_not_there_is_not_found(leaf: Room) -> None:
    async with visit(leaf) as client:
        problem(await client.get("/api/v1/nothing"), 404, "http.404")
        problem(await client.get("/docs"), 404, "http.404")


async def test_a_failure_that_nobody_foresaw_tells_nothing_of_the_inside(
    leaf: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret of the house")

    monkeypatch.setattr(reading, "list_items", fail)
    async with visit(leaf, "editor", failing=True) as client:
        answer = await client.get(ITEMS)
    problem(answer, 500, "node.failed")
    assert "secret" not in answer.text


async def _routes(client: httpx.AsyncClient) -> list[tuple[str, str]]:
    document = (await client.get("/api/v1/openapi.json")).json()
    return [
        (method, re.sub(r"\{(\w+_)?id\}", str(NOBODY), path))
        for path, methods in document["paths"].items()
        for method in methods
    ]


def _without_logins(found: dict[str, list[str]]) -> dict[str, list[str]]:
    return {k: v for k, v in found.items() if k not in ("login_sessions", "refusals", "audit")}
