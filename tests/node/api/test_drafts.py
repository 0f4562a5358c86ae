"""Drafts over HTTP: saving as one writes, a conflict that loses nothing, handing in."""

from __future__ import annotations

import pytest

from tests.node.browser import problem, visit
from tests.node.rooms import CONTENT, Room

DRAFTS = "/api/v1/drafts"


@pytest.mark.usefixtures("quick_passwords")
async def test_a_draft_is_begun_saved_compared_with_before_and_handed_in(leaf: Room) -> None:
    async with visit(leaf, "lin") as lin:
        begun = await lin.post(DRAFTS, json={"title": "电梯"})
        assert begun.status_code == 201
        draft = begun.json()
        path = f"{DRAFTS}/{draft['id']}"
        assert (draft["version"], draft["content"]["body"]) == (1, "")

        saved = (await lin.put(path, json={"version": 1, "content": CONTENT})).json()
        assert (saved["version"], saved["content"]["title"]) == (2, CONTENT["title"])
        stale = await lin.put(path, json={"version": 1, "content": {"title": "别的"}})
        document = problem(stale, 409, "draft.changed")
        assert document["stored"]["content"]["title"] == CONTENT["title"]  # type: ignore[index]

        listed = (await lin.get(DRAFTS)).json()
        assert listed["total"] == 1
        assert listed["drafts"][0]["characters"] == len(CONTENT["body"])
        kept = (await lin.get(f"{path}/versions")).json()
        assert [one["version"] for one in kept] == [1]
        assert (await lin.get(f"{path}/versions/1")).json()["content"]["title"] == "电梯"
        problem(await lin.get(f"{path}/versions/7"), 404, "draft.version_unknown")
        taken = (await lin.post(f"{path}/versions/1/take-over", json={"version": 2})).json()
        assert (taken["version"], taken["content"]["title"]) == (3, "电梯")
        stale = await lin.post(f"{path}/versions/1/take-over", json={"version": 2})
        problem(stale, 409, "draft.changed")
        taken = (await lin.post(f"{path}/versions/2/take-over", json={"version": 3})).json()
        assert (taken["version"], taken["content"]["title"]) == (4, CONTENT["title"])

        for _ in range(2):
            handed = await lin.post(f"{path}/submit", json={"version": 4})
            assert (handed.status_code, handed.json()) == (200, {"id": draft["id"]})
        problem(await lin.get(path), 404, "draft.unknown")
        assert (await lin.get(f"/api/v1/items/{draft['id']}")).json()["state"] == "submitted"


@pytest.mark.usefixtures("quick_passwords")
async def test_a_draft_is_removed_by_whoever_saw_its_newest_version(leaf: Room) -> None:
    async with visit(leaf, "lin") as lin:
        draft = (await lin.post(DRAFTS, json=CONTENT)).json()
        path = f"{DRAFTS}/{draft['id']}"
        problem(await lin.delete(path, params={"version": 2}), 409, "draft.changed")
        assert (await lin.delete(path, params={"version": 1})).status_code == 204
        assert (await lin.get(DRAFTS)).json() == {"drafts": [], "total": 0}


@pytest.mark.usefixtures("quick_passwords")
@pytest.mark.parametrize(
    "content",
    [
        {"body": "长" * 20_001},
        {"title": "两\n行"},
        {"body": "\u202e反"},
        {"topic": "天气"},
        {"unknown": 1},
        {"co_authors": [{"username": "chen"}] * 50},
    ],
)
async def test_what_no_item_could_hold_is_no_draft(leaf: Room, content: dict[str, object]) -> None:
    async with visit(leaf, "lin") as lin:
        problem(await lin.post(DRAFTS, json=content), 422, "input.invalid")
        problem(await lin.post(DRAFTS, json={"classification": "绝密"}), 422, "item.classified")
