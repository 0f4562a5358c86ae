"""Looking into the offices' databases: whether all is at rest, and what stands in each.

Everything is read from the databases themselves, with nobody's memory of what should be there.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import func, select

from node.bootstrap.node import Node
from node.relay import auditor, verification
from node.storage.database import Session, is_away
from node.storage.events import Event, Notice
from node.storage.items import Edition, Item, ItemAuthor
from node.storage.messages import Incoming, Outgoing, Quarantined
from protocol import envelope, evidence
from protocol.errors import ZhitongError
from protocol.messages.work import Feedback
from tests.chaos.counting import Arrival, Fact, Sight, Told
from tests.chaos.people import WORDS


@dataclass
class Proof:
    """What must hold besides the counts; `wrong` says in words what does not."""

    messages: int = 0
    wrong: list[str] = field(default_factory=list)


async def backlog(nodes: Iterable[Node]) -> int | None:
    """How many messages wait for their receipt, in all; None while some database is away."""
    total = 0
    query = select(func.count()).select_from(Outgoing).where(Outgoing.state != "received")
    try:
        for node in nodes:
            async with node.desk.database.reading() as session:
                total += await session.scalar(query) or 0
    except Exception as error:
        if is_away(error):
            return None
        raise
    return total


async def at_rest(nodes: Iterable[Node]) -> bool:
    """Whether no message is under way, none is parked, and every deed is sealed."""
    parked = select(Incoming.id).where(Incoming.state != "applied").limit(1)
    chosen = list(nodes)
    for node in chosen:
        async with node.desk.database.reading() as session:
            if await auditor.has_unsealed(session) or await session.scalar(parked) is not None:
                return False
    return await backlog(chosen) == 0


async def see(node: Node) -> Sight:
    """What stands in the office's database."""
    sight = Sight(node.desk.node)
    async with node.desk.database.reading() as session:
        await _see_items(session, sight)
        await _see_events(session, sight)
        told = await session.execute(
            select(Notice.person_id, Event.item_id, Event.office, Event.sequence).join(
                Event, Event.id == Notice.event_id
            )
        )
        sight.told.update(Told(*row) for row in told)
    return sight


async def _see_items(session: Session, sight: Sight) -> None:
    for id in await session.scalars(select(Item.id).where(Item.source.is_(None))):
        sight.written[id] = []
    for item, person in await session.execute(select(ItemAuthor.item_id, ItemAuthor.person_id)):
        sight.written[item].append(person)
    for item, title in await session.execute(select(Edition.item_id, Edition.title)):
        if item in sight.written:
            sight.titles[title] += 1


async def _see_events(session: Session, sight: Sight) -> None:
    titles: dict[tuple[UUID, int], str] = {}
    for item, number, title in await session.execute(
        select(Edition.item_id, Edition.number, Edition.title)
    ):
        titles[item, number] = title
    for event in await session.scalars(select(Event)):
        if event.step:
            if event.item_id not in sight.written:
                sight.arrived[_arrival(event, titles)] += 1
            continue
        content = json.dumps(event.data, sort_keys=True, ensure_ascii=False)
        words = event.data.get(WORDS.get(event.kind, ""), "")
        sight.facts[
            Fact(event.item_id, event.office, event.sequence, event.kind, words, content)
        ] += 1
        if event.kind == "forwarded" and event.office == sight.office:
            sight.forwarded[_arrival(event, titles)] += 1


def _arrival(event: Event, titles: dict[tuple[UUID, int], str]) -> Arrival:
    edition = event.data["edition"]
    return Arrival(event.item_id, edition, titles.get((event.item_id, edition)))


async def prove(node: Node) -> Proof:
    """Verify what the office can prove: its audit chain, every message, every fact from above."""
    proof = Proof()
    desk = node.desk
    async with desk.database.reading() as session:
        broken = (await verification.verify(session)).flaw
        if broken is not None:
            proof.wrong.append(f"{desk.node}: audit seal {broken.seal} is broken ({broken.kind})")
        codes: Counter[str] = Counter(await session.scalars(select(Quarantined.code)))
        proof.wrong += [f"{desk.node}: {n} refused with {code}" for code, n in codes.items()]
        for id, token in await session.execute(select(Incoming.id, Incoming.token)):
            proof.messages += 1
            try:
                message = envelope.open_message(
                    token, chains=desk.chains, place=desk.place, now=None
                )
                if isinstance(message.data, Feedback):
                    evidence.fact_of(message, chains=desk.chains, place=desk.place)
            except ZhitongError as error:
                proof.wrong.append(f"{desk.node}: message {id} is not proven: {error.code}")
    return proof


async def unfinished(node: Node) -> str:
    """What of the office's messages is not at rest, for people."""
    async with node.desk.database.reading() as session:
        rows = await session.execute(
            select(Outgoing.peer, Outgoing.name, Outgoing.state, Outgoing.code, func.count())
            .where(Outgoing.state != "received")
            .group_by(Outgoing.peer, Outgoing.name, Outgoing.state, Outgoing.code)
        )
        said = [f"{n} {state} {name} to {peer} ({code})" for peer, name, state, code, n in rows]
        parked = select(func.count()).select_from(Incoming).where(Incoming.state != "applied")
        said.append(f"{await session.scalar(parked)} parked")
    return f"{node.desk.node}: {', '.join(said)}"
