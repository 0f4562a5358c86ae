"""The speed of plain aio-pika from process to process: what no product can exceed.

A producer publishes persistent messages into a quorum queue, a window of them unconfirmed at a
time; a consumer does nothing with them but acknowledge, many at once. There is no database, no
signature and no answer.
"""

import asyncio
import contextlib
import sys
import time
import uuid

import aio_pika
import uvloop
from aio_pika.abc import AbstractIncomingMessage

from tests.bench import bodies, parts

WINDOW = 200
PREFETCH = 500
ACKNOWLEDGE = 200
# Acknowledging a few at a time costs the broker more than waiting for more of them.
IDLE = 0.02


def measure(rabbit_url: str, count: int) -> float:
    """Messages per second, from the first publish to the last acknowledgement. Blocks."""
    name = f"bench.plain.{uuid.uuid4().hex[:8]}"
    with parts.Parts("plain aio-pika", count) as processes:
        processes.start("tests.bench.plain", "consume", rabbit_url, name, str(count))
        processes.wait_for("ready")
        processes.start("tests.bench.plain", "produce", rabbit_url, name, str(count))
        times = processes.wait_for("first", "last")
    return count / (float(times["last"]) - float(times["first"]))


async def produce(url: str, name: str, count: int) -> None:
    """Publish so many messages; reports when it began."""
    messages = [
        aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        for body in bodies.bodies(count)
    ]
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel(on_return_raises=True)
        publish = channel.default_exchange.publish
        first = time.monotonic()
        for start in range(0, count, WINDOW):
            window = messages[start : start + WINDOW]
            await asyncio.gather(*(publish(message, name) for message in window))
    parts.report(first=first)


async def consume(url: str, name: str, count: int) -> None:
    """Acknowledge so many messages from a queue of its own; reports when the last was."""
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=PREFETCH)
        queue = await channel.declare_queue(
            name, durable=True, arguments={"x-queue-type": "quorum", "x-expires": 60_000}
        )
        arrived: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
        await queue.consume(arrived.put)
        parts.report(ready=True)
        progress = parts.Progress()
        done = 0
        while done < count:
            message = await arrived.get()
            done += 1
            batch_end = min(done - 1 + ACKNOWLEDGE, count)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(IDLE):
                    while done < batch_end:
                        message = await arrived.get()
                        done += 1
            await message.ack(multiple=True)
            progress(done)
        last = time.monotonic()
    parts.report(last=last, done=done)


def main(role: str, url: str, name: str, count: str) -> None:
    """One of the two processes."""
    work = {"produce": produce, "consume": consume}[role]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work(url, name, int(count)))


if __name__ == "__main__":
    main(*sys.argv[1:])
