"""People and units over the API: who sees what, and what administrators do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from node.storage.audit import AuditRow
from node.workflow import access, personal
from node.workflow.calendar import day_of
from tests.node.browser import log_in, problem, visit
from tests.node.rooms import CONTENT, Room
from tests.offices import PASSWORD

PEOPLE, UNITS, SESSION = "/api/v1/people", "/api/v1/units", "/api/v1/session"
WANG: dict[str, Any] = {
    "username": "wang",
    "name": "王海",
    "roles": ["author"],
    "kind": "informant",
    "unit": "东湖县中学",
    "phone": "13800000000",
    "email": "wang@example.cn",
    "employee_number": "A001",
    "password": "a-one-time-word",
}
NEW = "sixty-seven-old-courts"
pytestmark = pytest.mark.usefixtures("quick_passwords")


@pytest.fixture
async def security(county: Room) -> AsyncIterator[httpx.AsyncClient]:
    """The security administrator, logged in."""
    async with visit(county, "security") as client:
        yield client


async def add(client: httpx.AsyncClient, **content: Any) -> str:
    """Add Wang Hai; the address of his record."""
    answer = await client.post(PEOPLE, json=WANG | content)
    assert answer.status_code == 201, answer.text
    return f"{PEOPLE}/{answer.json()['id']}"


async def done(answer: httpx.Response) -> None:
    """It was carried out, and there is nothing to say."""
    assert (answer.status_code, answer.content) == (204, b""), answer.text


async def test_a_one_time_password_opens_nothing_but_its_own_change(
    county: Room, security: httpx.AsyncClient
) -> None:
    wang = await add(security)
    async with visit(county) as client:
        await log_in(client, "wang", WANG["password"])
        assert (await client.get(SESSION)).json()["must_change_password"] is True
        for method, path in (("GET", "items"), ("POST", "items"), ("GET", wang[8:])):
            answer = await client.request(method, f"/api/v1/{path}", json=CONTENT)
            problem(answer, 403, "account.change_password")
        assert (await client.get("/")).headers["location"] == "/password"

        change = {"old": "not-the-password", "new": NEW}
        problem(await client.put(f"{SESSION}/password", json=change), 422, "account.old_password")
        weak = {"old": WANG["password"], "new": "wang-1234567"}
        problem(await client.put(f"{SESSION}/password", json=weak), 422, "account.weak_password")
        await done(await client.put(f"{SESSION}/password", json=weak | {"new": NEW}))
        assert (await client.get("/api/v1/items")).status_code == 200

        await done(
            await security.post(f"{wang}/password", json={"version": 1, "password": PASSWORD})
        )
        problem(await client.get(SESSION), 401, "session.required")


async def test_a_person_is_shown_by_role_as_the_table_says(
    county: Room, security: httpx.AsyncClient
) -> None:
    wang = await add(security)
    by_security = (await security.get(wang)).json()
    assert {k: by_security[k] for k in WANG if k != "password"} == {
        k: v for k, v in WANG.items() if k != "password"
    }
    assert (by_security["must_change"], by_security["version"]) == (True, 1)
    async with visit(county, "editor") as editor:
        by_editor = (await editor.get(wang)).json()
        listed = (await editor.get(PEOPLE, params={"text": "中学"})).json()
    hidden = {field for field, roles in personal.SEES.items() if access.EDITOR not in roles}
    assert {"phone", "email", "employee_number", "disabled_at"} < hidden
    assert {by_editor[field] for field in hidden} == {None}
    assert (by_editor["name"], by_editor["unit"]) == ("王海", "东湖县中学")
    assert [one["phone"] for one in listed["people"]] == [None]
    async with visit(county, "lin") as lin:
        problem(await lin.get(wang), 404, "person.unknown")
        [herself] = (await lin.get(PEOPLE)).json()["people"]
        assert herself["username"] == "lin"
        assert (await lin.get(f"{PEOPLE}/{herself['id']}")).json()["version"] == 1
    for name in ("admin", "auditor"):
        async with visit(county, name) as client:
            problem(await client.get(wang), 404, "person.unknown")


async def test_a_list_is_filtered_by_text_role_and_unit_and_cut_into_pages(
    county: Room, security: httpx.AsyncClient
) -> None:
    wang = await add(security, roles=["author", "reviewer"])
    unit = {"code": "Z01", "name": "提案委员会", "kind": "special_committee"}
    assert (await security.post(UNITS, json=unit)).status_code == 201
    today = day_of(county.clock()).isoformat()
    joining = {"version": 1, "unit": "提案委员会", "since": today, "main": True}
    answer = await security.post(f"{wang}/memberships", json=joining)
    assert answer.status_code == 201, answer.text
    [membership] = (await security.get(wang)).json()["memberships"]
    assert (membership["unit"], membership["main"], membership["since"]) == ("Z01", True, today)

    async def names(**wanted: Any) -> list[str]:
        found = (await security.get(PEOPLE, params=wanted)).json()
        return [one["username"] for one in found["people"]]

    assert await names(role="reviewer") == ["reviewer", "wang"]
    assert await names(unit="Z01") == ["wang"]
    assert await names(text="提案") == await names(text="王") == ["wang"]
    assert await names(role="author") == ["chen", "lin", "wang"]
    assert await names(text="%") == []
    assert await names(offset=1, limit=2) == ["auditor", "chen"]

    leaving = {"version": 2, "on": today, "left_for": "调云州市政协"}
    await done(await security.post(f"{wang}/leave", json=leaving))
    assert await names(text="王") == []
    assert await names(text="王", gone=True) == ["wang"]
    await done(await security.post(f"{wang}/return", json={"version": 3}))


async def test_whoever_saw_an_old_record_is_told_to_look_again(
    county: Room, security: httpx.AsyncClient
) -> None:
    wang = await add(security)
    given = {k: v for k, v in WANG.items() if k not in ("username", "password")}
    await done(await security.put(wang, json=given | {"version": 1, "name": "王江"}))
    stale = await security.put(wang, json=given | {"version": 1, "name": "王河"})
    document = problem(stale, 409, "person.changed")
    assert "查看最新内容后再改" in str(document["title"])
    assert document["detail"] == "you saw version 1, the record is at version 2"
    assert (await security.get(wang)).json()["name"] == "王江"
    await done(await security.post(f"{wang}/disable", json={"version": 2, "reason": "借调"}))
    problem(await security.post(f"{wang}/disable", json={"version": 3}), 422, "input.invalid")
    await done(await security.post(f"{wang}/enable", json={"version": 3}))
    own = f"{PEOPLE}/{county.security.id}"
    problem(
        await security.post(f"{own}/disable", json={"version": 1, "reason": "自己"}),
        409,
        "person.oneself",
    )


async def test_a_copy_holds_everything_of_one_person_and_is_noted(
    county: Room, security: httpx.AsyncClient
) -> None:
    item = await county.submit(co_authors=[{"username": "chen"}])
    await county.submit()
    chen = f"{PEOPLE}/{county.chen.id}/copy"
    async with visit(county, "chen") as client:
        own = (await client.get(chen)).json()
        problem(await client.get(f"{PEOPLE}/{county.lin.id}/copy"), 404, "person.unknown")
    copied = (await security.get(chen)).json()
    assert own | {"at": None} == copied | {"at": None}
    assert own["person"]["username"] == "chen"
    [written] = own["items"]
    assert (written["id"], written["editions"][0]["title"]) == (str(item), CONTENT["title"])
    assert [told["kind"] for told in written["timeline"]] == ["submitted"]
    async with county.database.reading() as session:
        rows = await session.execute(
            select(AuditRow.actor, AuditRow.subject)
            .where(AuditRow.action == "person_copied")
            .order_by(AuditRow.id)
        )
        assert [tuple(row) for row in rows] == [("chen", "chen"), ("security", "chen")]


async def test_appointments_are_entered_shortened_and_listed_before_they_end(
    county: Room, security: httpx.AsyncClient
) -> None:
    wang = await add(security)
    today = day_of(county.clock())
    until = (today + timedelta(days=30)).isoformat()
    term = {"kind": "informant", "certificate": "聘1", "since": "2024-01-01", "until": until}
    appointed = await security.post(f"{wang}/appointments", json=term | {"version": 1})
    assert appointed.status_code == 201, appointed.text
    async with visit(county, "editor") as editor:
        [soon] = (await editor.get(f"{PEOPLE}/expiring")).json()["appointments"]
    assert (soon["name"], soon["certificate"], soon["until"]) == ("王海", "聘1", until)
    end = f"{wang}/appointments/{appointed.json()['id']}/end"
    await done(await security.post(end, json={"version": 2, "until": today.isoformat()}))
    [kept] = (await security.get(wang)).json()["appointments"]
    assert kept["until"] == today.isoformat()


async def test_a_unit_is_entered_changed_and_closed(security: httpx.AsyncClient) -> None:
    unit = {"code": "Z01", "name": "提案委", "kind": "special_committee"}
    id = (await security.post(UNITS, json=unit)).json()["id"]
    problem(await security.post(UNITS, json=unit), 409, "unit.taken")
    renamed = {"version": 1, "name": "提案委员会", "kind": "special_committee"}
    await done(await security.put(f"{UNITS}/{id}", json=renamed))
    problem(await security.put(f"{UNITS}/{id}", json=renamed), 409, "unit.changed")
    await done(await security.post(f"{UNITS}/{id}/close", json={"version": 2, "on": "2026-12-01"}))
    [listed] = (await security.get(UNITS, params={"kind": "special_committee"})).json()["units"]
    assert (listed["name"], listed["closed_on"], listed["version"]) == (
        "提案委员会",
        "2026-12-01",
        3,
    )


async def test_a_spreadsheet_is_checked_and_imported_and_its_mistakes_are_told_by_cell(
    county: Room, security: httpx.AsyncClient
) -> None:
    template = await security.get("/api/v1/imports/people/template")
    assert template.status_code == 200
    assert template.content.startswith(b"PK")
    data = "用户名,姓名,角色\nma,马静,编辑\nwu,,国王\n".encode()
    path, named = "/api/v1/imports/people", {"name": "人员.csv"}
    dry = await security.post(path, content=data, params=named | {"dry_run": "true"})
    assert dry.json() == {
        "rows": 2,
        "added": 1,
        "changed": 0,
        "unchanged": 0,
        "mistakes": [{"row": 3, "column": "姓名", "message": "没有填写"}],
        "done": False,
    }
    refused = problem(await security.post(path, content=data, params=named), 422, "import.mistakes")
    assert refused["errors"] == [{"field": "第3行“姓名”列", "message": "没有填写"}]
    problem(
        await security.post(path, content=data, params={"name": "人员.xlsx"}), 422, "import.file"
    )
    good = data.replace("wu,,国王".encode(), "wu,吴江,审核".encode())
    assert (await security.post(path, content=good, params=named)).json()["added"] == 2
    large = bytes(21 * 1024 * 1024)
    problem(await security.post(path, content=large, params=named), 422, "import.file")
    async with visit(county, "editor") as editor:
        problem(await editor.post(path, content=large, params=named), 403, "access.forbidden")
