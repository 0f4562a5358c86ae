"""The yardstick: the job of one hop, as a competent team would write it in a day.

FastStream, SQLAlchemy's ORM and joserfc in their usual way, with the care such work deserves and
no trick beyond it:

- office A has its messages in an outbox; a relay locks a hundred rows, signs and publishes each,
  and marks them sent in the same transaction, once the broker has confirmed them all;
- office B verifies a message, then inbox, item and event are written in one transaction a message,
  and a receipt goes back;
- A marks the row received, in one transaction a receipt.

What arrives is acknowledged after its transaction. Repeating is left to redelivery.
"""

import asyncio
import json
import sys
import time
import uuid
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import uvloop
from faststream import AckPolicy
from faststream.rabbit import Channel, QueueType, RabbitBroker, RabbitQueue
from joserfc import jws
from joserfc.jwk import ECKey
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from tests.bench import bodies, parts
from tests.bench.reference_tables import Base, Event, Inbox, Item, Outbox

# FastStream handles as many messages at once as the broker may leave unacknowledged.
PREFETCH = 100
BATCH = 100
POOL = 20

Sessions = async_sessionmaker[AsyncSession]


def measure(rabbit_url: str, sender_database: str, receiver_database: str, count: int) -> float:
    """Messages per second, from the first publish to the last receipt recorded. Blocks.

    What the two databases hold is dropped.
    """
    key = ECKey.generate_key("P-256", {"kid": "office-a"})
    run = uuid.uuid4().hex[:8]
    with parts.Parts("FastStream reference", count) as processes:
        public = json.dumps(key.as_dict(private=False))
        private = json.dumps(key.as_dict(private=True))
        module = "tests.bench.reference"
        processes.start(module, "receive", rabbit_url, receiver_database, run, public)
        processes.wait_for("receiving")
        processes.start(module, "send", rabbit_url, sender_database, run, private, str(count))
        times = processes.wait_for("first", "last")
    return count / (float(times["last"]) - float(times["first"]))


async def send(rabbit_url: str, database: str, run: str, private: str, count: str) -> None:
    """Office A: relays so many messages, and reports when all their receipts are recorded."""
    engine, sessions = await open_database(database)
    key = ECKey.import_key(json.loads(private))
    broker = open_broker(rabbit_url)
    progress = parts.Progress()
    received = awaited = 0
    finished = asyncio.Event()

    @broker.subscriber(queue("receipts", run), ack_policy=AckPolicy.NACK_ON_ERROR)
    async def receipt(body: dict[str, str]) -> None:
        nonlocal received
        async with sessions.begin() as session:
            row = await session.get_one(Outbox, uuid.UUID(body["id"]), with_for_update=True)
            row.state = "received"
            row.received_at = datetime.now(UTC)
        received += 1
        progress(received)
        if received == awaited:
            finished.set()

    async with broker:
        await broker.start()
        # One message first, so that the connections stand.
        for amount in (1, int(count)):
            await fill_outbox(sessions, amount)
            awaited += amount
            finished.clear()
            first = time.monotonic()
            while await relay(sessions, broker, key, run):
                pass
            await finished.wait()
        last = time.monotonic()
    await engine.dispose()
    parts.report(first=first, last=last, done=int(count))


async def relay(sessions: Sessions, broker: RabbitBroker, key: ECKey, run: str) -> bool:
    """Send the next batch of the outbox; says whether there was any."""

    async def publish(row: Outbox) -> None:
        header = {"alg": "ES256", "kid": key.kid}
        await broker.publish(
            jws.serialize_compact(header, row.payload, key),
            queue=queue("messages", run),
            persist=True,
            content_type="application/jose",
            message_id=str(row.id),
        )

    pending = (
        select(Outbox)
        .where(Outbox.state == "pending")
        .order_by(Outbox.created_at)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    async with sessions.begin() as session:
        rows = (await session.scalars(pending)).all()
        await asyncio.gather(*map(publish, rows))
        await session.execute(
            update(Outbox)
            .where(Outbox.id.in_([row.id for row in rows]))
            .values(state="sent", sent_at=datetime.now(UTC))
            .execution_options(synchronize_session=False)
        )
    return bool(rows)


async def receive(rabbit_url: str, database: str, run: str, public: str) -> None:
    """Office B: takes in whatever comes, until it is ended."""
    _, sessions = await open_database(database)
    key = ECKey.import_key(json.loads(public))
    broker = open_broker(rabbit_url)

    @broker.subscriber(queue("messages", run), ack_policy=AckPolicy.NACK_ON_ERROR)
    async def message(body: bytes) -> None:
        verified = jws.deserialize_compact(body, key, algorithms=["ES256"])
        content = json.loads(verified.payload)
        message_id = uuid.UUID(content["id"])
        async with sessions.begin() as session:
            if await session.get(Inbox, message_id) is None:
                report = content["report"]
                texts = {name: report[name] for name in ("title", "author", *bodies.PARTS)}
                item = Item(id=uuid.uuid4(), **texts)
                event = Event(item=item, kind="received", message_id=message_id)
                session.add_all([Inbox(id=message_id, token=body), item, event])
        await broker.publish(
            {"id": str(message_id), "outcome": "accepted"},
            queue=queue("receipts", run),
            persist=True,
        )

    async with broker:
        await broker.start()
        parts.report(receiving=True)
        await asyncio.Event().wait()


async def open_database(url: str) -> tuple[AsyncEngine, Sessions]:
    """Connect to a database and lay out its tables anew."""
    engine = create_async_engine(url, pool_size=POOL, max_overflow=0)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.drop_all)
        await connection.run_sync(Base.metadata.create_all)
    return engine, async_sessionmaker(engine, expire_on_commit=False)


async def fill_outbox(sessions: Sessions, count: int) -> None:
    """Put so many messages into the outbox."""
    async with sessions.begin() as session:
        for body in bodies.bodies(count):
            message_id = uuid.uuid4()
            content = {"id": str(message_id), "report": json.loads(body)}
            payload = json.dumps(content, ensure_ascii=False).encode()
            session.add(Outbox(id=message_id, payload=payload))


def open_broker(url: str) -> RabbitBroker:
    """A broker as in production: without a line of log for every message."""
    return RabbitBroker(url, default_channel=Channel(prefetch_count=PREFETCH), logger=None)


def queue(name: str, run: str) -> RabbitQueue:
    """A queue of this run, which goes away by itself afterwards."""
    return RabbitQueue(
        f"bench.reference.{run}.{name}",
        queue_type=QueueType.QUORUM,
        durable=True,
        arguments={"x-expires": 60_000},
    )


def main(role: str, *arguments: str) -> None:
    """One of the two processes."""
    roles: dict[str, Callable[..., Coroutine[Any, Any, None]]] = {"send": send, "receive": receive}
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(roles[role](*arguments))


if __name__ == "__main__":
    main(*sys.argv[1:])
