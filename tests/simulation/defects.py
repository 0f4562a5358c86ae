"""Planted defects: mistakes that a relay is easily built with, to see that the simulator sees them.

Each takes the place of a function of the product while a test lasts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Any
from unittest.mock import patch
from uuid import UUID

from sqlalchemy import delete, select, update

from node.bootstrap import restoration
from node.relay import receipts as receipts_
from node.relay import reception, window
from node.relay.consumer import Consumer
from node.relay.reception import Reception, Result
from node.relay.transport import Delivery
from node.relay.window import Due, Standing
from node.storage import bulk
from node.storage.database import Session
from node.storage.events import Event
from node.storage.messages import Incoming, Outgoing
from node.storage.recovery import Recovery
from node.storage.wake import Watch
from node.workflow import feedback, record, recovery
from node.workflow.intake import Intake
from protocol import lifecycle
from protocol.envelope import Opened
from protocol.identifiers import digest
from protocol.lifecycle import Moment
from protocol.messages import catalogue
from protocol.messages.links import ReceiptEntry

ATTEMPTS = 2
Identities = dict[tuple[str, UUID], str]


@contextmanager
def acknowledged_before_commit() -> Iterator[None]:
    """The broker is told that a batch is safe before it is."""
    take_in = Reception.take_in

    async def step(self: Consumer) -> bool:
        taken = await self._transport.take(self._limit)
        await self._transport.acknowledge(taken)
        if taken:
            await take_in(self._reception, taken)
        return bool(taken)

    with patch.object(Consumer, "step", step):
        yield


@contextmanager
def receipt_before_commit() -> Iterator[None]:
    """Receipts have a transaction of their own, which comes first."""
    take_in, send = Reception.take_in, receipts_.send

    async def take_in_late(self: Reception, deliveries: Sequence[Delivery]) -> Result:
        now = self._desk.clock()
        entries: dict[Any, list[ReceiptEntry]] = {}
        for message in _business(self, deliveries, now):
            entries.setdefault(message.event.sender, []).append(receipts_.received(message))
        async with self._desk.database.writing.begin() as session:
            await send(session, self._desk, entries, now)
        return await take_in(self, deliveries)

    async def nothing(*_: object) -> None:
        return

    with (
        patch.object(Reception, "take_in", take_in_late),
        patch.object(receipts_, "send", nothing),
    ):
        yield


@contextmanager
def no_duplicate_check() -> Iterator[None]:
    """Whatever comes is new."""

    async def known(session: Session, messages: Sequence[Opened]) -> Identities:
        return {}

    with patch.object(reception, "_known", known):
        yield


@contextmanager
def duplicates_by_token() -> Iterator[None]:
    """A message came before when its token did, letter by letter."""

    async def known(session: Session, messages: Sequence[Opened]) -> Identities:
        tokens = [message.token for message in messages]
        found = await session.execute(
            select(Incoming.source, Incoming.id, Incoming.digest).where(Incoming.token.in_(tokens))
        )
        return {(source, id): digest for source, id, digest in found}

    with patch.object(reception, "_known", known):
        yield


@contextmanager
def new_id_on_resend() -> Iterator[None]:
    """What is sent again is a new message."""
    lost, probe = window._lost, window._probe

    async def renewed(session: Session, rows: Sequence[Due]) -> list[Due]:
        result = []
        for row in rows:
            id = UUID(int=row.id.int ^ (row.attempts + 1))
            payload = row.payload.replace(str(row.id).encode(), str(id).encode())
            await session.execute(
                update(Outgoing)
                .where(Outgoing.id == row.id)
                .values(id=id, payload=payload, digest=digest(payload))
            )
            result.append(row._replace(id=id, payload=payload))
        return result

    async def lost_anew(session: Session, *args: Any) -> list[Due]:
        return await renewed(session, await lost(session, *args))

    async def probe_anew(session: Session, *args: Any) -> list[Due]:
        return await renewed(session, await probe(session, *args))

    with patch.object(window, "_lost", lost_anew), patch.object(window, "_probe", probe_anew):
        yield


@contextmanager
def resending_stops() -> Iterator[None]:
    """A message is given up after a few attempts."""
    lost, probe = window._lost, window._probe

    async def lost_seldom(*args: Any) -> list[Due]:
        return [row for row in await lost(*args) if row.attempts < ATTEMPTS]

    async def probe_seldom(*args: Any) -> list[Due]:
        return [row for row in await probe(*args) if row.attempts < ATTEMPTS]

    with patch.object(window, "_lost", lost_seldom), patch.object(window, "_probe", probe_seldom):
        yield


@contextmanager
def facts_by_time() -> Iterator[None]:
    """An office stands as the fact says that has the latest time."""
    receive = feedback.receive

    async def receive_by_time(intake: Intake, message: Opened) -> bool:
        applied = await receive(intake, message)
        fact = getattr(message.data, "fact", None)
        item = intake.items.get(message.event.subject) if message.event.subject else None
        if fact is None or item is None:
            return applied
        found = await intake.session.execute(
            select(Event.at, Event.kind).where(
                Event.item_id == item.id, Event.office == fact.office.id, Event.step == 0
            )
        )
        rows = [(at, kind) for at, kind in found]
        rows += [
            (row["at"], row["kind"])
            for row in intake.session.info.get(bulk.KEY, {}).get(Event, ())
            if (row["item_id"], row["office"]) == (item.id, fact.office.id)
        ]
        moments = [Moment(n, 0, kind) for n, (_, kind) in enumerate(sorted(rows))]
        record.set_standing(item, fact.office, lifecycle.fold(moments))
        return applied

    with patch.object(feedback, "receive", receive_by_time):
        yield


@contextmanager
def inbox_apart_from_item() -> Iterator[None]:
    """The inbox row has a transaction of its own, which comes first."""
    take_in, insert, known_ = Reception.take_in, bulk.insert, reception._known
    written: set[tuple[str, UUID]] = set()

    async def take_in_apart(self: Reception, deliveries: Sequence[Delivery]) -> Result:
        now = self._desk.clock()
        written.clear()
        messages = _business(self, deliveries, now)
        async with self._desk.database.writing.begin() as session:
            before = await known_(session, messages)
            for message in messages:
                identity = (message.event.sender, message.event.id)
                if identity not in before and identity not in written:
                    written.add(identity)
                    insert(session, Incoming, **_row(message, now))
        return await take_in(self, deliveries)

    async def known(session: Session, messages: Sequence[Opened]) -> Identities:
        found = await known_(session, messages)
        return {key: value for key, value in found.items() if key not in written}

    def insert_the_rest(session: Session, model: type[Any], **values: Any) -> None:
        if model is not Incoming or (values["source"], values["id"]) not in written:
            insert(session, model, **values)

    with (
        patch.object(Reception, "take_in", take_in_apart),
        patch.object(reception, "_known", known),
        patch.object(bulk, "insert", insert_the_rest),
    ):
        yield


@contextmanager
def parked_forgotten() -> Iterator[None]:
    """What came too early waits for ever."""

    async def nothing(self: Reception, intake: Intake, result: Result) -> None:
        return

    with patch.object(Reception, "_release", nothing):
        yield


@contextmanager
def restored_as_it_was() -> Iterator[None]:
    """A restored node goes on as if nothing had happened: no new incarnation, nobody is asked."""

    async def nothing(*_: object, **__: object) -> None:
        return

    with patch.object(restoration, "begin_epoch", nothing):
        yield


@contextmanager
def restored_without_replay() -> Iterator[None]:
    """A restored node is a new incarnation, and works at once."""
    begin = restoration.begin_epoch

    async def begin_alone(session: Session, *args: Any, now: datetime, **more: Any) -> None:
        await begin(session, *args, now=now, **more)
        await session.flush()
        await session.execute(delete(Recovery))
        await recovery.close(session, now)

    with patch.object(restoration, "begin_epoch", begin_alone):
        yield


@contextmanager
def nobody_woken() -> Iterator[None]:
    """What was committed waits until somebody looks by himself."""
    with patch.object(Watch, "tell", lambda *_: None):
        yield


@contextmanager
def nothing_due() -> Iterator[None]:
    """What was put off waits until something else happens on its link."""
    with patch.object(Standing, "due_at", lambda *_: None):
        yield


DEFECTS: dict[str, Callable[[], AbstractContextManager[None]]] = {
    "acknowledge before commit": acknowledged_before_commit,
    "receipt sent before commit": receipt_before_commit,
    "no duplicate check": no_duplicate_check,
    "duplicates by the text of the token": duplicates_by_token,
    "new id on resend": new_id_on_resend,
    "resending stops": resending_stops,
    "facts ordered by time": facts_by_time,
    "inbox and item in two transactions": inbox_apart_from_item,
    "parked messages forgotten": parked_forgotten,
    "restore without a new incarnation": restored_as_it_was,
    "restore without replay": restored_without_replay,
    "commits wake nobody": nobody_woken,
    "what was put off is never due": nothing_due,
}


def _business(at: Reception, deliveries: Sequence[Delivery], now: datetime) -> list[Opened]:
    opened = [at._open(delivery, now) for delivery in deliveries]
    return [
        message
        for message in opened
        if isinstance(message, Opened) and not catalogue.is_link_type(message.name)
    ]


def _row(message: Opened, now: datetime) -> dict[str, Any]:
    return {
        "source": message.event.sender,
        "id": message.event.id,
        "name": message.name,
        "subject": message.event.subject,
        "digest": message.digest,
        "token": message.token,
        "state": "applied",
        "received_at": now,
    }
