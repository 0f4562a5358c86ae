"""An office of `tests/authorities` that takes in messages as its consumer would."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select

from node.config import LimitSettings, RelaySettings
from node.relay.reception import Reception, Result
from node.relay.transport import CONTENT_TYPE, Delivery, Properties
from node.storage.database import Database
from node.storage.events import Event
from node.storage.items import Item
from node.storage.messages import Incoming, Outgoing, Quarantined
from node.storage.shelf import Shelf
from node.workflow import directory
from node.workflow.desk import Actor, Desk
from protocol import envelope
from protocol.envelope import Opened
from protocol.messages import catalogue
from protocol.messages.links import Receipt
from protocol.offices import OfficeReference, Record
from tests.authorities import NAMES, Office
from tests.factories import NOW, make_id, make_payload


@dataclass(frozen=True)
class Sent:
    """A message that a neighbour signed, as it arrives."""

    id: UUID
    token: bytes
    delivery: Delivery


@dataclass(frozen=True)
class PostRoom:
    """The office, and everybody whose words it may hear."""

    office: Office
    offices: dict[str, Office]
    desk: Desk
    editor: Actor
    reception: Reception = field(repr=False)

    def sign(self, data: Record, sender: str, **given: Any) -> Sent:
        """A message from a neighbour to this office, or, with `to`, between others."""
        return sign(self.offices[sender], given.pop("to", self.office.id), data, **given)

    async def take_in(self, *messages: Sent) -> Result:
        """Take the messages in as one batch."""
        return await self.reception.take_in([message.delivery for message in messages])

    async def item(self, id: UUID) -> Item | None:
        """The item, if it is here."""
        async with self.desk.database.reading() as session:
            return await session.get(Item, id)

    async def events(self, item: UUID) -> list[tuple[str, int, str]]:
        """Which office did what with the item, by office and sequence."""
        query = select(Event).where(Event.item_id == item)
        async with self.desk.database.reading() as session:
            events = await session.scalars(query.order_by(Event.office, Event.sequence, Event.step))
            return [(event.office, event.sequence, event.kind) for event in events]

    async def inbox(self) -> dict[UUID, str]:
        """The state of every message that was accepted."""
        async with self.desk.database.reading() as session:
            return {row.id: row.state for row in await session.scalars(select(Incoming))}

    async def quarantined(self) -> list[str]:
        """Why messages were refused."""
        async with self.desk.database.reading() as session:
            return list(await session.scalars(select(Quarantined.code).order_by(Quarantined.id)))

    async def verdicts(self) -> dict[UUID, tuple[str, str | None, bool]]:
        """What the receipts that wait in the outbox say of each message."""
        said: dict[UUID, tuple[str, str | None, bool]] = {}
        for _, data in await self._posted("receipt"):
            assert isinstance(data, Receipt)
            for entry in data.entries:
                said[entry.id] = (entry.verdict, entry.code, entry.permanent)
        return said

    async def passed_on(self, name: str) -> list[tuple[str, Record]]:
        """The messages of this type that wait in the outbox, with their addressees."""
        return await self._posted(name)

    async def _posted(self, name: str) -> list[tuple[str, Record]]:
        query = select(Outgoing).where(Outgoing.name == name).order_by(Outgoing.created_at)
        async with self.desk.database.reading() as session:
            rows = (await session.scalars(query)).all()
        return [(row.peer, self._read(row)) for row in rows]

    def _read(self, row: Outgoing) -> Record:
        token = envelope.seal(row.payload, self.office.signer, signed_at=NOW, incarnation=1)
        peer = self.offices[row.peer]
        opened = envelope.open_message(token, chains=peer.chains, place=peer.place, now=NOW)
        assert isinstance(opened, Opened)
        return opened.data


def sign(sender: Office, to: str, data: Record, **given: Any) -> Sent:
    """A signed message with the unsigned properties that go with it."""
    id = given.pop("id", None) or make_id()
    signer, incarnation = given.pop("signer", sender.signer), given.pop("incarnation", 1)
    payload = make_payload(data, sender=sender.id, recipient=to, id=id, **given)
    token = envelope.seal(payload, signer, signed_at=NOW, incarnation=incarnation)
    properties = Properties(
        message_id=str(id),
        type=catalogue.type_name(catalogue.NAMES[type(data)]),
        app_id=sender.id,
        content_type=CONTENT_TYPE,
        user_id=sender.id,
    )
    return Sent(id, token, Delivery(token, properties, f"test.{to}"))


@asynccontextmanager
async def opened(
    office: str, offices: dict[str, Office], children: Sequence[str], database: Database
) -> AsyncIterator[PostRoom]:
    """The office at its own place in the hierarchy, on an empty database with all tables."""
    own = offices[office]
    ticks = itertools.count(1)
    desk = Desk(
        office=own.reference,
        parent=_reference(own.parent) if own.parent else None,
        database=database,
        chains=own.chains,
        place=own.place,
        clock=lambda: NOW,
        new_id=lambda: make_id(5_000_000 + next(ticks)),
        limits=LimitSettings(),
        shelf=Shelf(Path()),
    )
    async with database.writing.begin() as session:
        await directory.know(session, desk.office, "self")
        for child in children:
            await directory.know(session, _reference(child), "child")
        if desk.parent is not None:
            await directory.know(session, desk.parent, "parent")
    editor = Actor(id=make_id(), username="editor", name="周编辑", roles=frozenset({"editor"}))
    try:
        yield PostRoom(own, offices, desk, editor, Reception(desk, RelaySettings()))
    finally:
        await database.close()


def _reference(office: str) -> OfficeReference:
    name, level = NAMES[office]
    return OfficeReference.model_validate({"id": office, "name": name, "level": level})
