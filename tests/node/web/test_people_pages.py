"""What a security administrator does on the pages: units, appointments, and whole spreadsheets."""

from __future__ import annotations

from uuid import UUID

import httpx

from node.workflow import personal, units
from node.workflow.units import NewUnit
from protocol.identifiers import digest
from tests.browser import things
from tests.node.browser import send, visit
from tests.node.rooms import Room

SHEET = "代码,名称,类别\nG1,教育界,界别\n{code},科技界,界别\n"


async def bring(client: httpx.AsyncClient, text: str) -> httpx.Response:
    """Send a spreadsheet with the form of the page."""
    token = (await client.get("/imports/units")).text.partition('name="csrf" value="')[2][:64]
    file = {"file": ("单位.csv", text.encode(), "text/csv")}
    return await client.post("/imports/units", data={"csrf": token}, files=file)


async def codes(room: Room) -> list[str]:
    return [unit.code for unit in await units.list_units(room.desk, room.security)]


async def test_a_spreadsheet_is_looked_through_and_taken_in_whole_or_not_at_all(
    county: Room,
) -> None:
    wrong, right = SHEET.format(code=""), SHEET.format(code="G2")
    async with visit(county, "security") as client:
        answer = await bring(client, wrong)
        assert answer.status_code == 422
        assert '<td class="short" data-label="行">3</td>' in answer.text
        assert "/imports/units/take-in" not in answer.text
        looked = await bring(client, right)
        assert "将新增 2，" in looked.text
        assert await codes(county) == []
        named = {"digest": digest(right.encode())}
        assert f'value="{named["digest"]}"' in looked.text
        done = await send(client, "/imports/units/take-in", named)
        assert "已导入：新增 2，" in done.text
        again = await send(client, "/imports/units/take-in", named)
        assert (again.status_code, "请重新选择文件" in again.text) == (409, True)
        assert (await send(client, "/imports/units")).status_code == 422
    assert await codes(county) == ["G1", "G2"]


async def test_a_person_joins_and_leaves_units_and_is_appointed_and_dismissed(
    county: Room,
) -> None:
    await units.add(county.desk, county.security, NewUnit(code="G1", name="教育界", kind="sector"))
    one = await things.person(county)
    page = f"/people/{one}"
    term = {"kind": "informant", "certificate": "聘字001号", "since": "2026-01-01"}
    async with visit(county, "security") as client:

        async def do(deed: str, **content: str) -> int:
            shown = await personal.show(county.desk, county.security, UUID(str(one)))
            sent = {"version": str(shown["version"]), **content}
            return (await send(client, f"{page}/{deed}", sent)).status_code

        assert await do("join", unit="G1", since="2026-01-01") == 303
        assert await do("appoint", **term, until="2025-01-01") == 422
        assert await do("appoint", **term, until="2028-12-31") == 303
        assert await do("appoint", **term, until="2028-12-31") == 409
        shown = await personal.show(county.desk, county.security, one)
        [membership], [appointment] = shown["memberships"], shown["appointments"]
        text = (await client.get(page)).text
        assert "聘字001号" in text
        assert await do("leave-unit", membership=str(membership.id), until="2026-06-30") == 303
        assert await do("dismiss", appointment=str(appointment.id), until="2026-06-30") == 303
    shown = await personal.show(county.desk, county.security, one)
    assert str(shown["memberships"][0].until) == "2026-06-30"
    assert str(shown["appointments"][0].until) == "2026-06-30"
