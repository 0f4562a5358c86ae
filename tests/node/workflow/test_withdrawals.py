"""An author takes an item back: possible until the office that has it has taken it up."""

from __future__ import annotations

from uuid import UUID

import pytest

from node.workflow import decisions, forwarding, reading, withdrawals
from node.workflow.withdrawals import REFUSED
from protocol.errors import LifecycleError
from protocol.lifecycle import Action
from tests.node.chain import Chain
from tests.node.rooms import Room, contents
from tests.node.workflow.deeds import do, item_after

REASON = "数字有误，改后再报。"


@pytest.mark.parametrize("before", [(), (Action.RETURN,)], ids=["new", "returned"])
async def test_an_item_that_was_not_taken_up_is_taken_back_at_once(
    county: Room, before: tuple[Action, ...]
) -> None:
    item = await item_after(county, *before)
    await withdrawals.withdraw(county.desk, county.lin, item, REASON)

    assert await county.state(item) == "withdrawn"
    assert (await county.told_of(county.lin))[-1] == "东湖县政协同意撤回。"


async def test_an_item_that_the_office_took_up_is_not_taken_back(county: Room) -> None:
    item = await county.registered()
    before = await contents(county.database)
    with pytest.raises(LifecycleError, match="cannot withdraw: the item is registered"):
        await withdrawals.withdraw(county.desk, county.lin, item, REASON)
    assert await contents(county.database) == before


async def test_an_item_that_waits_at_the_office_above_is_given_back(pair: Chain) -> None:
    item = await _forwarded(pair)
    await withdrawals.withdraw(pair.county.desk, pair.county.lin, item, REASON)
    assert (await pair.county.timeline(item))[-1] == ("donghu", "withdrawal_requested")

    await pair.deliver()

    assert await pair.above.state(item) == "withdrawn"
    assert (await pair.county.timeline(item))[-1] == (pair.line[1], "withdrawn")
    office = pair.above.desk.office.name
    assert (await pair.county.told_of(pair.county.lin))[-1] == f"{office}同意撤回。"


async def test_an_item_that_the_office_above_took_up_stays_there_and_the_author_reads_why(
    pair: Chain,
) -> None:
    item = await _forwarded(pair)
    await decisions.register(pair.above.desk, pair.above.editor, item)
    await pair.deliver()

    await withdrawals.withdraw(pair.county.desk, pair.county.lin, item, REASON)
    await pair.deliver()

    assert await pair.above.state(item) == "registered"
    office = pair.above.desk.office.name
    assert (await pair.county.told_of(pair.county.lin))[
        -1
    ] == f"{office}未同意撤回，理由：{REFUSED}"


async def test_the_office_above_takes_up_nothing_that_it_gave_back(pair: Chain) -> None:
    item = await _forwarded(pair)
    await withdrawals.withdraw(pair.county.desk, pair.county.lin, item, REASON)
    await pair.deliver()
    with pytest.raises(LifecycleError, match="the item is withdrawn"):
        await decisions.register(pair.above.desk, pair.above.editor, item)


async def test_asking_twice_before_the_answer_came_is_answered_once(pair: Chain) -> None:
    item = await _forwarded(pair)
    await withdrawals.withdraw(pair.county.desk, pair.county.lin, item, REASON)
    await withdrawals.withdraw(pair.county.desk, pair.county.lin, item, REASON)
    await pair.deliver()

    answers = [entry for entry in await pair.county.timeline(item) if entry[0] == "yunzhou"]
    assert answers == [("yunzhou", "withdrawn")]


async def test_an_item_that_was_given_back_is_not_asked_for_again(pair: Chain) -> None:
    item = await _forwarded(pair)
    await withdrawals.withdraw(pair.county.desk, pair.county.lin, item, REASON)
    await pair.deliver()
    await _is_not_asked_for(pair.county, item)


async def test_a_closed_item_is_not_asked_for(pair: Chain) -> None:
    item = await _forwarded(pair)
    await do(pair.county, Action.CLOSE, item)
    await _is_not_asked_for(pair.county, item)


@pytest.mark.parametrize("decision", [Action.ADOPT, Action.DECLINE, Action.CLOSE])
async def test_what_the_office_above_decided_is_not_asked_for(
    pair: Chain, decision: Action
) -> None:
    item = await _forwarded(pair)
    await decisions.register(pair.above.desk, pair.above.editor, item)
    await do(pair.above, decision, item)
    await pair.deliver()
    await _is_not_asked_for(pair.county, item)


@pytest.mark.parametrize("hierarchy", ["3"], indirect=True)
async def test_what_the_province_has_the_city_does_not_give_back(chain: Chain) -> None:
    item = await chain.county.submit()
    await chain.climb(item)

    await withdrawals.withdraw(chain.county.desk, chain.county.lin, item, REASON)
    await chain.deliver()

    assert (await chain.county.timeline(item))[-1] == (chain.line[1], "withdrawal_refused")
    assert await chain.top.state(item) == "registered"


async def _forwarded(chain: Chain) -> UUID:
    item = await chain.county.registered()
    await forwarding.forward_up(chain.county.desk, chain.county.editor, item)
    await chain.deliver()
    return item


async def _is_not_asked_for(room: Room, item: UUID) -> None:
    assert "withdraw" not in (await reading.view(room.desk, room.lin, item)).actions
    before = await contents(room.database)
    with pytest.raises(LifecycleError, match="cannot withdraw"):
        await withdrawals.withdraw(room.desk, room.lin, item, REASON)
    assert await contents(room.database) == before
