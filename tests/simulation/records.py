"""What stands in an office's database at the end of a schedule, read once for all checks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select

from node.relay import auditor
from node.storage.events import Event, Notice
from node.storage.items import Item, ItemAuthor
from node.storage.messages import Incoming, Outgoing, Quarantined
from protocol.identifiers import NodeId
from protocol.messages import catalogue
from tests.simulation.office import Office


class ItemRow(NamedTuple):
    id: UUID
    source: str | None
    state: str
    edition: int
    forwarded: int | None
    standings: dict[str, Any]


class EventRow(NamedTuple):
    id: UUID
    item: UUID
    office: str
    sequence: int
    step: int
    kind: str
    data: dict[str, Any]


class OutRow(NamedTuple):
    id: UUID
    peer: str
    name: str
    digest: str
    state: str
    code: str | None
    permanent: bool | None


class InRow(NamedTuple):
    source: str
    id: UUID
    name: str
    digest: str
    token: bytes
    state: str


@dataclass(frozen=True)
class Records:
    """One office, as it ended."""

    office: Office
    items: dict[UUID, ItemRow]
    events: Sequence[EventRow]
    authors: dict[UUID, list[UUID]]
    """The people of this office who wrote an item."""
    notices: Counter[tuple[UUID, UUID]]
    """How often each person was told of each event."""
    outbox: Sequence[OutRow]
    """Without the messages of the link, which are not answered."""
    inbox: Sequence[InRow]
    refusals: frozenset[str]
    """The codes in the quarantine."""
    broken_seal: int | None
    unsealed: bool

    @property
    def node(self) -> NodeId:
        """The office's id."""
        return self.office.node

    def facts(self, office: str) -> list[EventRow]:
        """What stands here of the facts of an office."""
        return [event for event in self.events if event.office == office and event.step == 0]


async def read(office: Office) -> Records:
    """Everything that the verdict asks for."""
    async with office.database.reading() as session:
        items = await session.execute(
            select(
                Item.id,
                Item.source,
                Item.state,
                Item.edition,
                Item.forwarded_edition,
                Item.standings,
            )
        )
        events = await session.execute(
            select(
                Event.id,
                Event.item_id,
                Event.office,
                Event.sequence,
                Event.step,
                Event.kind,
                Event.data,
            )
        )
        authors: dict[UUID, list[UUID]] = {}
        for item, person in await session.execute(select(ItemAuthor.item_id, ItemAuthor.person_id)):
            authors.setdefault(item, []).append(person)
        notices = await session.execute(select(Notice.person_id, Notice.event_id))
        outbox = await session.execute(
            select(
                Outgoing.id,
                Outgoing.peer,
                Outgoing.name,
                Outgoing.digest,
                Outgoing.state,
                Outgoing.code,
                Outgoing.permanent,
            )
        )
        inbox = await session.execute(
            select(
                Incoming.source,
                Incoming.id,
                Incoming.name,
                Incoming.digest,
                Incoming.token,
                Incoming.state,
            )
        )
        refusals = await session.scalars(select(Quarantined.code))
        return Records(
            office=office,
            items={row.id: row for row in (ItemRow(*row) for row in items)},
            events=[EventRow(*row) for row in events],
            authors=authors,
            notices=Counter((person, event) for person, event in notices),
            outbox=[
                row
                for row in (OutRow(*row) for row in outbox)
                if not catalogue.is_link_type(row.name)
            ],
            inbox=[InRow(*row) for row in inbox],
            refusals=frozenset(refusals),
            broken_seal=await auditor.broken_seal(session),
            unsealed=await auditor.has_unsealed(session),
        )
