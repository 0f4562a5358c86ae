"""Issuing lists, on each database: what is kept, numbered and sent, also after a kill."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from sqlalchemy import select

from node.bootstrap import keyring
from node.relay import revoker
from node.relay.revoker import Revoker
from node.storage.revocations import RevocationList
from node.workflow import outbox, revocation_lists, standing
from protocol.envelope import MAXIMUM_HEADER
from protocol.messages.trust import MOST_REVOKED
from protocol.messages.trust import RevocationList as Content
from tests.node.relay.ends import COUNTY, End, Ends, KilledError


def revoker_of(end: End) -> Revoker:
    return Revoker(end.room.desk, keyring.of(end.room.node.settings), incarnation=1)


async def step_all(end: End) -> None:
    made = revoker_of(end)
    while await made.step():
        pass


async def kept(end: End) -> list[tuple[str, int]]:
    async with end.room.database.reading() as session:
        rows = await session.scalars(select(RevocationList).order_by(RevocationList.issuer))
        return [(row.issuer, row.number) for row in rows]


async def test_lists_are_kept_numbered_and_taken_in(each_ends: Ends) -> None:
    city, county = each_ends.city, each_ends.county
    await step_all(city)
    await step_all(county)  # it certifies nobody, and has no list
    await each_ends.exchange()
    [(issuer, first)] = await kept(city)
    assert await kept(county) == [(issuer, first)]
    assert first == int(each_ends.clock.now.timestamp())
    desk, admin = city.room.desk, city.room.admin
    await standing.suspend(desk, admin, COUNTY, "核查")
    await step_all(city)
    [(_, second)] = await kept(city)
    assert second > first
    [view] = await revocation_lists.views(desk, admin)
    assert [(entry.node, entry.hold) for entry in view.revoked] == [(COUNTY, True)]
    await standing.resume(desk, admin, COUNTY)
    await step_all(city)
    await each_ends.exchange()
    assert await kept(county) == await kept(city)
    assert county.room.desk.chains.revoked.numbers == city.room.desk.chains.revoked.numbers
    await standing.revoke(desk, admin, COUNTY, "被盗")
    await step_all(city)
    shown = await standing.show(desk, admin, COUNTY)
    assert [one.standing for one in shown.certificates] == ["revoked"]


async def test_a_number_never_comes_again_and_follows_the_clock(ends: Ends) -> None:
    city = ends.city
    await step_all(city)
    [(_, first)] = await kept(city)
    # A clock that goes back does not take the numbers with it.
    ends.wait(-3600)
    await standing.revoke(city.room.desk, city.room.admin, COUNTY, "被盗")
    await step_all(city)
    [(_, second)] = await kept(city)
    assert second == first + 1


async def test_a_node_that_was_killed_before_the_list_was_stored_signs_it_again(
    ends: Ends,
) -> None:
    killed = patch.object(revoker.revocation_lists, "store", side_effect=KilledError)
    with killed, pytest.raises(KilledError):
        await revoker_of(ends.city).step()
    assert await kept(ends.city) == []
    await step_all(ends.city)
    assert len(await kept(ends.city)) == 1


async def test_a_list_has_room_for_reasons_of_full_length_in_one_message() -> None:
    reason = "密" * 200
    entry = {
        "serial": "f" * 40,
        "node": "a" * 40,
        "at": "2026-11-26T08:00:00.123456Z",
        "compromised_since": "2026-11-26T08:00:00.123456Z",
        "reason": reason,
    }
    entries = [entry | {"serial": f"{number:040x}"} for number in range(MOST_REVOKED)]
    content = Content.model_validate(
        {
            "issuer": "a" * 40,
            "number": 2**53 - 1,
            "issued_at": "2026-11-26T08:00:00Z",
            "next_update": "2026-12-10T08:00:00Z",
            "revoked": entries,
        }
    )
    token = MAXIMUM_HEADER * 4 / 3 + len(content.model_dump_json().encode()) * 4 / 3
    assert token < outbox.MOST_BYTES - 1_000
