"""What a batch of arriving messages needs to know, read in a few queries for the whole batch.

`prepare` locks the items that the batch is about, and the originals of combined ones, in the order
of their ids, so that two batches never wait for each other in a circle.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from node.storage import bulk
from node.storage.database import Session
from node.storage.events import Event
from node.storage.items import Edition, Item
from node.storage.purges import NEVER_ERASED, Purge
from node.workflow import ceilings, lineage
from node.workflow.desk import Desk
from protocol.envelope import Opened
from protocol.identifiers import NodeId
from protocol.lifecycle import Moment

_COLUMNS = tuple(Item.__table__.columns.keys())


@dataclass
class Intake:
    """The session of the batch, and what it read in advance."""

    session: Session
    desk: Desk
    now: datetime
    items: dict[UUID, Item] = field(default_factory=dict)
    editions: dict[UUID, set[int]] = field(default_factory=lambda: defaultdict(set))
    """The numbers that editions which came have at the office that sent them."""
    numbers: dict[UUID, set[int]] = field(default_factory=lambda: defaultdict(set))
    """Those that editions have here."""
    moments: dict[tuple[UUID, NodeId], set[Moment]] = field(
        default_factory=lambda: defaultdict(set)
    )
    new: list[UUID] = field(default_factory=list)
    """Items that this batch brought; what was parked for them can be released."""
    merged: set[UUID] = field(default_factory=set)
    """Items of which a merge was told; what was parked until then can be released."""
    highest: dict[str, str] = field(default_factory=dict)
    """The highest classification that the senders of items may bring."""
    purged: set[UUID] = field(default_factory=set)
    """Items that were purged: what comes of them changes nothing."""
    recovering: bool = False
    """Whether this node was restored from a backup and must not act yet."""

    def add(self, item: Item) -> None:
        """A new item arrived. The session does not know it: `write` adds its row."""
        self.items[item.id] = item
        self.new.append(item.id)

    def is_purged(self, message: Opened) -> bool:
        """Whether the message is to lose its contents: it is about an item that was purged."""
        return message.event.subject in self.purged and message.name not in NEVER_ERASED

    def write(self) -> None:
        """Add the rows of the new items as the batch left them, in bulk."""
        for id in self.new:
            item = self.items[id]
            bulk.insert(self.session, Item, **{name: getattr(item, name) for name in _COLUMNS})


async def prepare(
    session: Session, desk: Desk, now: datetime, messages: Iterable[Opened]
) -> Intake:
    """Read, and lock, what the messages are about."""
    intake = Intake(session, desk, now)
    messages = list(messages)
    batch = [(m.name, m.event.subject) for m in messages if m.event.subject is not None]
    subjects = sorted({subject for _, subject in batch})
    if not subjects:
        return intake
    intake.purged = set(
        await session.scalars(
            select(Purge.item_id).where(bulk.among(session, Purge.item_id, subjects))
        )
    )
    intake.items = await lineage.locked(session, subjects)
    known = list(intake.items)
    senders = {m.event.sender for m in messages if m.name in ("submission", "revision")}
    if senders:
        intake.highest = await ceilings.of(session, senders)
    if senders and known:
        rows = await session.execute(
            select(Edition.item_id, Edition.number, Edition.source_number).where(
                bulk.among(session, Edition.item_id, known)
            )
        )
        for item_id, number, source_number in rows:
            intake.numbers[item_id].add(number)
            if source_number is not None:
                intake.editions[item_id].add(source_number)
    if any(name == "feedback" for name, _ in batch) and known:
        events = await session.execute(
            select(
                Event.item_id, Event.office, Event.sequence, Event.step, Event.kind, Event.about
            ).where(bulk.among(session, Event.item_id, known))
        )
        for item_id, office, sequence, step, kind, about in events:
            moment = Moment(sequence, step, kind, None if about == item_id else about)
            intake.moments[item_id, NodeId(office)].add(moment)
    return intake
