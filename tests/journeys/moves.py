"""Moving an office of a journey under another parent, as its administrators do it."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select

from node.bootstrap import enrolment, moving
from node.bootstrap import node as bootstrap
from node.keys import file as keys
from node.storage.messages import Outgoing, Quarantined
from node.storage.places import PlaceRow
from node.workflow import decisions, forwarding
from node.workflow import enrolment as requests
from node.workflow.desk import Actor
from protocol.enrolment import Welcome, root_of
from tests.journeys import travel
from tests.journeys.travel import Journey
from tests.node.rooms import Room
from tests.offices import Hierarchy
from tests.waiting import until

ADMIN = frozenset({"system_administrator"})


async def welcomed(hierarchy: Hierarchy, office: str, above: str) -> str:
    """What the new parent answers to the office's request."""
    settings = hierarchy.settings(above)
    desk = bootstrap.build(settings, half="web").desk
    actor = Actor(id=desk.new_id(), username="admin", name="admin", roles=ADMIN)
    request = moving.request_of(hierarchy.settings(office))
    try:
        await requests.enter(desk, actor, request.model_dump_json())
        return await enrolment.welcome(settings, desk, actor, office)
    finally:
        await desk.database.close()


async def move(journey: Journey, office: str, above: str) -> Welcome:
    """Move the office, whose node starts again; everybody else goes on."""
    hierarchy = journey.hierarchy
    settings = hierarchy.settings(office)
    room = journey.rooms[office]
    if hierarchy.switchboard is not None:
        # In memory an office has one queue for all above it, and would meet the new one as a
        # stranger; on brokers it does not read the new one's queue before it has moved.
        await room.node.stop()
    text = await welcomed(hierarchy, office, above)
    upper = hierarchy.settings(above)
    root = root_of(keys.read_certificates(upper.path(upper.keys.root))[0])
    moved = await moving.move(settings, room.admin, text, root=root)
    await journey.leave(office)
    await journey.enter(office)
    return moved


async def placed(room: Room, path: str) -> None:
    """Wait until the office stands there, and its relay has put that in place."""

    async def stands() -> bool:
        query = select(func.count()).where(PlaceRow.state == "arrived")
        async with room.database.reading() as session:
            waits = await session.scalar(query)
        return not waits and str(room.desk.place.own) == path

    await until(stands, travel.SECONDS, f"{room.desk.node} at {path}")


async def climb(journey: Journey, item: UUID, *offices: str) -> None:
    """The offices register the item, in turn, and forward it, but for the last."""
    for office in offices:
        room = journey.rooms[office]
        await journey.arrived(office, [item])
        await decisions.register(room.desk, room.editor, item)
        if office != offices[-1]:
            await forwarding.forward_up(room.desk, room.editor, item)


async def heard(room: Room, item: UUID, office: str, kind: str) -> None:
    """Wait until the office has the fact."""

    async def told() -> bool:
        return (office, kind) in await room.timeline(item)

    await until(told, travel.SECONDS, f"{kind} by {office} at {room.desk.node}")


async def settled(journey: Journey) -> None:
    """Wait until every message has its receipt; nothing twice at any office."""
    for office, room in journey.rooms.items():

        async def done(room: Room = room) -> bool:
            query = select(func.count()).where(Outgoing.state != "received", Outgoing.priority > 0)
            async with room.database.reading() as session:
                return await session.scalar(query) == 0

        await until(done, travel.SECONDS, f"all receipts for {office}")


async def refused(room: Room) -> list[str]:
    """The codes of what was refused at the office."""
    async with room.database.reading() as session:
        return list(await session.scalars(select(Quarantined.code).order_by(Quarantined.code)))


async def refused_codes(room: Room, count: int) -> bool:
    """Whether so much was refused at the office."""
    return len(await refused(room)) == count


async def told_once(room: Room, item: UUID) -> None:
    """Every fact stands once in the item's timeline."""
    async with room.database.reading() as session:
        facts = await travel.facts_of(session, item)
    assert len(facts) == len(set(facts))
