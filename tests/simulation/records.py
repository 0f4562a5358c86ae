"""What stands in an office's database at the end of a schedule, read once for all checks."""

from __future__ import annotations

import json
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select

from node.relay import auditor, verification
from node.storage.audit import AuditSeal
from node.storage.events import Event, Notice
from node.storage.items import Edition, Item, ItemAuthor
from node.storage.messages import Incoming, Outgoing, Quarantined
from node.storage.offices import Link
from node.storage.recovery import Epoch
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
    number: str | None
    title: str


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
    subject: UUID | None
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
    refusals: frozenset[tuple[str, str | None]]
    """The codes in the quarantine, and who had signed that."""
    titles: dict[tuple[UUID, int], str]
    """Of each edition."""
    came: dict[UUID, list[tuple[int, str]]]
    """Of each item from below, the editions that came: their numbers there, and titles."""
    flaw: verification.Flaw | None
    unsealed: bool
    seals: dict[int, str]
    seals_seen: dict[NodeId, tuple[int | None, str | None]]
    """Of each neighbour's audit chain, the newest seal that was seen here."""
    epochs: dict[int, bytes]
    """The incarnations that began with a snapshot, and what declares them."""

    @property
    def node(self) -> NodeId:
        """The office's id."""
        return self.office.node

    @property
    def numbers_sent(self) -> Iterator[tuple[str, str, UUID]]:
        """The register numbers that the offices below gave to what they sent here."""
        for row in self.inbox:
            if row.name in ("submission", "revision"):
                event = content(row.token)
                if event["data"].get("number"):
                    yield row.source, event["data"]["number"], UUID(event["subject"])

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
                Item.number,
                Item.title,
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
                Incoming.subject,
                Incoming.digest,
                Incoming.token,
                Incoming.state,
            )
        )
        refusals = await session.execute(select(Quarantined.code, Quarantined.peer))
        titles: dict[tuple[UUID, int], str] = {}
        came: dict[UUID, list[tuple[int, str]]] = {}
        for item, number, there, title in await session.execute(
            select(Edition.item_id, Edition.number, Edition.source_number, Edition.title)
        ):
            titles[item, number] = title
            if there is not None:
                came.setdefault(item, []).append((there, title))
        seals = await session.execute(select(AuditSeal.seal, AuditSeal.hash))
        seen = await session.execute(
            select(Link.peer, Link.audit_seal, Link.audit_hash).where(Link.audit_seal.is_not(None))
        )
        epochs = await session.execute(select(Epoch.incarnation, Epoch.token))
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
            refusals=frozenset((code, peer) for code, peer in refusals),
            titles=titles,
            came=came,
            flaw=(await verification.verify(session)).flaw,
            unsealed=await auditor.has_unsealed(session),
            seals=dict(seals.all()),
            seals_seen={NodeId(peer): (seal, hash) for peer, seal, hash in seen},
            epochs=dict(epochs.all()),
        )


def content(token: bytes) -> Any:
    """What a token says. Who says it was checked before."""
    return json.loads(b64decode(token.split(b".")[1] + b"==", b"-_"))


All = Mapping[NodeId, Records]
"""All offices, as they ended."""


def above(ended: All, node: NodeId) -> list[NodeId]:
    """The offices above, the nearest first."""
    found, parent = [], ended[node].office.post.parent
    while parent is not None:
        found.append(parent.id)
        parent = ended[parent.id].office.post.parent
    return found
