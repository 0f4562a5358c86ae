"""What this office has to prove about an item that was written here. Reads only; holds no key.

What was sent up is given as the bytes to sign: the outbox keeps those, not the tokens. The office's
own facts about its own items never travel, so each is put into the words of a message to itself,
under the id of its event, and is the same whenever it is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import and_, select

from node.errors import (
    NothingToProveError,
    NotWrittenHereError,
    PurgedItemError,
)
from node.storage.database import Session
from node.storage.events import Event
from node.storage.items import Item
from node.storage.messages import Incoming, KeptReceipt, Outgoing
from node.storage.purges import Purge
from node.workflow import access, audit, items, places, revocation_lists
from node.workflow.desk import Actor, Desk
from protocol.messages import event
from protocol.messages.work import Feedback

SENT = ("submission", "revision", "withdrawal")


@dataclass(frozen=True)
class Payload:
    """Content to sign, and the receipt by which the office above answered it."""

    content: bytes
    receipt: bytes | None = None


@dataclass(frozen=True)
class Holdings:
    """Everything that proves something about the item."""

    sent: tuple[Payload, ...]
    received: tuple[bytes, ...]
    lists: tuple[bytes, ...]
    """The revocation lists of the offices above, as far as they are known here."""
    former: tuple[tuple[str, ...], ...]
    """This office's certificates where it stood before it was moved."""


async def holdings(desk: Desk, actor: Actor, item_id: UUID) -> Holdings:
    """What is held about the item; noted in the audit log.

    Raises `UnknownItemError`, `NotWrittenHereError` for an item of another office,
    `PurgedItemError`, and `NothingToProveError` while nothing was decided or sent.
    """
    access.demand(actor, "read")
    async with desk.database.writing.begin() as session:
        item = await session.get(Item, item_id)
        await items.demand_visible(session, actor, item_id, item)
        assert item is not None
        if item.source is not None:
            raise NotWrittenHereError(f"the item was written at {item.origin['id']}: export there")
        if await session.get(Purge, item_id) is not None:
            raise PurgedItemError
        sent = (*await _sent(session, item_id), *await _decided(session, desk, item_id))
        if not sent:
            raise NothingToProveError
        lists = await revocation_lists.above(session, desk)
        former = await places.former_chains(session)
        found = Holdings(sent, tuple(await _told(session, item_id)), tuple(lists), former)
        now = desk.clock()
        audit.note(session, now, actor=actor, action="evidence_exported", subject=item_id)
    return found


async def _sent(session: Session, item_id: UUID) -> list[Payload]:
    rows = await session.execute(
        select(Outgoing.payload, KeptReceipt.token)
        .outerjoin(
            KeptReceipt,
            and_(KeptReceipt.peer == Outgoing.peer, KeptReceipt.id == Outgoing.receipt),
        )
        .where(Outgoing.subject == item_id, Outgoing.name.in_(SENT))
        .order_by(Outgoing.created_at, Outgoing.id)
    )
    return [Payload(content, receipt) for content, receipt in rows]


async def _told(session: Session, item_id: UUID) -> list[bytes]:
    tokens = await session.scalars(
        select(Incoming.token)
        .join(Event, and_(Event.message_source == Incoming.source, Event.message_id == Incoming.id))
        .where(Event.item_id == item_id, Event.step == 0)
        .order_by(Event.recorded_at, Event.id)
    )
    return list(tokens)


async def _decided(session: Session, desk: Desk, item_id: UUID) -> list[Payload]:
    rows = await session.scalars(
        select(Event)
        .where(Event.item_id == item_id, Event.office == desk.node, Event.step == 0)
        .order_by(Event.sequence)
    )
    return [
        Payload(
            event.compose(
                Feedback.model_validate({"fact": row.data}),
                id=row.id,
                sender=desk.node,
                recipient=desk.node,
                subject=item_id,
                time=row.at,
            )
        )
        for row in rows
    ]
