"""The page of components: for those who work on the pages, and in no office."""

from __future__ import annotations

from node.config import WebSettings
from tests.node.browser import visit
from tests.node.rooms import Room


async def test_components_are_shown_to_anyone_where_the_setting_says_so(leaf: Room) -> None:
    async with visit(leaf) as client:
        answer = await client.get("/design")
    assert answer.status_code == 200
    assert "界面组件" in answer.text


async def test_an_office_has_no_such_page(leaf: Room) -> None:
    async with visit(leaf, web=WebSettings()) as client:
        assert (await client.get("/design")).status_code == 404
