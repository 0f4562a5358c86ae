"""The offices below over the API: for administrators alone."""

from __future__ import annotations

from tests.node.browser import problem, visit
from tests.node.chain import Chain

DONGHU = "/api/v1/offices/donghu"


async def test_an_office_is_suspended_resumed_and_revoked(pair: Chain) -> None:
    async with visit(pair.above, "admin") as admin:
        shown = (await admin.get(DONGHU)).json()
        [certificate] = shown["certificates"]
        assert (shown["standing"], shown["since"]) == ("good", None)
        assert (certificate["kind"], certificate["standing"]) == ("node", "good")
        for deed, standing in (("suspend", "suspended"), ("revoke", "revoked")):
            done = await admin.post(f"{DONGHU}/{deed}", json={"reason": "密钥被盗"})
            assert (done.status_code, done.content) == (204, b"")
            shown = (await admin.get(DONGHU)).json()
            assert (shown["standing"], shown["reason"]) == (standing, "密钥被盗")
            assert [c["standing"] for c in shown["certificates"]] == [standing]
            problem(
                await admin.post(f"{DONGHU}/{deed}", json={"reason": "x"}), 409, "office.standing"
            )
        problem(await admin.post(f"{DONGHU}/resume"), 409, "office.standing")
        problem(await admin.post(f"{DONGHU}/revoke", json={}), 422, "input.invalid")
        problem(await admin.get("/api/v1/offices/nowhere"), 404, "office.unknown")


async def test_only_administrators_decide_on_offices(pair: Chain) -> None:
    async with visit(pair.above, "editor") as editor:
        problem(await editor.get(DONGHU), 403, "access.forbidden")
        done = await editor.post(f"{DONGHU}/revoke", json={"reason": "密钥被盗"})
        problem(done, 403, "access.forbidden")
