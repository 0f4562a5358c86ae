"""`/search` and `/duplicates`: what programs get, and what bad input comes to."""

from __future__ import annotations

import pytest

from node.search import index
from tests.node.browser import problem, visit
from tests.node.rooms import Room, contents
from tests.node.search import labelled

SEARCH, DUPLICATES, ITEMS = "/api/v1/search", "/api/v1/duplicates", "/api/v1/items"
PAIR = next(pair for pair in labelled.pairs(("city_lifts",)) if pair.kind == "copied")
ORIGINAL = {"title": PAIR.first.title, "body": PAIR.first.body}
COPY = {"title": "照抄的一件", "body": PAIR.second.body}


async def indexed(room: Room) -> None:
    """Have everything indexed that waits for it."""
    while await index.step(room.database):
        pass


async def test_items_are_found_with_excerpts_and_marks(leaf: Room) -> None:
    item = await leaf.submit(title="加装电梯", body="低层住户意见不一。")
    await indexed(leaf)
    async with visit(leaf, "editor") as client:
        answer = (await client.get(SEARCH, params={"q": "电梯 住户", "topic": "city"})).json()
        nothing = (await client.get(SEARCH, params={"q": "电梯", "state": "adopted"})).json()
    (hit,) = answer["hits"]
    assert (answer["total"], answer["more"], hit["item"]["id"]) == (1, False, str(item))
    assert hit["excerpts"] == [
        {"part": "title", "text": "加装电梯", "marks": [[2, 4]]},
        {"part": "body", "text": "低层住户意见不一。", "marks": [[2, 4]]},
    ]
    assert nothing == {"hits": [], "total": 0, "more": False}


async def test_an_author_finds_only_his_own(leaf: Room) -> None:
    await leaf.submit(title="加装电梯")
    await indexed(leaf)
    for username, count in (("lin", 1), ("chen", 0)):
        async with visit(leaf, username) as client:
            assert (await client.get(SEARCH, params={"q": "电梯"})).json()["total"] == count
    async with visit(leaf, "admin") as client:
        problem(await client.get(SEARCH, params={"q": "电梯"}), 403, "access.forbidden")


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"q": ""},
        {"q": "***"},
        {"q": "\0"},
        {"q": "字" * 201},
        {"q": "字" * 7_000},
        {"q": "电梯", "state": "lost"},
        {"q": "电梯", "topic": "天气"},
        {"q": "电梯", "adopted": "City Hall"},
        {"q": "电梯", "source": "云州"},
        {"q": "电梯", "since": "yesterday"},
        {"q": "电梯", "since": "0001-01-01"},
        {"q": "电梯", "until": "9999-12-31"},
        {"q": "电梯", "limit": 0},
        {"q": "电梯", "offset": -1},
    ],
    ids=lambda params: (
        "-".join(f"{name}-{str(value)[:9]}" for name, value in params.items()) or "none"
    ),
)
async def test_a_question_that_cannot_be_is_refused_and_changes_nothing(
    leaf: Room, params: dict[str, str]
) -> None:
    async with visit(leaf, "editor") as client:
        before = await contents(leaf.database)
        problem(await client.get(SEARCH, params=params), 422, "input.invalid")
        assert await contents(leaf.database) == before


async def test_a_draft_is_told_what_is_similar_before_it_is_handed_in_and_when_it_is(
    leaf: Room,
) -> None:
    async with visit(leaf, "lin") as client:
        first = (await client.post(ITEMS, json=ORIGINAL | {"topic": "city"})).json()
        assert first["duplicates"] == {"similar": [], "hints": []}
        await indexed(leaf)
        asked = (await client.post(DUPLICATES, json=COPY)).json()
        handed_in = await client.post(ITEMS, json=COPY | {"topic": "city"})
        assert handed_in.status_code == 201
        assert handed_in.json()["duplicates"] == asked
        again = await client.get(f"{ITEMS}/{handed_in.json()['id']}/duplicates")
    (similar,) = asked["similar"]
    assert similar["item"]["id"] == first["id"]
    assert similar["agreements"][0]["text"] in PAIR.first.body
    assert not similar["signed"]
    assert again.json()["similar"][0]["item"]["id"] == first["id"]


async def test_of_somebody_elses_item_an_author_is_told_a_day_and_a_level_and_nothing_else(
    leaf: Room,
) -> None:
    await leaf.submit(**ORIGINAL)
    await indexed(leaf)
    async with visit(leaf, "chen") as client:
        answers = [
            (await client.post(DUPLICATES, json=COPY)).json(),
            (await client.post(ITEMS, json=COPY | {"topic": "city"})).json()["duplicates"],
        ]
    day = str(leaf.clock().date())
    hint = {"sentence": "类似信息已有报送", "on": day, "level": "county"}
    assert answers == [{"similar": [], "hints": [hint]}] * 2


@pytest.mark.parametrize(
    "change",
    [
        {"title": ""},
        {"title": "两\n行"},
        {"body": "  "},
        {"body": "\0"},
        {"body": "反\u202e转"},
        {"body": "字" * 20_001},
        {"topic": "city"},
        {"body": None},
    ],
    ids=lambda change: "-".join(f"{k}-{str(v)[:5]!r}" for k, v in change.items()),
)
async def test_a_draft_that_could_not_be_handed_in_is_refused(
    leaf: Room, change: dict[str, str | None]
) -> None:
    async with visit(leaf, "lin") as client:
        answer = await client.post(DUPLICATES, json=COPY | change)
        problem(answer, 422, "input.invalid")
        problem(
            await client.post(DUPLICATES, json=COPY | {"body": "字" * 2_000_000}), 413, "http.413"
        )
