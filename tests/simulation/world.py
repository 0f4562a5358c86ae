"""The simulated world: the offices of a hierarchy, the wires between them, time, and the trace.

`open_world` builds it from a seed. The world knows what is due when, and what people were told is
done; what happens next is decided in `schedule`.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import NamedTuple
from uuid import UUID

from node.config import RelaySettings
from protocol.identifiers import NodeId
from protocol.lifecycle import Action
from tests.simulation.databases import Databases
from tests.simulation.faults import draw_odds
from tests.simulation.office import Office
from tests.simulation.shapes import OFTEN, SHAPES, posts
from tests.simulation.time import Clock, Time
from tests.simulation.wire import Wires


@dataclass
class Done:
    """A person was told that this is done. `made` are the ids that were given out for it."""

    office: NodeId
    item: UUID
    action: Action
    made: frozenset[UUID]
    lost: bool = False
    """The office lost the disk on which it stood."""


class Snapshot(NamedTuple):
    """What an office can be restored from: taken when on its clock, after how many deeds."""

    at: datetime
    deeds: int


class Fact(NamedTuple):
    """A fact as an office counts it."""

    office: NodeId
    item: UUID
    sequence: int


@dataclass
class Trace:
    """Every step, in words; the same words for the same seed."""

    keeps: bool = False
    lines: list[str] = field(default_factory=list)
    steps: int = 0
    _hash: hashlib._Hash = field(default_factory=hashlib.sha256)

    def add(self, line: str) -> None:
        self.steps += 1
        self._hash.update(line.encode() + b"\n")
        if self.keeps:
            self.lines.append(line)

    @property
    def digest(self) -> str:
        """What the whole run comes to."""
        return self._hash.hexdigest()


@dataclass
class World:
    """Everything there is."""

    shape: str
    random: Random
    time: Time
    wires: Wires
    offices: dict[NodeId, Office]
    trace: Trace
    databases: Databases
    done: list[Done] = field(default_factory=list)
    snapshots: dict[NodeId, Snapshot] = field(default_factory=dict)
    restored: list[NodeId] = field(default_factory=list)
    """Who lost a disk, in order."""
    lost: set[Fact] = field(default_factory=set)
    """The facts that stood on them."""

    def note(self, who: str, what: str) -> None:
        """One line of the trace."""
        self.trace.add(f"{self.time.now:%m-%d %H:%M:%S.%f} {who}: {what}")

    def below(self, office: Office) -> list[NodeId]:
        """The offices directly below."""
        return [child.id for child in office.post.children]

    def neighbours(self, office: Office) -> list[Office]:
        """The offices directly above and below."""
        above = [] if office.post.parent is None else [office.post.parent.id]
        return [self.offices[node] for node in (*above, *self.below(office))]


@asynccontextmanager
async def open_world(
    seed: int, databases: Databases, *, keeps_trace: bool = False
) -> AsyncIterator[World]:
    """The world of a seed, before anything happened."""
    random = Random(seed)
    [shape] = random.choices(list(SHAPES), OFTEN)
    time = Time()
    wires = Wires(random, draw_odds(random), time)
    settings = RelaySettings(
        window=random.choice((1, 2, 5, 50)), batch=random.choice((1, 3, 10, 50))
    )
    taken = await databases.take(shape)
    try:
        offices = {
            node: Office(post, *taken[node], wires, Clock(time), random, settings)
            for node, post in posts(shape).items()
        }
        for office in offices.values():
            await office.enter()
        world = World(shape, random, time, wires, offices, Trace(keeps_trace), databases)
        world.note("world", f"{shape}, {wires.odds}, window {settings.window}")
        yield world
    finally:
        await databases.give_back()
