"""The public form as citizens and programs see it: open or closed, limited, with its receipt."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select

from node.storage.items import Item
from node.workflow import challenges, public_settings
from tests.node import citizens
from tests.node.browser import problem, send, visit
from tests.node.rooms import Room

LETTER = {"title": "江边步道夜里没有灯", "body": "建议装灯。", "topic": "city", "consent": "1"}
NUMBERS = {sign: number for number, sign in enumerate(challenges.DIGITS)}


async def asked(client: httpx.AsyncClient, room: Room) -> dict[str, str]:
    """The form's token, and what a person without scripts answers, half a minute later."""
    return solved((await client.get("/public")).text, room)


def solved(page: str, room: Room) -> dict[str, str]:
    room.clock.move(timedelta(seconds=30))
    token = re.search(r'name="challenge" value="([^"]+)"', page)
    question = re.search(r'<label for="answer">(.)(乘|加)(.)等于多少', html.unescape(page))
    assert token is not None
    assert question is not None
    left, right = NUMBERS[question[1]], NUMBERS[question[3]]
    answer = left * right if question[2] == "乘" else left + right
    return {"challenge": token[1], "answer": str(answer), "work": ""}


def code_of(answer: httpx.Response) -> str:
    found = re.search(r"<strong>([0-9A-Z-]{23})</strong>", answer.text)
    assert found is not None, answer.text
    return found[1]


async def titles(room: Room) -> list[str]:
    async with room.database.reading() as session:
        return list(await session.scalars(select(Item.title)))


async def test_there_is_no_such_page_until_it_is_opened(leaf: Room) -> None:
    async with visit(leaf) as client:
        assert (await client.get("/public")).status_code == 404
        assert (await send(client, "/public", LETTER | {"challenge": "x"})).status_code == 404
        problem(await client.get("/api/v1/public/form"), 404, "public.closed")
        letter = {**citizens.WORDS, "challenge": "x", "answer": "1"}
        problem(await client.post("/api/v1/public", json=letter), 404, "public.closed")
    assert await titles(leaf) == []


async def test_the_administrator_opens_and_closes_it_on_a_page(leaf: Room) -> None:
    shown = {"version": "0", "per_address": "5", "per_day": "200", "open": "1"}
    async with visit(leaf, "admin") as admin, visit(leaf) as client:
        assert (await send(admin, "/public-form", shown)).status_code == 303
        assert (await client.get("/public")).status_code == 200
        wrong = await send(admin, "/public-form", shown | {"version": "1", "per_day": "0"})
        assert (wrong.status_code, "不能小于 1" in wrong.text) == (422, True)
        closed = {name: value for name, value in shown.items() if name != "open"}
        assert (await send(admin, "/public-form", closed | {"version": "1"})).status_code == 303
        assert (await client.get("/public")).status_code == 404
    assert (await public_settings.show(leaf.desk, leaf.admin)).version == 2


async def test_a_citizen_without_scripts_hands_in_and_follows_what_came_of_it(leaf: Room) -> None:
    await citizens.open_form(leaf)
    async with visit(leaf) as client:
        answer = await send(client, "/public", LETTER | await asked(client, leaf))
        assert answer.status_code == 200
        assert "noindex" in answer.headers["x-robots-tag"]
        code = code_of(answer)
        found = await client.get("/public/receipt", params={"code": f" {code.lower()} "})
        page = await client.get(found.headers["location"])
    assert page.status_code == 200
    assert '<meta name="robots" content="noindex, nofollow">' in page.text
    assert "noindex" in page.headers["x-robots-tag"]
    assert LETTER["title"] in page.text
    assert "东湖县政协已收到。" in page.text
    assert LETTER["body"] not in page.text
    assert await titles(leaf) == [LETTER["title"]]


async def test_the_same_form_is_not_taken_twice_and_a_new_one_is_offered(leaf: Room) -> None:
    await citizens.open_form(leaf)
    async with visit(leaf) as client:
        proof = await asked(client, leaf)
        await send(client, "/public", LETTER | proof)
        again = await send(client, "/public", LETTER | proof)
        assert again.status_code == 409
        assert LETTER["body"] in again.text
        assert proof["challenge"] not in again.text
        new = await send(client, "/public", LETTER | solved(again.text, leaf))
    assert new.status_code == 200
    assert len(await titles(leaf)) == 2


@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [
        ({"answer": "999"}, 422, "验证没有通过"),
        ({"website": "https://example.invalid"}, 422, "验证没有通过"),
        ({"consent": ""}, 422, "请先阅读个人信息处理说明"),
        ({"title": ""}, 422, "标题：请填写"),
        ({"title": "两\u202e行"}, 422, "填写有误"),
        ({"body": "机密★一年"}, 409, 'name="confirmed"'),
        ({"work": "x", "answer": ""}, 422, "请填写整数"),
    ],
)
async def test_what_is_wrong_is_said_and_nothing_is_lost_or_taken_in(
    leaf: Room, changes: Mapping[str, str], status: int, said: str
) -> None:
    await citizens.open_form(leaf)
    async with visit(leaf) as client:
        answer = await send(client, "/public", {**LETTER, **await asked(client, leaf), **changes})
    assert (answer.status_code, said in answer.text) == (status, True)
    assert (LETTER | changes)["body"] in answer.text
    assert await titles(leaf) == []


async def test_a_mistake_keeps_the_question_so_that_its_answer_still_counts(leaf: Room) -> None:
    await citizens.open_form(leaf)
    async with visit(leaf) as client:
        proof = await asked(client, leaf)
        wrong = await send(client, "/public", LETTER | proof | {"title": ""})
        assert proof["challenge"] in wrong.text
        assert (await send(client, "/public", LETTER | proof)).status_code == 200


async def test_whoever_sends_too_much_is_told_when_to_come_again(leaf: Room) -> None:
    await citizens.open_form(leaf, per_address=1)
    async with visit(leaf) as client:
        await send(client, "/public", LETTER | await asked(client, leaf))
        page = await send(client, "/public", LETTER | await asked(client, leaf))
        shown = (await client.get("/api/v1/public/form")).json()
        leaf.clock.move(timedelta(seconds=30))
        proof = await citizens.letter(leaf)
        assert shown["bits"] == challenges.BITS
        answer = await client.post("/api/v1/public", json=proof.model_dump(mode="json"))
    assert page.status_code == 429
    assert LETTER["body"] in page.text
    problem(answer, 429, "public.too_many")
    for one in (page, answer):
        assert 0 < int(one.headers["retry-after"]) <= 24 * 3600


async def test_whoever_guesses_receipts_or_answers_has_to_wait(leaf: Room) -> None:
    await citizens.open_form(leaf)
    code = await citizens.send(leaf)
    wrong = "/api/v1/public/receipts/00000-00000-00000-00000"
    async with visit(leaf) as client:
        assert (await client.get("/public/ABC")).status_code == 404
        for _ in range(4):
            problem(await client.get(wrong), 404, "public.receipt")
        for path in (wrong, f"/api/v1/public/receipts/{code}"):
            locked = await client.get(path)
            problem(locked, 429, "public.too_many")
            assert locked.headers["retry-after"] == "900"
        page = await client.get(f"/public/{code}")
        assert (page.status_code, page.headers["retry-after"]) == (429, "900")
        leaf.clock.move(timedelta(minutes=16))
        right = await client.get(f"/api/v1/public/receipts/{code}")
    assert [step["sentence"] for step in right.json()["steps"]] == ["东湖县政协已收到。"]


async def test_a_program_hands_in_over_the_api_with_the_work_that_is_asked(leaf: Room) -> None:
    await citizens.open_form(leaf)
    async with visit(leaf) as client:
        shown = (await client.get("/api/v1/public/form")).json()
        leaf.clock.move(timedelta(seconds=30))
        challenge = challenges.Challenge(shown["challenge"], 0, 0, times=False)
        letter = {**citizens.WORDS, "challenge": challenge.token, "work": citizens.work(challenge)}
        made = await client.post("/api/v1/public", json=letter)
        assert made.status_code == 201
        problem(await client.post("/api/v1/public", json=letter), 409, "public.challenge_used")
        bad = letter | {"title": "零\x00字节"}
        problem(await client.post("/api/v1/public", json=bad), 422, "input.invalid")
        receipt = await client.get(f"/api/v1/public/receipts/{made.json()['code']}")
    assert receipt.json()["title"] == citizens.WORDS["title"]


async def test_the_item_shows_editors_how_to_reach_the_citizen(leaf: Room) -> None:
    await citizens.open_form(leaf)
    await citizens.send(leaf, await citizens.letter(leaf, name="高某", phone="13800000000"))
    async with leaf.database.reading() as session:
        item = (await session.scalars(select(Item))).one()
    async with visit(leaf, "editor") as client:
        page = (await client.get(f"/items/{item.id}")).text
        contact = (await client.get(f"/api/v1/items/{item.id}/contact")).json()
    assert "高某 13800000000" in page
    assert "网上反映" in page
    assert (contact["name"], contact["erased_at"]) == ("高某", None)
    async with visit(leaf, "reviewer") as client:
        assert "高某" not in (await client.get(f"/items/{item.id}")).text
        path = f"/api/v1/items/{item.id}/contact"
        problem(await client.get(path), 403, "access.forbidden")
