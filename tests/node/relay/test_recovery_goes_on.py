"""A recovery ends, whatever a neighbour purges meanwhile, and whatever comes back."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from node.relay.recovery import ASK_ANEW, ATTEMPTS, StuckError
from node.storage.items import Item
from node.storage.messages import Quarantined
from node.storage.recovery import Recovery, Returned
from node.workflow import forwarding, rebuild
from node.workflow.desk import Desk
from protocol.envelope import Opened
from protocol.errors import LifecycleError
from tests.node.relay import restoring
from tests.node.relay.ends import COUNTY, SIBLING, Ends
from tests.node.relay.test_purged_again import forwarded, purge


async def test_what_a_neighbour_named_and_then_purged_is_not_waited_for_for_ever(
    each_ends: Ends,
) -> None:
    ends = each_ends
    backup = await restoring.back_up(ends.city)
    item = await forwarded(ends)
    recoverer = await restoring.restore(ends.city, backup)
    await restoring.waive(ends.city, SIBLING)
    await restoring.run(recoverer.step)
    await ends.city.send_all()
    # It answers that it sends the item again, and before it does, the item is purged.
    await ends.county.take_all()
    await purge(ends.county, item)
    await restoring.recover(ends, recoverer)
    assert not await restoring.is_recovered(ends.city)
    ends.wait(ASK_ANEW.total_seconds())
    assert recoverer.due is not None
    assert recoverer.due <= ends.city.clock()
    await restoring.recover(ends, recoverer)
    assert await restoring.is_recovered(ends.city)
    assert await restoring.returned(ends.city) == 0


async def test_what_only_takes_its_time_is_not_asked_for_again(ends: Ends) -> None:
    backup = await restoring.back_up(ends.city)
    await forwarded(ends)
    recoverer = await restoring.restore(ends.city, backup)
    await restoring.waive(ends.city, SIBLING)
    await restoring.run(recoverer.step)
    await ends.city.send_all()
    await ends.county.take_all()
    ends.wait(ASK_ANEW.total_seconds() / 2)
    await restoring.recover(ends, recoverer)
    assert await restoring.is_recovered(ends.city)
    async with ends.city.room.database.reading() as session:
        assert (await session.get_one(Recovery, COUNTY)).answered_at is not None


@pytest.mark.parametrize(
    ("error", "code", "attempts"),
    [
        (LifecycleError("no such step"), LifecycleError.code, 1),
        (KeyError("number"), "message.poison", ATTEMPTS),
    ],
    ids=["refused", "unforeseen"],
)
async def test_a_message_that_cannot_be_entered_again_is_put_aside_and_the_others_are_entered(
    ends: Ends, monkeypatch: pytest.MonkeyPatch, error: Exception, code: str, attempts: int
) -> None:
    backup = await restoring.back_up(ends.county)
    county = ends.county.room
    good, bad = [await county.registered() for _ in range(2)]
    for item in (good, bad):
        await forwarding.forward_up(county.desk, county.editor, item)
    await ends.exchange()
    own, tried = rebuild.own, 0

    async def fails(session: object, desk: Desk, message: Opened, now: object) -> None:
        nonlocal tried
        await own(session, desk, message, now)  # type: ignore[arg-type]
        if message.event.subject == bad and message.name == "submission":
            tried += 1
            raise error

    monkeypatch.setattr(rebuild, "own", fails)
    recoverer = await restoring.restore(ends.county, backup)
    for _ in range(attempts - 1):
        with pytest.raises(StuckError) as raised:
            await restoring.recover(ends, recoverer)
        assert raised.value.__cause__ is error
    await restoring.recover(ends, recoverer)
    assert tried == attempts
    assert await restoring.is_recovered(ends.county)
    [held] = await ends.county.quarantine()
    assert (held.code, held.queue, held.state) == (code, "recovery", "held")
    async with ends.county.room.database.reading() as session:
        assert (await session.get_one(Item, good)).forwarded_edition == 1
        assert (await session.scalars(select(Returned))).all() == []
        assert (await session.scalars(select(Quarantined.message_id))).one() is not None
