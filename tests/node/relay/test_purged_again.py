"""A backup from before a purge is restored: the contents go again, and nobody sends them back."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from node.storage.items import Item
from node.workflow import accounts, decisions, forwarding, purges
from tests.node.erased import BODY, TITLE, written
from tests.node.relay import restoring
from tests.node.relay.ends import CITY, COUNTY, SIBLING, End, Ends

REASON = "误报内部事项"


async def forwarded(ends: Ends) -> UUID:
    """An item of the county that the city has, and has registered."""
    county, city = ends.county.room, ends.city.room
    item = await county.registered(title=TITLE, body=BODY)
    await forwarding.forward_up(county.desk, county.editor, item)
    await ends.exchange()
    await decisions.register(city.desk, city.editor, item)
    await ends.exchange()
    return item


async def purge(end: End, item: UUID) -> None:
    """The office's security administrator purges the item."""
    await purges.purge(end.room.desk, end.room.security, item, REASON)


async def go_on(ends: Ends, lost: End, backup: restoring.Backup) -> None:
    """The office loses its disk, and goes on from the backup until it has recovered."""
    recoverer = await restoring.restore(lost, backup)
    if lost.node == CITY:
        await restoring.waive(lost, SIBLING)
    await restoring.recover(ends, recoverer)
    assert await restoring.is_recovered(lost)


async def demand_gone(ends: Ends, item: UUID) -> None:
    """Nothing of the item is anywhere, and both ends count the same."""
    for end in (ends.county, ends.city):
        assert await written(end.room.database) == [], end.node
    ends.wait(timedelta(hours=2).total_seconds())
    for _ in range(2):
        for end, peer in ((ends.county, CITY), (ends.city, COUNTY)):
            await accounts.reconcile(end.room.desk, end.room.admin, peer)
        await ends.exchange()
    for end, peer in ((ends.county, CITY), (ends.city, COUNTY)):
        async with end.room.database.reading() as session:
            agreed = (await accounts.agreements(session, peer))[peer]
        assert (agreed.differing, agreed.sent_until is None) == (0, False), end.node


@pytest.mark.parametrize("decider", ["county", "city"])
@pytest.mark.parametrize("lost", ["county", "city"])
async def test_whoever_decided_and_whoever_lost_its_disk_the_contents_go_again(
    ends: Ends, decider: str, lost: str
) -> None:
    item = await forwarded(ends)
    backup = await restoring.back_up(getattr(ends, lost))
    await purge(getattr(ends, decider), item)
    await ends.exchange()
    await go_on(ends, getattr(ends, lost), backup)
    await demand_gone(ends, item)
    room = getattr(ends, lost).room
    seen = await purges.status(room.desk, room.security, item)
    assert [answer.purged_at is not None for answer in seen.offices] == [True]


@pytest.mark.parametrize("lost", ["county", "city"])
async def test_a_backup_from_before_the_item_was_sent_gets_nothing_of_it_back(
    ends: Ends, lost: str
) -> None:
    backup = await restoring.back_up(getattr(ends, lost))
    item = await forwarded(ends)
    await purge(ends.city, item)
    await ends.exchange()
    await go_on(ends, getattr(ends, lost), backup)
    await demand_gone(ends, item)
    async with getattr(ends, lost).room.database.reading() as session:
        assert await session.get(Item, item) is None


async def test_what_the_neighbour_has_not_purged_yet_comes_back_without_its_contents(
    each_ends: Ends,
) -> None:
    ends = each_ends
    item = await forwarded(ends)
    backup = await restoring.back_up(ends.county)
    await purge(ends.county, item)
    await ends.county.send_all()
    # The city answers what it has before it has read the purge.
    await go_on(ends, ends.county, backup)
    await demand_gone(ends, item)


async def test_an_item_that_never_left_is_purged_again_because_of_its_witness(ends: Ends) -> None:
    item = await ends.county.room.registered(title=TITLE, body=BODY)
    backup = await restoring.back_up(ends.county)
    await purge(ends.county, item)
    await ends.exchange()
    await go_on(ends, ends.county, backup)
    assert await written(ends.county.room.database) == []
    async with ends.county.room.database.reading() as session:
        found = await session.scalars(select(Item.purged_at).where(Item.id == item))
        assert found.one() is not None


@pytest.mark.parametrize("decider", ["county", "city"])
async def test_a_restored_office_purges_before_everybody_has_answered(
    ends: Ends, decider: str
) -> None:
    item = await forwarded(ends)
    backup = await restoring.back_up(ends.city)
    await purge(getattr(ends, decider), item)
    await ends.exchange()
    # 西山 is off, and nobody has waived it.
    await restoring.recover(ends, await restoring.restore(ends.city, backup))
    assert not await restoring.is_recovered(ends.city)
    assert await written(ends.city.room.database) == []
