"""Lost disks: an office goes on from an older snapshot of its database, as a new incarnation.

Snapshots are taken between two steps, of one office or of two neighbours, also of one that is
recovering; each may be restored some rounds later, and a second time. While an office recovers, no
neighbour loses its disk: what only those two had would be lost, whatever the product does.
"""

from __future__ import annotations

from sqlalchemy import select

from node.storage.events import Event
from tests.simulation.office import Office
from tests.simulation.world import Fact, Snapshot, World

MOST_RESTORES = 4
"""In one schedule."""

BOTH, SOON, AGAIN = 0.4, 0.05, 0.2
"""How likely a neighbour's snapshot is taken too; a snapshot is restored in a round; it stays."""


async def strike(world: World) -> None:
    """Take snapshots, or lose disks, when the odds say so."""
    random, odds = world.random, world.wires.odds
    if not odds.restore:
        return
    if not world.snapshots and odds.draws(random, odds.restore):
        await _keep_some(world)
    for node in list(world.snapshots):
        office = world.offices[node]
        if random.random() < SOON and _may_be_restored(world, office):
            await _restore(world, office)


async def _keep_some(world: World) -> None:
    random, offices = world.random, list(world.offices.values())
    chosen = [
        random.choice(
            [o for o in offices if o.recovering] or [o for o in offices if o.has_items] or offices
        )
    ]
    if random.random() < BOTH:
        chosen.append(random.choice(world.neighbours(chosen[0])))
    for office in chosen:
        await world.databases.keep(office.node)
        world.snapshots[office.node] = Snapshot(office.clock(), len(world.done))
        world.note(office.node, "snapshot")


def _may_be_restored(world: World, office: Office) -> bool:
    if len(world.restored) == MOST_RESTORES:
        return False
    if any(neighbour.recovering for neighbour in world.neighbours(office)):
        return False
    # Of two incarnations, the later restore must have the later time on its clock.
    return office.clock.shown.timestamp() * 1_000 > office.incarnation + 1


async def _restore(world: World, office: Office) -> None:
    snapshot = world.snapshots[office.node]
    if world.random.random() > AGAIN:
        del world.snapshots[office.node]
    facts = await _own_facts(office)
    await office.restore(world.databases, snapshot.at)
    world.note(office.node, f"lost its disk, goes on from {snapshot.at}")
    world.restored.append(office.node)
    world.lost |= facts - await _own_facts(office)
    for done in world.done[snapshot.deeds :]:
        done.lost |= done.office == office.node


async def _own_facts(office: Office) -> set[Fact]:
    query = select(Event.item_id, Event.sequence).where(
        Event.office == office.node, Event.step == 0
    )
    async with office.database.reading() as session:
        return {Fact(office.node, *row) for row in await session.execute(query)}
