"""The audit log over the API: who did what to which item from where, for auditors alone."""

from __future__ import annotations

import httpx
import pytest

from node.relay.auditor import Auditor
from tests.node.browser import problem, visit
from tests.node.rooms import Room

AUDIT = "/api/v1/audit"
FROM = "127.0.0.1"
"""Where the tests' client says that it is."""


async def listed(client: httpx.AsyncClient, **wanted: object) -> list[dict[str, object]]:
    """The entries that were asked for."""
    answer = await client.get(AUDIT, params={k: str(v) for k, v in wanted.items()})
    assert answer.status_code == 200, answer.text
    entries: list[dict[str, object]] = answer.json()["entries"]
    return entries


async def test_an_auditor_sees_who_did_what_to_which_item_from_where(county: Room) -> None:
    async with visit(county, "editor") as client:
        item = await county.submit()
        await client.post(f"/api/v1/items/{item}/register")
    await Auditor(county.desk).step()
    async with visit(county, "auditor") as client:
        found = await listed(client, subject=item)
        last, *_, first = await listed(client)
    told = [(row["actor"], row["action"], row["came_from"], row["seal"]) for row in found]
    assert told == [("editor", "registered", FROM, 1), ("lin", "submitted", "cli", 1)]
    assert (last["actor"], last["action"], last["came_from"]) == ("auditor", "logged_in", FROM)
    assert (last["seal"], first["action"], first["came_from"]) == (None, "logged_in", FROM)


async def test_a_wrong_password_is_noted_with_the_place_it_came_from(leaf: Room) -> None:
    async with visit(leaf) as client:
        wrong = {"username": "lin", "password": "quite-another-one"}
        problem(await client.post("/api/v1/session", json=wrong), 401, "session.wrong_password")
    async with visit(leaf, "auditor") as client:
        [row] = await listed(client, actor="lin")
    assert (row["action"], row["came_from"]) == ("login_refused", FROM)


async def test_the_log_is_cut_into_pages_and_filtered_by_time(leaf: Room) -> None:
    items = [await leaf.submit() for _ in range(3)]
    async with visit(leaf, "auditor") as client:
        newest = await listed(client, actor="lin", limit=2)
        [oldest] = await listed(client, actor="lin", limit=2, before=newest[-1]["id"])
        assert [row["subject"] for row in (*newest, oldest)] == [str(i) for i in reversed(items)]
        since = await listed(client, actor="lin", since=newest[-1]["at"])
        until = await listed(client, actor="lin", until=newest[-1]["at"])
        assert (since, until) == (newest, [oldest])


@pytest.mark.parametrize("person", ["lin", "editor", "admin", "security"])
async def test_nobody_else_reads_the_log(leaf: Room, person: str) -> None:
    async with visit(leaf, person) as client:
        problem(await client.get(AUDIT), 403, "access.forbidden")


async def test_an_auditor_reads_the_log_and_nothing_else(leaf: Room) -> None:
    item = await leaf.submit()
    async with visit(leaf, "auditor") as client:
        for path in ("items", "links", "quarantine"):
            problem(await client.get(f"/api/v1/{path}"), 403, "access.forbidden")
        problem(await client.get(f"/api/v1/items/{item}"), 403, "access.forbidden")
