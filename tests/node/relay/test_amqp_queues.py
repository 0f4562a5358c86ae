"""Queues of a real broker: their policies, a full one, a missing one, those for dead letters."""

from __future__ import annotations

import json
from uuid import UUID

import pytest
from sqlalchemy import select

from node.bootstrap import enrolment
from node.config import OfficeSettings
from node.relay import policies
from node.relay.topology import Queue
from node.storage.messages import Outgoing
from protocol.identifiers import NodeId
from tests.node.relay.brokered import CITY, COUNTY, DOWN, HUB, SIBLING, UP, Brokered
from tests.offices import take_in
from tests.waiting import until


async def test_every_queue_of_the_hub_has_its_limits_and_its_dead_letters_set_by_policy(
    place: Brokered,
) -> None:
    await place.start(CITY)
    await place.limited()
    found = await place.policies()
    queues = HUB.queues([COUNTY, SIBLING])
    assert set(found) == {queue.name for queue in queues}
    for queue in queues:
        assert found[queue.name]["definition"] == {
            "delivery-limit": policies.DELIVERY_LIMIT,
            "max-length-bytes": policies.MAXIMUM_BYTES,
            "overflow": "reject-publish",
            "dead-letter-strategy": "at-least-once",
            "dead-letter-exchange": HUB.dead_exchange,
            "dead-letter-routing-key": queue.dead,
        }
    # The broker has really matched each to its queue, and to no other.
    listed = place.server.ctl(
        "--formatter", "json", "list_queues", "-p", place.virtual_host, "name", "policy"
    )
    matched = {row["name"]: row["policy"] for row in json.loads(listed)}
    assert matched == {queue.name: queue.name for queue in queues} | {
        queue.dead: "" for queue in queues
    }


async def test_without_the_management_api_messages_go_all_the_same(place: Brokered) -> None:
    file = place.hierarchy.folder / CITY / "zhitong.toml"
    lines = file.read_text().splitlines()
    file.write_text("\n".join(line for line in lines if not line.startswith("management")))
    await place.start(CITY, COUNTY)
    await place.ready()
    assert await place.policies() == {}
    await place.demand_once(await place.traffic(2))


async def test_a_management_api_that_does_not_answer_stops_no_message(place: Brokered) -> None:
    file = place.hierarchy.folder / CITY / "zhitong.toml"
    closed = "http://127.0.0.1:9"
    file.write_text(file.read_text().replace(place.server.management_url, closed))
    await place.start(CITY, COUNTY)
    await place.ready()
    await place.demand_once(await place.traffic(2))


async def test_a_full_queue_refuses_and_what_it_refused_is_sent_when_there_is_room(
    place: Brokered, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policies, "MAXIMUM_BYTES", 10_000)
    await place.start(CITY, COUNTY)
    await place.ready()
    await place.limited()
    await place.stop(CITY)
    items: list[UUID] = []
    # The limit takes effect a moment late, so one after the other.
    while "pending" not in await place.pending(COUNTY):
        assert len(items) < 200, "the queue takes everything"
        items += await place.traffic(1)
        await until(lambda: all_tried(place), what="an answer of the broker")
    assert "sent" in await place.pending(COUNTY)
    await place.start(CITY)
    await place.demand_once(items)


async def all_tried(place: Brokered) -> bool:
    """Whether the broker took or refused everything that the county has."""
    async with place.county.database.reading() as session:
        again = await session.scalars(select(Outgoing.resend_at).where(Outgoing.priority > 0))
        return None not in list(again)


async def test_what_is_sent_to_a_child_without_a_queue_stays_pending_until_there_is_one(
    place: Brokered,
) -> None:
    await place.start(CITY, COUNTY)
    await place.ready()
    items = await place.traffic(3)
    await place.arrived(items)
    await place.settled()
    await place.stop(COUNTY)
    async with place.channel() as channel:
        await channel.queue_delete(DOWN.name)
    await place.decide(items)
    await until(lambda: refused_again(place), what="facts that nobody keeps")
    assert await place.pending(CITY) == ["pending"] * 3
    place.transport(CITY).children_changed()
    await until(lambda: place.exists(DOWN))
    await place.start(COUNTY)
    await place.settled()
    for item in items:
        assert (await place.county.timeline(item)).count((CITY, "registered")) == 1


async def refused_again(place: Brokered) -> bool:
    """The publisher has tried, and put off trying again."""
    async with place.city.database.reading() as session:
        rows = list(
            await session.execute(
                select(Outgoing.state, Outgoing.resend_at).where(Outgoing.name == "feedback")
            )
        )
    return len(rows) == 3 and all(again is not None for _, again in rows)


async def bury(place: Brokered, queue: Queue, count: int) -> None:
    """A rogue consumer that fails on everything, again and again, until nothing is left."""

    async def rejected() -> bool:
        """Reject what can be had; whether all are among the dead letters."""
        while message := await found.get(fail=False, no_ack=False):
            await message.nack(requeue=True)
        return await place.depth(queue.dead) >= count

    async with place.channel() as channel:
        found = await channel.get_queue(queue.name, ensure=False)
        await until(rejected, what=f"{count} dead letters in {queue.dead}")


async def test_messages_that_killed_their_consumer_too_often_are_taken_from_the_dead_letters(
    place: Brokered,
) -> None:
    await place.start(CITY, COUNTY)
    await place.ready()
    await place.limited()
    await place.stop(CITY)
    items = await place.traffic(3)
    await sent(place, COUNTY, 3)
    await place.stop(COUNTY)
    await bury(place, UP, 3)
    await place.start(CITY, COUNTY)
    await place.arrived(items)
    await place.settled()
    await place.stop(COUNTY)
    await place.decide(items)
    await sent(place, CITY, 3)
    await place.stop(CITY)
    await bury(place, DOWN, 3)
    await place.start(CITY, COUNTY)
    await place.settled()
    for item in items:
        assert (await place.county.timeline(item)).count((CITY, "registered")) == 1
    for queue in (UP, DOWN):
        await until(lambda queue=queue: empty(place, queue.dead), what="no dead letters")


async def sent(place: Brokered, office: str, count: int) -> None:
    """Wait until the broker has confirmed what the office sends."""

    async def confirmed() -> bool:
        return await place.pending(office) == ["sent"] * count

    await until(confirmed, what=f"{count} messages in the queue")


async def empty(place: Brokered, queue: str) -> bool:
    return await place.depth(queue) == 0


async def test_a_child_that_is_certified_while_its_hub_runs_gets_its_queues(
    place: Brokered,
) -> None:
    await place.start(CITY)
    await until(lambda: place.transport(CITY).reachable(COUNTY))
    child = NodeId("beihu")
    assert not await place.exists(HUB.down(child))
    folder = place.hierarchy.folder / child
    office = OfficeSettings(id=child, name="北湖县政协", level="county")
    enrolment.prepare(folder, office, {"database": {"url": "sqlite+aiosqlite:///:memory:"}})
    await take_in(place.hierarchy.settings(CITY), folder)
    await until(lambda: place.exists(HUB.down(child)))

    async def limited() -> bool:
        return HUB.down(child).name in await place.policies()

    await until(limited, what="the policy of the new queue")
