"""A whole hierarchy in memory whose messages move only when the test says so.

Publishers and consumers are driven step by step, so every run is the same.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import UUID

from node.bootstrap import keyring
from node.bootstrap.node import Node
from node.keys.signer import FileSigner
from node.relay.consumer import Consumer
from node.relay.memory import Switchboard
from node.relay.publisher import Publisher
from node.workflow import decisions, forwarding
from tests.node import rooms
from tests.node.rooms import Clock, Room
from tests.offices import Hierarchy

ROUNDS = 200


@dataclass(frozen=True)
class Post:
    """The two ends of an office's link to the others."""

    publisher: Publisher
    consumer: Consumer
    signer: FileSigner


@dataclass(frozen=True)
class Chain:
    """The offices of a hierarchy, by id; `line` leads from the author's county to the top."""

    rooms: dict[str, Room]
    line: list[str]
    clock: Clock
    switchboard: Switchboard
    _posts: dict[str, Post]
    _woken: set[str]

    @property
    def county(self) -> Room:
        """The author's office."""
        return self.rooms[self.line[0]]

    @property
    def above(self) -> Room:
        """The office to which the county reports."""
        return self.rooms[self.line[1]]

    @property
    def top(self) -> Room:
        """The highest office."""
        return self.rooms[self.line[-1]]

    def signer(self, office: str) -> FileSigner:
        """With what the office signs."""
        return self._posts[office].signer

    def restart(self, office: str) -> None:
        """Start the office's end of its links anew, from its files."""
        self._posts[office] = _post(self.rooms[office].node, self.switchboard)

    def wait(self, time: timedelta) -> None:
        """Let time pass: everybody looks for what has become due."""
        self.clock.move(time)
        self._woken.update(self.rooms)

    async def deliver(self, *, without: Collection[str] = ()) -> None:
        """Bring every message to its addressee, until nobody has anything to do."""
        for _ in range(ROUNDS):
            worked = False
            for office in [name for name in self.rooms if name not in without]:
                worked |= await self._work(office)
            if not worked:
                return
        raise AssertionError("the offices never come to rest")

    async def _work(self, office: str) -> bool:
        # Only where something was committed, or has arrived: looking everywhere takes long.
        worked = False
        if office in self._woken:
            self._woken.remove(office)
            while await self._posts[office].publisher.step():
                worked = True
        while await self._posts[office].consumer.step():
            worked = True
        return worked

    async def climb(self, item: UUID, to: str | None = None) -> None:
        """Every office up to `to` (the top) takes the item up; those below it forward it."""
        last = to or self.line[-1]
        for office in self.line[: self.line.index(last) + 1]:
            room = self.rooms[office]
            if await room.state(item) == "submitted":
                await decisions.register(room.desk, room.editor, item)
            if office != last:
                await forwarding.forward_up(room.desk, room.editor, item)
            await self.deliver()


@asynccontextmanager
async def opened(hierarchy: Hierarchy) -> AsyncIterator[Chain]:
    """Open every office of a hierarchy that was set up and is not running."""
    assert hierarchy.switchboard is not None
    clock = Clock()
    folders = sorted(folder.name for folder in hierarchy.folder.iterdir() if folder.is_dir())
    nodes = [hierarchy.open(name, clock=clock) for name in folders]
    posts = {node.desk.node: _post(node, hierarchy.switchboard) for node in nodes}
    try:
        entered = {node.desk.node: await rooms.enter(node, clock) for node in nodes}
        woken: set[str] = set()
        for node in nodes:
            node.desk.database.watch.on("outbox", partial(woken.add, node.desk.node))
        yield Chain(entered, hierarchy.chain, clock, hierarchy.switchboard, posts, woken)
    finally:
        for node in nodes:
            await node.desk.database.close()


def _post(node: Node, switchboard: Switchboard) -> Post:
    settings = node.settings
    transport = switchboard.connect(node.desk.node)
    signer = keyring.of(settings).signer()
    publisher = Publisher(node.desk, transport, signer, settings.relay, incarnation=1)
    return Post(publisher, Consumer(node.desk, transport, settings.relay), signer)
