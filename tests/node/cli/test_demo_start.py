"""The demo's start page: a click signs in as a person, at that office alone."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from node.cli.demo import start
from node.http.session import cookie_of
from tests.node.browser import visit
from tests.node.rooms import Room
from tests.offices import PASSWORD

OFFICE = "http://127.0.0.1:8804"


@pytest.fixture
async def page(leaf: Room) -> AsyncIterator[httpx.AsyncClient]:
    """The start page of a demo with one office."""
    application = start.build({"donghu": leaf.node}, {"donghu": OFFICE}, "lin", PASSWORD)
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url=start.ADDRESS) as client:
        yield client


async def test_it_lists_the_people_of_each_office_by_what_they_do(page: httpx.AsyncClient) -> None:
    answer = await page.get("/")
    assert answer.status_code == 200
    text = answer.text
    assert text.index("林晓雨") < text.index("周编辑") < text.index("审计管理员")
    assert f"form-action 'self' {OFFICE};" in answer.headers["content-security-policy"]


async def test_a_click_signs_in_and_leads_to_the_office(
    page: httpx.AsyncClient, leaf: Room
) -> None:
    answer = await page.post("/enter", data={"office": "donghu", "username": "lin"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{OFFICE}/")
    async with visit(leaf) as client:
        client.cookies.set(cookie_of("donghu"), page.cookies[cookie_of("donghu")])
        assert leaf.lin.name in (await client.get("/items")).text


async def test_another_sites_click_and_an_unknown_office_sign_nobody_in(
    page: httpx.AsyncClient,
) -> None:
    known = {"office": "donghu", "username": "lin"}
    elsewhere = await page.post("/enter", data=known, headers={"origin": "https://evil.test"})
    unknown = await page.post("/enter", data=known | {"office": "nanhe"})
    assert (elsewhere.status_code, unknown.status_code) == (403, 303)
    assert not page.cookies
