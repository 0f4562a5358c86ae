"""Points on the pages: set by the administrator, told to the author with how they were counted."""

from __future__ import annotations

from node.workflow import points
from tests.node.browser import send, visit
from tests.node.rooms import Room
from tests.node.workflow.deeds import Action, do

FORM = {"from_year": "2020", "levels": "sum", "authors": "parts", "single-county": "1.5"}


async def test_what_the_administrator_sets_is_what_the_author_is_counted_by(county: Room) -> None:
    item = await county.registered(co_authors=[{"username": "chen"}])
    await do(county, Action.ADOPT, item)
    async with visit(county, "lin") as client:
        assert "计分" not in (await client.get("/year")).text
    async with visit(county, "admin") as client:
        assert 'name="version" value="0"' in (await client.get("/points")).text
        answer = await send(client, "/points", FORM | {"version": "0"})
        assert answer.headers["location"] == "/points?done=points"
        assert (
            'name="single-county" inputmode="decimal" maxlength="7" value="1.5"'
            in (await client.get("/points")).text
        )
    async with visit(county, "lin") as client:
        page = (await client.get("/year")).text
    assert '<b class="total">0.75</b>' in page
    assert "县区：单篇采用 1.5 分；您的份额 1/2" in page.replace("1.50", "1.5")


async def test_mistakes_stand_beside_what_was_entered(leaf: Room) -> None:
    async with visit(leaf, "admin") as client:
        wrong = {"single-county": "很多", "version": "0"}
        answer = await send(client, "/points", FORM | wrong)
        assert answer.status_code == 422
        assert 'value="很多"' in answer.text
        assert "每项几分" in answer.text.partition('role="alert"')[2][:900]
    assert (await points.show(leaf.desk, leaf.admin)).rules is None
