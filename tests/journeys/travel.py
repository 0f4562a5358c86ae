"""Journeys of items through a whole hierarchy on real servers, and what must hold at their end.

`opened` sets the offices up and starts their nodes in this process. `demand_everything_once` asks
the databases whether every message was received, and every fact and notice stands where it must,
once, proven by the office that decided it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID

from sqlalchemy import func, select

from node.bootstrap.node import Node, system_clock
from node.relay import auditor, verification
from node.storage.database import Session
from node.storage.events import Event, Notice
from node.storage.items import Item, ItemAuthor
from node.storage.messages import Incoming, Outgoing, Quarantined
from node.workflow import decisions, forwarding, passwords
from protocol import envelope, evidence
from tests import offices
from tests.node import rooms
from tests.node.rooms import QUICK_HASH, Clock, Room
from tests.offices import Hierarchy, MakeDatabase, Plan
from tests.waiting import until

SECONDS = 90.0
RELAY: dict[str, object] = {
    "receipt_within": 2.0,
    "first_probe": 0.5,
    "longest_probe": 2.0,
}

Fact = tuple[UUID, str, int]
"""Item, office, and the office's sequence number."""


@dataclass
class Journey:
    """Offices whose nodes run in this process, or are said to run elsewhere."""

    hierarchy: Hierarchy
    rooms: dict[str, Room] = field(default_factory=dict)
    by_files: bool = False
    """Files go between offices: receipts stay for the next one."""
    clock: Callable[[], datetime] = system_clock
    """The time at all of them."""

    @property
    def line(self) -> Sequence[str]:
        """The offices from the author's county to the top."""
        return self.hierarchy.chain

    @property
    def county(self) -> Room:
        return self.rooms[self.line[0]]

    @property
    def top(self) -> Room:
        return self.rooms[self.line[-1]]

    @property
    def line_rooms(self) -> list[Room]:
        """The rooms from the county to the top."""
        return [self.rooms[office] for office in self.line]

    async def enter(self, *chosen: str, start: bool = True) -> None:
        """Open these offices, and start their nodes unless they run elsewhere."""
        for office in chosen:
            node = self.hierarchy.open(office, clock=self.clock)
            if start:
                await node.start()
            self.rooms[office] = await rooms.enter(node, Clock())

    async def leave(self, *chosen: str) -> None:
        """Stop these offices' nodes."""
        for office in chosen or tuple(self.rooms):
            await self.rooms.pop(office).node.stop()

    @asynccontextmanager
    async def off(self, office: str) -> AsyncIterator[Room]:
        """The office works without its relay; what it did meanwhile goes out in one burst."""
        await self.leave(office)
        await self.enter(office, start=False)
        yield self.rooms[office]
        await self.rooms[office].node.start()

    async def arrived(self, office: str, items: Iterable[UUID], edition: int = 1) -> None:
        """Wait until the office has this edition of the items."""
        wanted = list(items)
        query = select(func.count()).where(Item.id.in_(wanted), Item.edition >= edition)
        what = f"{len(wanted)} items at {office}"
        await until(lambda: self._count(office, query, len(wanted)), SECONDS, what)

    async def climb(self, item: UUID) -> None:
        """Every office registers the item, in turn, and forwards it; the top only registers."""
        for room in self.line_rooms:
            await self.arrived(room.desk.node, [item])
            await decisions.register(room.desk, room.editor, item)
            if room is not self.top:
                await forwarding.forward_up(room.desk, room.editor, item)

    async def settled(self) -> None:
        """Wait until every message has its receipt and every deed its seal."""
        for office in self.rooms:
            # An office that is off does not answer for the revocation list that it is sent.
            query = select(func.count()).where(
                Outgoing.state != "received",
                Outgoing.name != "revocations",
                Outgoing.priority >= int(self.by_files),
            )
            await until(
                lambda office=office, query=query: self._count(office, query, 0),
                SECONDS,
                f"all receipts for {office}",
            )
        for office in self.rooms:
            await until(lambda office=office: self._sealed(office), SECONDS, f"{office} sealed")

    async def demand_everything_once(self, items: Sequence[UUID]) -> None:
        """Nothing is lost, nothing twice, nothing refused, and everything proven."""
        await self.settled()
        decided: Counter[Fact] = Counter()
        for room in self.rooms.values():
            async with room.database.reading() as session:
                assert list(await session.scalars(select(Quarantined.code))) == []
                assert (await verification.verify(session)).flaw is None
                found = list(await session.scalars(select(Item.id)))
                assert Counter(found) == Counter(set(found) & set(items))
                decided += await facts_by(session, room.desk.node)
        async with self.county.database.reading() as session:
            await demand_told(session, self.county.desk.node, items, decided)
            await demand_proven(session, self.county.node)

    async def _count(self, office: str, query: Any, wanted: int) -> bool:
        async with self.rooms[office].database.reading() as session:
            return await session.scalar(query) == wanted

    async def _sealed(self, office: str) -> bool:
        async with self.rooms[office].database.reading() as session:
            return not await auditor.has_unsealed(session)


async def facts_by(session: Session, office: str) -> Counter[Fact]:
    """The facts that an office decided itself."""
    rows = await session.execute(
        select(Event.item_id, Event.office, Event.sequence).where(
            Event.office == office, Event.step == 0
        )
    )
    return Counter((item, by, sequence) for item, by, sequence in rows)


async def facts_of(session: Session, item: UUID) -> list[Fact]:
    """The facts about an item, whoever decided them."""
    rows = await session.execute(
        select(Event.item_id, Event.office, Event.sequence).where(
            Event.item_id == item, Event.step == 0
        )
    )
    return [(item, by, sequence) for item, by, sequence in rows]


async def demand_told(
    session: Session, county: str, items: Sequence[UUID], decided: Counter[Fact]
) -> None:
    """Every fact of every office stands once in the county, with one notice to each author."""
    rows = await session.execute(
        select(Event.id, Event.item_id, Event.office, Event.sequence).where(Event.step == 0)
    )
    known = {event: (item, office, sequence) for event, item, office, sequence in rows}
    assert Counter(known.values()) == decided
    assert {item for item, _, _ in decided} == set(items)
    authors: dict[UUID, list[UUID]] = {}
    for item, person in await session.execute(select(ItemAuthor.item_id, ItemAuthor.person_id)):
        authors.setdefault(item, []).append(person)
    wanted = Counter((p, event) for event, (item, _, _) in known.items() for p in authors[item])
    told = await session.execute(select(Notice.person_id, Notice.event_id))
    assert Counter((person, event) for person, event in told) == wanted
    assert county in {office for _, office, _ in decided}


async def demand_proven(session: Session, node: Node) -> None:
    """Every fact from above carries its office's own signature, through all that handed it on."""
    desk = node.desk
    line = desk.place.own.offices[::-1]
    assert line[0] == desk.node
    for row in await session.scalars(select(Incoming).where(Incoming.name == "feedback")):
        message = envelope.open_message(row.token, chains=desk.chains, place=desk.place, now=None)
        proven = evidence.fact_of(message, chains=desk.chains, place=desk.place)
        office = proven.path.node
        assert proven.fact.office.id == office
        # The one that decided is as many offices above as there are messages around the fact.
        distance = line.index(office)
        assert [path.node for path in proven.carriers] == list(line[1:distance])


async def set_up(
    folder: Path,
    plan: Plan,
    *,
    broker: str | Mapping[str, str] | None,
    management: str | Mapping[str, str] | None = None,
    make_database: MakeDatabase | None = None,
    **relay: object,
) -> Hierarchy:
    """The plan's offices, with people whose password is quickly checked."""
    with patch.object(passwords, "hash_password", return_value=QUICK_HASH):
        return await offices.build(
            folder,
            plan,
            make_database=make_database,
            broker=broker,
            management=management,
            relay=RELAY | relay,
        )


@asynccontextmanager
async def opened(
    hierarchy: Hierarchy, *chosen: str, clock: Callable[[], datetime] = system_clock
) -> AsyncIterator[Journey]:
    """These offices running, or all of the line."""
    journey = Journey(hierarchy, clock=clock)
    for node in hierarchy.nodes.values():
        # Opened for setting up, with no connection to keep.
        await node.desk.database.close()
    try:
        await journey.enter(*(chosen or hierarchy.chain))
        yield journey
    finally:
        await journey.leave()
