"""A real broker whose connections break in every way that is known: what was sent meanwhile arrives
once, in both directions.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import pytest
from aio_pika.abc import AbstractChannel, AbstractExchange

from node.relay import amqp, routes
from node.relay.routes import AmqpTransport
from node.relay.topology import Queue
from node.relay.transport import Delivery, Parcel
from tests.node.relay.brokered import CITY, COUNTY, DOWN, UP, Brokered
from tests.servers.rabbitmq import RabbitMQ
from tests.waiting import until


@pytest.fixture
async def running(place: Brokered) -> Brokered:
    """Both offices are running and can reach one another."""
    await place.start(CITY, COUNTY)
    await place.ready()
    return place


async def test_messages_go_both_ways(running: Brokered) -> None:
    await running.demand_once(await running.traffic(5))


async def test_what_is_under_way_when_every_connection_is_cut_arrives_once(
    running: Brokered,
) -> None:
    first, _ = await asyncio.gather(running.traffic(10), running.server.close_connections())
    second, _ = await asyncio.gather(running.traffic(10), running.server.close_connections())
    await running.demand_once(first + second)


@pytest.mark.parametrize("name", [UP.name, UP.dead, DOWN.name, DOWN.dead])
async def test_a_queue_that_an_operator_deletes_comes_back_and_messages_with_it(
    place: Brokered, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(amqp, "REFRESH_SECONDS", 0.5)
    await place.start(CITY, COUNTY)
    await place.ready()
    first = await place.traffic(3)
    async with place.channel() as channel:
        await channel.queue_delete(name)
    await place.demand_once(first + await place.traffic(3))


@pytest.mark.parametrize("name", [UP.name, DOWN.name])
async def test_a_queue_that_goes_at_the_moment_at_which_the_hub_looks_leaves_no_deaf_reader(
    place: Brokered, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(amqp, "REFRESH_SECONDS", 0.5)
    await place.start(CITY, COUNTY)
    await place.ready()
    await place.demand_once(await place.traffic(3))
    look, gone = routes._exchange, asyncio.Event()

    async def delete_and_look(
        channel: AbstractChannel, exchange: str, passive: bool
    ) -> AbstractExchange:
        if passive and not gone.is_set():
            gone.set()
            async with place.channel() as other:
                await other.queue_delete(name)
        return await look(channel, exchange, passive)

    monkeypatch.setattr(routes, "_exchange", delete_and_look)
    await gone.wait()
    await place.demand_once(await place.traffic(3))


@pytest.mark.parametrize("name", [UP.exchange, DOWN.exchange])
async def test_an_exchange_that_an_operator_deletes_comes_back(
    place: Brokered, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Publishing to it closes the channel, and nothing else."""
    monkeypatch.setattr(amqp, "REFRESH_SECONDS", 0.5)
    await place.start(CITY, COUNTY)
    await place.ready()
    first = await place.traffic(3)
    async with place.channel() as channel:
        await channel.exchange_delete(name)
    await place.demand_once(first + await place.traffic(3))


@pytest.mark.parametrize(
    ("queue", "reader"), [(UP, CITY), (DOWN, COUNTY)], ids=["going up", "going down"]
)
async def test_what_was_in_a_queue_that_an_operator_deleted_is_sent_again(
    running: Brokered, queue: Queue, reader: str
) -> None:
    items = await running.traffic(3) if reader == COUNTY else []
    await running.arrived(items)
    await running.settled()
    await running.stop(reader)
    if reader == CITY:
        items = await running.traffic(3)
    else:
        await running.decide(items)
    await until(lambda: holds(running, queue.name, 3), what="three messages in the queue")
    async with running.channel() as channel:
        await channel.queue_delete(queue.name)
        if reader == COUNTY:
            # Nobody but the hub declares it; the county comes back first.
            running.transport(CITY).children_changed()
    await running.start(reader)
    if reader == CITY:
        await running.demand_once(items)
    else:
        await running.settled()
        assert [await running.county.state(item) for item in items] == ["registered"] * 3
        for item in items:
            assert (CITY, "registered") in await running.county.timeline(item)


async def holds(place: Brokered, queue: str, count: int) -> bool:
    """Whether so many wait there; probes and messages of the link may be beside them."""
    return await place.depth(queue) >= count


@pytest.fixture
async def alarm(rabbitmq: RabbitMQ) -> AsyncIterator[Callable[[bool], Awaitable[None]]]:
    """Raises and lowers the broker's memory alarm; it is lowered at the end in any case."""

    async def set_alarm(on: bool) -> None:
        await asyncio.to_thread(rabbitmq.set_memory_alarm, on)

    yield set_alarm
    await set_alarm(False)


async def test_under_a_memory_alarm_messages_are_taken_in_and_acknowledged_and_publishing_waits(
    running: Brokered,
    alarm: Callable[[bool], Awaitable[None]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = await running.traffic(5)
    await running.arrived(first)
    await running.settled()
    await running.stop(COUNTY)
    await running.decide(first)
    await until(lambda: holds(running, DOWN.name, 5), what="five facts in the queue")
    await alarm(True)
    # The county reads nothing before the broker has stopped reading what it publishes.
    with monkeypatch.context() as patch:
        patch.setattr(AmqpTransport, "take", nothing)
        await running.start(COUNTY)
        second = await running.traffic(5)
        await until(lambda: blocked(running), what="a connection that is not read")
    # What arrived meanwhile woke it in vain.
    for loop in running.rooms[COUNTY].node._loops:
        loop.wake()
    for item in first:
        await until(lambda item=item: told(running, item), what="the fact below")
    await until(lambda: acknowledged(running), what="the facts acknowledged")
    assert await running.pending(COUNTY) == ["pending"] * 5
    assert await running.depth(UP.name) == 0
    await alarm(False)
    await running.demand_once(second)
    await running.settled()


async def nothing(self: AmqpTransport, limit: int) -> list[Delivery]:
    return []


async def acknowledged(place: Brokered) -> bool:
    """Whether nothing that was delivered waits for its acknowledgement."""
    listed = await asyncio.to_thread(
        place.server.ctl, "list_channels", "vhost", "messages_unacknowledged"
    )
    rows = [line.split("\t") for line in listed.splitlines()]
    return {row[1] for row in rows if row[0] == place.virtual_host} == {"0"}


async def blocked(place: Brokered) -> bool:
    """Whether the broker has stopped reading from some connection."""
    listed = await asyncio.to_thread(place.server.ctl, "list_connections", "vhost", "state")
    return f"{place.virtual_host}\tblocked" in listed


async def told(place: Brokered, item: object) -> bool:
    return (CITY, "registered") in await place.county.timeline(item)


async def test_a_node_that_is_stopped_in_the_middle_of_publishing_waits_for_the_confirms(
    running: Brokered, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, proceed = asyncio.Event(), asyncio.Event()
    publish = AmqpTransport.publish

    async def slowly(self: AmqpTransport, parcels: Sequence[Parcel]) -> list[bool]:
        begun.set()
        await proceed.wait()
        return await publish(self, parcels)

    monkeypatch.setattr(AmqpTransport, "publish", slowly)
    await running.traffic(1)
    await begun.wait()
    stopping = asyncio.create_task(running.county.node.stop())
    await asyncio.sleep(0)
    assert running.transport(COUNTY).reachable(CITY), "the connection is still needed"
    proceed.set()
    await stopping
    assert await running.pending(COUNTY) == ["sent"]


async def test_a_broker_that_is_killed_and_started_again_loses_nothing(running: Brokered) -> None:
    server = running.server
    first = await running.traffic(5)
    await asyncio.to_thread(server.settle)
    second = await running.traffic(5)
    await asyncio.to_thread(server.kill)
    third = await running.traffic(5)
    await asyncio.to_thread(server.start)
    await running.demand_once(first + second + third)


async def test_a_county_that_dials_before_its_city_ever_ran_waits_and_then_delivers(
    place: Brokered,
) -> None:
    await place.start(COUNTY)
    items = await place.traffic(3)
    transport = place.transport(COUNTY)
    # It has been refused: there is neither a queue nor an exchange yet.
    await until(lambda: any(broker.generation > 1 for broker in transport._up.values()))
    assert not transport.reachable(CITY)
    assert await place.pending(COUNTY) == ["pending"] * 3
    await place.start(CITY)
    await place.demand_once(items)
