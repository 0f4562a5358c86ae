"""Links and quarantine over the API: for the system administrator alone, in shapes that stay."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import select

from node.relay import quarantine
from node.relay.errors import PoisonError
from node.relay.transport import Delivery
from node.storage.messages import Outgoing
from node.storage.offices import Link, Office
from node.storage.recovery import Recovery
from node.storage.statements import Account
from tests.node.browser import problem, visit
from tests.node.rooms import Room

LINKS, QUARANTINE = "/api/v1/links", "/api/v1/quarantine"
CITY = f"{LINKS}/yunzhou"


@pytest.fixture
async def admin(county: Room) -> AsyncIterator[httpx.AsyncClient]:
    """The system administrator of a county with a neighbour and a message in quarantine."""
    now = county.clock()
    async with county.database.writing.begin() as session:
        session.add(Office(id="yunzhou", name="云州市政协", level="city", relation="parent"))
        session.add(Link(peer="yunzhou"))
        session.add(
            Outgoing(
                id=uuid4(),
                peer="yunzhou",
                name="submission",
                subject=uuid4(),
                payload=b"{}",
                digest="0" * 64,
                priority=3,
                state="refused",
                code="item.taken",
                permanent=True,
                created_at=now,
                answered_at=now,
            )
        )
        delivery = Delivery(b"no token", None, "zt.donghu.in")
        await quarantine.put(session, county.desk, delivery, PoisonError(), now)
    async with visit(county, "admin") as client:
        yield client
    async with county.database.writing.begin() as session:
        await session.delete(await session.get_one(Link, "yunzhou"))
        await session.delete(await session.get_one(Office, "yunzhou"))


async def test_a_link_has_a_stable_shape(admin: httpx.AsyncClient) -> None:
    [link] = (await admin.get(LINKS)).json()["links"]
    assert link == (await admin.get(CITY)).json()
    oldest = link["backlog"].pop("oldest_at")
    assert oldest is not None
    assert link == {
        "peer": "yunzhou",
        "name": "云州市政协",
        "level": "city",
        "relation": "parent",
        "backlog": {
            "pending": 0,
            "sent": 0,
            "refused_temporary": 0,
            "refused_permanent": 1,
            "received": 0,
            "confirmed": 0,
            "receipts": 0,
        },
        "heard_at": None,
        "silent_since": None,
        "next_attempt_at": None,
        "paused": None,
        "barred": None,
        "ends_at": None,
        "exported_at": None,
        "certificate_until": None,
        "audit": None,
        "agreement": {"sent_until": None, "received_until": None, "differing": 0},
        "highest_level": "internal",
    }


async def test_refusals_are_listed_with_advice(admin: httpx.AsyncClient) -> None:
    answer = (await admin.get(f"{CITY}/refused")).json()
    [refusal] = answer["refused"]
    assert (answer["total"], refusal["code"], refusal["permanent"]) == (1, "item.taken", True)
    assert refusal["advice"].startswith("这件信息的编号已由其他机关报送")


async def test_a_link_is_paused_resumed_and_probed(admin: httpx.AsyncClient) -> None:
    paused = await admin.post(f"{CITY}/pause", json={"reason": "对方检修"})
    assert (paused.status_code, paused.content) == (204, b"")
    shown = (await admin.get(CITY)).json()["paused"]
    assert (shown["by"], shown["reason"], shown.keys()) == (
        "admin",
        "对方检修",
        {"at", "by", "reason"},
    )
    problem(await admin.post(f"{CITY}/probe"), 409, "link.paused")
    assert (await admin.post(f"{CITY}/resume")).status_code == 204
    assert (await admin.get(CITY)).json()["paused"] is None
    assert (await admin.post(f"{CITY}/probe")).status_code == 204
    problem(await admin.post(f"{CITY}/pause", json={}), 422, "input.invalid")
    problem(await admin.get(f"{LINKS}/nowhere"), 404, "office.unknown")


async def test_accounts_are_stated_on_demand_and_shown(
    admin: httpx.AsyncClient, county: Room
) -> None:
    answer = await admin.post(f"{CITY}/reconcile")
    assert (answer.status_code, answer.json()) == (200, {"days": 0})
    day = county.clock().date()
    async with county.database.writing.begin() as session:
        account = Account(
            peer="yunzhou",
            side="sent",
            day=day,
            count=1,
            digest="0" * 64,
            stated_at=county.clock(),
            differs_since=county.clock(),
        )
        session.add(account)
    assert (await admin.post(f"{CITY}/reconcile")).json() == {"days": 1}
    shown = (await admin.get(CITY)).json()["agreement"]
    assert shown == {"sent_until": None, "received_until": None, "differing": 1}
    async with county.database.writing.begin() as session:
        account = await session.get_one(Account, ("yunzhou", "sent", day))
        account.agreed_at, account.differs_since = county.clock(), None
    shown = (await admin.get(CITY)).json()["agreement"]
    assert shown == {"sent_until": day.isoformat(), "received_until": None, "differing": 0}
    problem(await admin.post(f"{LINKS}/nowhere/reconcile"), 404, "office.unknown")


async def test_only_an_answer_that_is_waited_for_can_be_waived(
    admin: httpx.AsyncClient, county: Room
) -> None:
    waive, why = f"{CITY}/waive", {"reason": "对方停电两周"}
    problem(await admin.post(waive, json=why), 404, "office.unknown")
    async with county.database.writing.begin() as session:
        session.add(Recovery(peer="yunzhou"))
    problem(await admin.post(waive, json={}), 422, "input.invalid")
    assert (await admin.post(waive, json=why)).status_code == 204
    async with county.database.reading() as session:
        assert (await session.get_one(Recovery, "yunzhou")).waived_at is not None


async def test_what_was_refused_is_listed_shown_replayed_and_discarded(
    admin: httpx.AsyncClient,
) -> None:
    listed = (await admin.get(QUARANTINE, params={"code": "message.poison"})).json()
    [group], [message] = listed["groups"], listed["messages"]
    assert (group["code"], group["messages"], group["times"], listed["total"]) == (
        "message.poison",
        1,
        1,
        1,
    )
    one = f"{QUARANTINE}/{message['id']}"
    shown = (await admin.get(one)).json()
    assert shown == message | {
        "verdict": "envelope.malformed",
        "name": None,
        "subject": None,
        "signed_at": None,
    }
    assert (shown["size"], shown["state"], "body" in shown) == (8, "held", False)
    replayed = await admin.post(f"{one}/replay")
    assert (replayed.status_code, replayed.json()["state"]) == (202, "wanted")
    problem(await admin.post(f"{one}/discard", json={}), 422, "input.invalid")
    discarded = await admin.post(f"{one}/discard", json={"reason": "来历不明"})
    assert (discarded.status_code, discarded.content) == (204, b"")
    shown = (await admin.get(one)).json()
    assert (shown["state"], shown["reason"], shown["size"]) == ("discarded", "来历不明", 0)
    assert (shown["decided_by"], len(shown["digest"])) == ("admin", 64)
    problem(await admin.post(f"{one}/replay"), 409, "quarantine.decided")
    problem(await admin.get(f"{QUARANTINE}/{uuid4()}"), 404, "quarantine.unknown")
    assert (await admin.get(QUARANTINE, params={"state": "held"})).json()["total"] == 0
    problem(await admin.get(QUARANTINE, params={"state": "lost"}), 422, "input.invalid")


async def test_the_link_to_a_former_parent_ends_when_all_is_received_or_by_force_or_later(
    admin: httpx.AsyncClient, county: Room
) -> None:
    problem(await admin.post(f"{CITY}/end", json={}), 409, "link.needed")
    async with county.database.writing.begin() as session:
        (await session.get_one(Office, "yunzhou")).relation = "former"
        sent = await session.scalar(select(Outgoing))
        assert sent is not None
        sent.permanent = False
    problem(await admin.post(f"{CITY}/end", json={}), 409, "link.undrained")
    for wrong in ({"on": "2020-01-01T00:00:00Z"}, {"on": "2099-01-01T00:00:00"}, {"no": 1}):
        assert (await admin.post(f"{CITY}/end", json=wrong)).status_code == 422
    assert (await admin.get(CITY)).json()["ends_at"] is None
    later = await admin.post(f"{CITY}/end", json={"on": "2099-01-01T00:00:00Z"})
    assert later.json() == {"ends_at": "2099-01-01T00:00:00Z"}
    assert (await admin.get(CITY)).json()["ends_at"] == "2099-01-01T00:00:00Z"
    forced = await admin.post(f"{CITY}/end", json={"force": True})
    assert datetime.fromisoformat(forced.json()["ends_at"]) <= county.clock()


@pytest.mark.parametrize("username", ["lin", "editor", "security"])
async def test_nobody_but_the_system_administrator_gets_anything(leaf: Room, username: str) -> None:
    one = f"{QUARANTINE}/{uuid4()}"
    async with visit(leaf, username) as client:
        for path in (LINKS, CITY, f"{CITY}/refused", QUARANTINE, one):
            problem(await client.get(path), 403, "access.forbidden")
        for path in (
            f"{CITY}/pause",
            f"{CITY}/resume",
            f"{CITY}/probe",
            f"{one}/replay",
            f"{one}/discard",
        ):
            answer = await client.post(path, json={"reason": "理由"})
            problem(answer, 403, "access.forbidden")
