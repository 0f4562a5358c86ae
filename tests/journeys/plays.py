"""What offices do while one of them moves, on whatever servers, and what must hold after it."""

from __future__ import annotations

from uuid import UUID

import pytest

from node.bootstrap import evidence
from node.errors import ForwardedError
from node.move_errors import LinkEndedError, UndrainedError
from node.workflow import decisions, endings, forwarding, merging, outbox, withdrawals
from node.workflow.merging import Combination
from protocol import bundle
from protocol.identifiers import NodeId
from protocol.messages.calls import TopicGuide
from protocol.trust import Chains
from tests.factories import make_fact, make_feedback
from tests.journeys import moves, travel
from tests.journeys.travel import Journey
from tests.node.rooms import Room
from tests.offices import Plan
from tests.waiting import until

DONGHU = Plan("donghu", "东湖县政协", "county")
NANHE = Plan("nanhe", "南河区政协", "county")
YUNZHOU = Plan("yunzhou", "云州市政协", "city", (DONGHU,))
LANJIANG = Plan("lanjiang", "澜江市政协", "city", (NANHE,))
PROVINCE = Plan("jiangyuan", "江原省政协", "province", (YUNZHOU, LANJIANG))
ALL = ("donghu", "yunzhou", "lanjiang", "jiangyuan")


async def move_the_county(journey: Journey) -> None:
    """A county moves from one city to the other, with items at the city that it leaves."""
    county, city, other = (journey.rooms[name] for name in ("donghu", "yunzhou", "lanjiang"))
    before, undecided = await county.submit(), await county.submit()
    for item in (before, undecided):
        await moves.climb(journey, item, "donghu", "yunzhou")
    under_way = await county.submit()
    await moves.climb(journey, under_way, "donghu")
    async with journey.off("yunzhou"):
        await forwarding.forward_up(county.desk, county.editor, under_way)
        await moves.move(journey, "donghu", "lanjiang")
        county = journey.rooms["donghu"]
        with pytest.raises(UndrainedError):
            await endings.end(county.desk, county.admin, "yunzhou")
    city = journey.rooms["yunzhou"]
    after = await county.submit()
    await moves.climb(journey, after, "donghu", "lanjiang", "jiangyuan")
    await journey.arrived("yunzhou", [under_way])
    # What the city has goes on there, in both directions.
    await decisions.register(city.desk, city.editor, under_way)
    await withdrawals.withdraw(county.desk, county.lin, under_way, "写错了。")
    await moves.heard(county, under_way, "yunzhou", "withdrawal_refused")
    await forwarding.forward_up(city.desk, city.editor, before)
    await moves.climb(journey, before, "jiangyuan")
    province = journey.rooms["jiangyuan"]
    for item in (before, after):
        await decisions.adopt(province.desk, province.editor, item, issue="2026年第46期")
        await moves.heard(county, item, "jiangyuan", "adopted")
    await decisions.adopt(other.desk, other.editor, after, issue="2026年第9期")
    await decisions.decline(city.desk, city.editor, under_way, "不采用。")
    await moves.heard(county, under_way, "yunzhou", "declined")
    await moves.heard(county, after, "lanjiang", "adopted")
    await moves.settled(journey)
    for item in (before, under_way, after):
        await moves.told_once(county, item)
    for item in (before, after):
        exported = await evidence.export(county.node, county.editor, item)
        roots = [*county.desk.chains.roots]
        verdict = bundle.verify(bundle.read(bundle.write(exported)), Chains(roots))
        assert verdict.flaws == []
        offices = {stated.proven.fact.office.id for stated in verdict.facts}
        assert offices >= {"donghu", "jiangyuan"}
    await speak_as_if_nothing_had_moved(city, after)
    await until(lambda: moves.refused_codes(county, 2), travel.SECONDS)
    assert await moves.refused(county) == ["link.ending", "link.not_sent"]
    # The link ends: nothing more goes either way.
    await endings.end(county.desk, county.admin, "yunzhou", force=True)
    with pytest.raises(LinkEndedError):
        await withdrawals.withdraw(county.desk, county.lin, undecided, "太晚了。")
    await endings.end(city.desk, city.admin, "donghu")
    for room in journey.rooms.values():
        assert room is county or await moves.refused(room) == [], room.desk.node


async def speak_as_if_nothing_had_moved(city: Room, item: UUID) -> None:
    """The former parent sends new work, and a fact about an item that it never had."""
    fact = make_fact(
        "registered", office=city.desk.office, sequence=1, at=city.desk.clock(), number="1"
    )
    async with city.database.writing.begin() as session:
        for content, subject in (
            (TopicGuide(period="四季度", topics=["冬修"], pass_on=False), None),
            (make_feedback(fact), item),
        ):
            now = city.desk.clock()
            outbox.post(session, city.desk, content, to=NodeId("donghu"), now=now, subject=subject)


async def move_the_city(journey: Journey) -> None:
    """A city moves under another one, with its county and what is under way."""
    county = journey.rooms["donghu"]
    before, between = await county.submit(), await county.submit()
    await moves.climb(journey, before, "donghu", "yunzhou", "jiangyuan")
    await moves.climb(journey, between, "donghu", "yunzhou")
    await moves.move(journey, "yunzhou", "lanjiang")
    await moves.placed(county, "jiangyuan/lanjiang/yunzhou/donghu")
    after = await county.submit()
    await moves.climb(journey, after, "donghu", "yunzhou", "lanjiang", "jiangyuan")
    # What the county sent under the former chain goes up under the new one.
    city = journey.rooms["yunzhou"]
    await forwarding.forward_up(city.desk, city.editor, between)
    await moves.climb(journey, between, "lanjiang", "jiangyuan")
    province = journey.rooms["jiangyuan"]
    for item in (before, between, after):
        await decisions.adopt(province.desk, province.editor, item, issue="2026年第46期")
        await moves.heard(county, item, "jiangyuan", "adopted")
        await moves.told_once(county, item)
    await moves.settled(journey)


async def follow_the_moved_city(journey: Journey, item: UUID) -> None:
    """An item climbs through all of them, and what became of it comes home."""
    await moves.climb(journey, item, "donghu", "yunzhou", "lanjiang", "jiangyuan")
    province = journey.rooms["jiangyuan"]
    await decisions.adopt(province.desk, province.editor, item, issue="2026年第47期")
    await moves.heard(journey.rooms["donghu"], item, "jiangyuan", "adopted")
    await moves.settled(journey)


async def go_and_come_back(journey: Journey) -> None:
    """A county is moved to another city and, before its old link has ended, back again."""
    first, second, third = [await journey.rooms["donghu"].submit() for _ in range(3)]
    await moves.climb(journey, first, "donghu", "yunzhou")
    await moves.move(journey, "donghu", "lanjiang")
    await moves.climb(journey, second, "donghu", "lanjiang")
    await moves.move(journey, "donghu", "yunzhou")
    await moves.climb(journey, third, "donghu", "yunzhou", "jiangyuan")
    county = journey.rooms["donghu"]
    for office, item in (("yunzhou", first), ("lanjiang", second), ("yunzhou", third)):
        city = journey.rooms[office]
        await decisions.adopt(city.desk, city.editor, item, issue="2026年第9期")
        await moves.heard(county, item, office, "adopted")
        await moves.told_once(county, item)
    province = journey.rooms["jiangyuan"]
    await decisions.adopt(province.desk, province.editor, third, issue="2026年第48期")
    await moves.heard(county, third, "jiangyuan", "adopted")
    await moves.settled(journey)
    for room in journey.rooms.values():
        assert await moves.refused(room) == [], room.desk.node


async def merge_after_the_move(journey: Journey) -> None:
    """A county merges what its former city declined; what that city has stays there."""
    county, city = journey.rooms["donghu"], journey.rooms["yunzhou"]
    declined, kept, fresh = [await county.submit() for _ in range(3)]
    for item in (declined, kept):
        await moves.climb(journey, item, "donghu", "yunzhou")
    await moves.climb(journey, fresh, "donghu")
    await decisions.decline(city.desk, city.editor, declined, "不采用。")
    await moves.heard(county, declined, "yunzhou", "declined")
    await moves.move(journey, "donghu", "lanjiang")
    county = journey.rooms["donghu"]
    with pytest.raises(ForwardedError):
        await merging.merge(county.desk, county.editor, combination(kept, fresh))
    await merging.merge(county.desk, county.editor, combination(declined, fresh))
    assert await county.state(fresh) == "merged"


def combination(*items: UUID) -> Combination:
    return Combination(items=list(items), title="合并稿", body="合并后的正文。")
