"""The memory transport keeps a broker's promises: order, and nothing unacknowledged is lost."""

from __future__ import annotations

from node.relay.memory import MemoryTransport, Switchboard
from node.relay.transport import Parcel, Properties
from protocol.identifiers import NodeId

COUNTY, CITY = NodeId("donghu"), NodeId("yunzhou")


def parcels(*bodies: bytes, to: NodeId = CITY) -> list[Parcel]:
    return [Parcel(to, body, Properties(message_id="1", app_id=COUNTY)) for body in bodies]


async def bodies(transport: MemoryTransport, limit: int = 10) -> list[bytes]:
    return [delivery.body for delivery in await transport.take(limit)]


async def test_parcels_reach_their_addressee_in_order_and_nobody_else() -> None:
    board = Switchboard()
    county, city = board.connect(COUNTY), board.connect(CITY)
    assert await county.publish(parcels(b"1", b"2", b"3")) == [True] * 3
    assert await bodies(county) == []
    assert await bodies(city, 2) == [b"1", b"2"]
    assert await bodies(city, 2) == [b"3"]


async def test_the_sender_is_vouched_for_whatever_the_properties_say() -> None:
    board = Switchboard()
    county, city = board.connect(COUNTY), board.connect(CITY)
    claimed = Properties(app_id=CITY, user_id=CITY)
    await county.publish([Parcel(CITY, b"1", claimed)])
    [delivery] = await city.take(1)
    assert (delivery.properties.user_id, delivery.properties.app_id) == (COUNTY, CITY)


async def test_what_was_taken_and_not_acknowledged_is_delivered_again_in_order() -> None:
    board = Switchboard()
    await board.connect(COUNTY).publish(parcels(b"1", b"2", b"3", b"4"))
    killed = board.connect(CITY)
    taken = await killed.take(3)
    await killed.acknowledge(taken[:1])
    killed.close()
    assert await bodies(board.connect(CITY)) == [b"2", b"3", b"4"]


async def test_what_was_acknowledged_is_gone() -> None:
    board = Switchboard()
    await board.connect(COUNTY).publish(parcels(b"1", b"2"))
    city = board.connect(CITY)
    await city.acknowledge(await city.take(10))
    city.close()
    assert await bodies(board.connect(CITY)) == []


async def test_closing_twice_delivers_nothing_twice() -> None:
    board = Switchboard()
    await board.connect(COUNTY).publish(parcels(b"1"))
    city = board.connect(CITY)
    await city.take(1)
    city.close()
    city.close()
    assert await bodies(board.connect(CITY)) == [b"1"]


async def test_the_addressee_is_woken_and_nobody_else() -> None:
    board = Switchboard()
    county, city = board.connect(COUNTY), board.connect(CITY)
    woken: list[str] = []
    county.on_arrival(lambda: woken.append(COUNTY))
    city.on_arrival(lambda: woken.append(CITY))
    await county.publish(parcels(b"1", b"2"))
    assert woken == [CITY, CITY]


async def test_an_office_that_is_not_there_yet_finds_its_queue_when_it_comes() -> None:
    board = Switchboard()
    county = board.connect(COUNTY)
    assert county.reachable(CITY)
    await county.publish(parcels(b"1"))
    assert await bodies(board.connect(CITY)) == [b"1"]
