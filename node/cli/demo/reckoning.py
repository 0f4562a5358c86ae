"""The demo's reckoning: after everything has settled, is everything where it must be, once?

It reads the offices' databases, not the scenario's memory of what it did:

 1. Every message was received: no outbox row is left open or refused.
 2. Every item is at every office that it was sent to, in the state that the office decided.
 3. Every fact that any office decided stands once on the timeline at the author's office.
 4. Every author was told of every fact once.
 5. Every token in every inbox still verifies, and every audit chain holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import func, select

from node.bootstrap.node import Node
from node.relay import auditor, verification
from node.storage.database import Session
from node.storage.events import Event, Notice
from node.storage.items import Item, ItemAuthor
from node.storage.messages import Incoming, Outgoing
from protocol import envelope
from protocol.errors import ZhitongError

FactKey = tuple[UUID, str, int]


@dataclass
class Reckoning:
    """What was counted."""

    items: int = 0
    hops: int = 0
    facts: int = 0
    notices: int = 0
    lost: int = 0
    duplicated: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Nothing lost, nothing twice, nothing wrong."""
        return not (self.lost or self.duplicated or self.wrong)


async def settled(nodes: Sequence[Node]) -> bool:
    """Whether no message is under way and the audit logs are sealed."""
    for node in nodes:
        async with node.desk.database.reading() as session:
            if await _open_rows(session):
                return False
            if await auditor.has_unsealed(session):
                return False
    return True


async def reckon(nodes: Sequence[Node], expected: dict[str, dict[str, str]]) -> Reckoning:
    """Count everything in all offices' databases."""
    total = Reckoning()
    facts: set[FactKey] = set()
    for node in nodes:
        async with node.desk.database.reading() as session:
            await _messages(session, node, total)
            await _items(session, node, expected[node.desk.node], total)
            own = select(Event.item_id, Event.office, Event.sequence).where(
                Event.office == node.desk.node, Event.step == 0
            )
            facts |= {
                (item, office, sequence) for item, office, sequence in await session.execute(own)
            }
    total.facts = len(facts)
    told: Counter[FactKey] = Counter()
    for node in nodes:
        async with node.desk.database.reading() as session:
            told += await _timelines(session, total)
    total.lost += sum(1 for fact in facts if told[fact] == 0)
    total.duplicated += sum(count - 1 for count in told.values() if count > 1)
    return total


async def _open_rows(session: Session) -> int:
    query = select(func.count()).select_from(Outgoing).where(Outgoing.state != "received")
    return await session.scalar(query) or 0


async def _messages(session: Session, node: Node, total: Reckoning) -> None:
    # 1.
    if await _open_rows(session):
        total.wrong.append(f"{node.desk.node}: messages are still under way, or were refused")
    # 5.
    for row in await session.scalars(select(Incoming)):
        total.hops += 1
        try:
            envelope.open_message(
                row.token, chains=node.desk.chains, place=node.desk.place, now=None
            )
        except ZhitongError as error:
            total.wrong.append(f"{node.desk.node}: message {row.id} does not verify: {error.code}")
    broken = (await verification.verify(session)).flaw
    if broken is not None:
        total.wrong.append(f"{node.desk.node}: audit seal {broken.seal} is broken ({broken.kind})")


async def _items(session: Session, node: Node, expected: dict[str, str], total: Reckoning) -> None:
    # 2.
    found = {str(item.id): item.state for item in await session.scalars(select(Item))}
    total.lost += len(expected.keys() - found.keys())
    total.duplicated += len(found.keys() - expected.keys())
    for id, state in expected.items():
        if found.get(id, state) != state:
            total.wrong.append(f"{node.desk.node}: item {id} is {found[id]}, not {state}")
    written_here = select(func.count()).select_from(Item).where(Item.source.is_(None))
    total.items += await session.scalar(written_here) or 0


async def _timelines(session: Session, total: Reckoning) -> Counter[FactKey]:
    # 3.
    rows = await session.execute(
        select(Event.id, Event.item_id, Event.office, Event.sequence)
        .join(Item, Item.id == Event.item_id)
        .where(Item.source.is_(None), Event.step == 0)
    )
    told: Counter[FactKey] = Counter()
    wanted: set[tuple[UUID, UUID]] = set()
    authors: dict[UUID, list[UUID]] = {}
    for item_id, person_id in await session.execute(
        select(ItemAuthor.item_id, ItemAuthor.person_id)
    ):
        authors.setdefault(item_id, []).append(person_id)
    for event_id, item_id, office, sequence in rows:
        told[item_id, office, sequence] += 1
        wanted |= {(person, event_id) for person in authors[item_id]}
    # 4.
    notices = Counter(
        (person, event)
        for person, event in await session.execute(
            select(Notice.person_id, Notice.event_id).where(Notice.event_id.is_not(None))
        )
    )
    total.notices += sum(notices.values())
    total.lost += len(wanted - notices.keys())
    total.duplicated += sum(count - 1 for count in notices.values() if count > 1)
    return told
