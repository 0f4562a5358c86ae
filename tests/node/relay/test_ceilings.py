"""A link carries items up to the level that is set for it, at either end."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from node.errors import LinkLevelError, UnknownOfficeError
from node.storage.audit import AuditRow
from node.workflow import ceilings, decisions, forwarding, links
from protocol.identifiers import NodeId
from tests.node.browser import problem, visit
from tests.node.relay.ends import CITY, COUNTY, End, Ends
from tests.node.rooms import contents


async def limit(end: End, peer: NodeId) -> None:
    """From now on the link carries what is public, and no more."""
    await ceilings.limit(end.room.desk, end.room.admin, peer, "public")


async def test_an_item_above_the_level_is_not_forwarded_and_stays_as_it_was(ends: Ends) -> None:
    county = ends.county.room
    item = await county.registered()
    await limit(ends.county, CITY)
    before = await contents(county.database)
    with pytest.raises(LinkLevelError, match="internal is above public"):
        await forwarding.forward_up(county.desk, county.editor, item)
    assert await contents(county.database) == before


async def test_what_is_public_goes_and_facts_come_back(ends: Ends) -> None:
    county, city = ends.county.room, ends.city.room
    await limit(ends.county, CITY)
    await limit(ends.city, COUNTY)
    item = await county.registered(classification="public")
    await forwarding.forward_up(county.desk, county.editor, item)
    await ends.exchange()
    await decisions.register(city.desk, city.editor, item)
    await ends.exchange()
    assert ("yunzhou", "registered") in await county.timeline(item)


async def test_an_item_above_the_receivers_own_level_is_refused_for_good(
    ends: Ends,
) -> None:
    county = ends.county.room
    item = await county.registered()
    await limit(ends.city, COUNTY)
    await forwarding.forward_up(county.desk, county.editor, item)
    await ends.exchange()
    [held] = await ends.city.quarantine()
    assert (held.code, held.permanent) == ("link.level", True)
    assert await ends.city.items() == 0
    [refused] = [row for row in await ends.county.outbox() if row.name == "submission"]
    assert (refused.state, refused.code) == ("refused", "link.level")


def test_of_several_levels_the_highest_counts() -> None:
    with pytest.raises(LinkLevelError):
        ceilings.demand(["public", "internal"], "public")
    ceilings.demand(["public", "internal"], "internal")


async def test_who_set_the_level_is_in_the_audit_log_and_the_link_shows_it(ends: Ends) -> None:
    county = ends.county.room
    assert (await links.show(county.desk, county.admin, CITY)).highest_level == "internal"
    async with visit(county, "admin") as client:
        path = f"/api/v1/links/{CITY}"
        answer = await client.post(f"{path}/limit", json={"highest_level": "public"})
        assert answer.status_code == 204
        assert (await client.get(path)).json()["highest_level"] == "public"
        secret = await client.post(f"{path}/limit", json={"highest_level": "secret"})
        problem(secret, 422, "input.invalid")
    async with county.database.reading() as session:
        noted = select(AuditRow.detail).where(AuditRow.action == "link_limited")
        assert (await session.scalars(noted)).all() == [{"level": "public"}]
    with pytest.raises(UnknownOfficeError):
        await limit(ends.county, NodeId("nowhere"))
