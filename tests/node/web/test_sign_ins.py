"""Whoever keeps the accounts sees who signed in, from where, and with what success."""

from __future__ import annotations

from node.workflow import audit
from tests.node.browser import send, visit
from tests.node.rooms import Room
from tests.node.workflow.deeds import Action, do


async def test_sign_ins_are_told_with_their_success_and_place_and_nothing_else(
    county: Room,
) -> None:
    item = await county.registered()
    await do(county, Action.DECLINE, item)
    async with visit(county) as client:
        await send(client, "/login", {"username": "lin", "password": "wrong"})
        await send(client, "/login", {"username": "no-such-name", "password": "wrong"})
    async with visit(county, "lin"), visit(county, "security") as client:
        page = (await client.get("/sign-ins")).text
        of_lin = await audit.sign_ins(county.desk, county.security, actor="lin")
        failed = await audit.sign_ins(county.desk, county.auditor, refused=True)
        only_failed = (await client.get("/sign-ins?refused=true")).text
    assert [(one.action, one.came_from) for one in of_lin] == [
        ("logged_in", "127.0.0.1"),
        ("login_refused", "127.0.0.1"),
    ]
    assert [(one.actor, one.action) for one in failed] == [("lin", "login_refused")]
    assert page.count("登录成功") == 2
    assert page.count("密码不对") == 2  # Once in the hint.
    assert "登录成功" not in only_failed
    assert "no-such-name" not in page
    assert "declined" not in page


async def test_the_audit_log_is_searched_by_what_was_done_by_whom_and_with_which_item(
    county: Room,
) -> None:
    item, other = await county.registered(), await county.registered()
    await do(county, Action.DECLINE, item)
    async with visit(county, "auditor") as client:
        found = (await client.get(f"/audit?action=registered&subject={item}&actor=editor")).text
        day = (await client.get("/audit?action=registered&since=2026-13-01")).status_code
    rows = found.partition("<tbody>")[2]
    assert rows.count("<tr>") == 1
    assert "/audit?action=registered" in rows
    assert '>登记</a> <code class="code">registered</code>' in rows
    assert '<option value="registered" selected>登记</option>' in found
    assert "declined" not in rows
    assert str(other) not in rows
    assert day == 422
