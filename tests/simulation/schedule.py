"""One schedule: everything that happens in a world, drawn from its seed.

1. Trouble: people act and offices work, in any order, while everything fails that the schedule's
   odds allow, and time passes in bits, hours or days.
2. Rest: the faults stop, and time moves from one thing that is due to the next until nothing is.
   A day later both ends of every link compare their accounts.
3. The verdict on where that ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from node.errors import RecoveringError
from node.relay.transport import Delivery
from node.storage.statements import Account
from protocol.identifiers import NodeId
from tests.simulation import deeds, restores, verdict
from tests.simulation.databases import Databases
from tests.simulation.faults import CALM, FAILURES
from tests.simulation.office import UNHARMED, Fate, Office
from tests.simulation.world import Done, World, open_world

ROUNDS = (30, 100)
LONGEST_REST = 25
"""More pauses than any schedule needs, beside one for whatever is late: who is not at rest then
never will be."""

RECOVERING = 12
"""A clock that was ahead at the restore and is behind now makes ten minutes of questions vain."""

ACCOUNTS_AFTER = timedelta(days=1, hours=2)
"""By then everything counts as settled, and it is another day on every clock."""

SKEW = timedelta(minutes=5)
"""Each clock is wrong by at most so much, so that two are at most ten minutes apart."""

AWAITS, STATEMENTS = 25, 12
"""Where kills and failures strike: a step has about as many awaits and statements."""

PAUSES = (
    timedelta(seconds=3),
    timedelta(seconds=40),
    timedelta(minutes=10),
    timedelta(hours=3),
    timedelta(days=2),
)


@dataclass(frozen=True)
class Report:
    """What became of a schedule."""

    seed: int
    shape: str
    steps: int
    digest: str
    problems: Sequence[str]
    trace: Sequence[str]


async def run(seed: int, databases: Databases, *, keeps_trace: bool = False) -> Report:
    """Run the seed's schedule to its end."""
    async with open_world(seed, databases, keeps_trace=keeps_trace) as world:
        problems: list[str] = []
        try:
            await _trouble(world, problems)
            await _rest(world, problems)
            problems += await verdict.reach(world)
        except Exception as error:
            problems.append(f"a step failed without a fault: {type(error).__name__}: {error}")
        for problem in problems:
            world.note("verdict", problem)
        trace = world.trace
        return Report(seed, world.shape, trace.steps, trace.digest, problems, trace.lines)


async def _trouble(world: World, problems: list[str]) -> None:
    # 1.
    random, offices = world.random, list(world.offices.values())
    leaves = [office for office in offices if not office.post.children]
    for _ in range(random.randint(*ROUNDS)):
        match random.choices(("hand in", "act", "work", "time"), (2, 12, 14, 2))[0]:
            case "hand in":
                author = random.choice(leaves if random.random() < 0.8 else offices)
                await _do(world, author, deeds.hand_in(author, random))
            case "act":
                office = random.choice([o for o in offices if o.has_items] or leaves)
                deed = await deeds.choose(office, random)
                if deed is not None:
                    await _do(world, office, deed)
            case "work":
                busy = [o for o in offices if o.woken or o.waits or o.recovering or o.wire.has_mail]
                await _work(world, random.choice(busy or offices), problems)
            case "time":
                _pass(world, random.choice(PAUSES) * random.random())
        _world_faults(world, random.choice([o for o in offices if o.has_items] or offices))
        await restores.strike(world)


async def _do(world: World, office: Office, deed: deeds.Deed) -> None:
    office.has_items = True
    office.made.clear()

    def remember(result: object) -> None:
        item = deed.item or result
        made = frozenset(office.made)
        world.done.append(Done(office.node, item, deed.action, made))  # type: ignore[arg-type]

    fate = _fate(world)
    try:
        outcome: str = await office.do(deed.work, fate, remember)
    except RecoveringError:
        outcome = "refused"
    world.note(office.node, f"{deed.action} {deed.item or ''}{fate}: {outcome}")


async def _work(world: World, office: Office, problems: list[str]) -> None:
    fate = _fate(world)
    if office.waits and world.random.random() < 0.5:
        world.note(office.node, f"confirm: {await office.confirm()}")
        return
    if office.recovering and world.random.random() < 0.4:
        world.note(office.node, f"recover{fate}: {await office.recover(fate)}")
    elif world.random.random() < 0.04:
        world.note(office.node, f"seal{fate}: {await office.seal(fate)}")
    elif office.wire.has_mail and world.random.random() < 0.5:
        await _take(world, office, fate, problems)
    else:
        world.note(office.node, f"publish{fate}: {await office.publish(fate)}")


async def _take(world: World, office: Office, fate: Fate, problems: list[str]) -> None:
    queued = len(world.wires.queue(office.node))
    wire, office.has_items = office.wire, True
    outcome = await office.take(fate)
    world.note(office.node, f"take of {queued}{fate}: {outcome}")
    if outcome in ("killed", "failed"):
        acknowledged: list[Delivery] = wire.acknowledged
        problems += await verdict.demand_kept(office, acknowledged)


def _fate(world: World) -> Fate:
    random, odds = world.random, world.wires.odds
    if odds.draws(random, odds.kill):
        return Fate(killed_at=random.randint(1, AWAITS))
    if odds.draws(random, odds.fail):
        return Fate(failure=random.choice(FAILURES), failing_at=random.randint(1, STATEMENTS))
    return UNHARMED


def _world_faults(world: World, office: Office) -> None:
    random, wires = world.random, world.wires
    odds = wires.odds
    if odds.draws(random, odds.lose_all) and office.post.children:
        lost = wires.lose_all(office.node, world.below(office))
        world.note(office.node, f"broker lost {lost}")
    if odds.draws(random, odds.cut):
        wires.cut ^= {office.node}
        world.note(office.node, "cut off" if office.node in wires.cut else "connected")
    if odds.draws(random, odds.clock):
        office.clock.wrong_by = SKEW * random.uniform(-1, 1)
        world.note(office.node, f"clock wrong by {office.clock.wrong_by}")


def _pass(world: World, by: timedelta) -> None:
    world.time.move(by)
    for node in world.wires.arrive():
        world.note(node, "something late arrives")
    for office in world.offices.values():
        office.woken = True


async def _rest(world: World, problems: list[str]) -> None:
    # 2.
    world.wires.odds = CALM
    world.wires.cut.clear()
    world.note("world", "the faults are over")
    due: dict[NodeId, datetime | None] = {}
    for office in world.offices.values():
        office.woken = True
    longest = LONGEST_REST + len(world.wires.late) + RECOVERING * len(world.restored)
    for pause in range(longest):
        for office in await _work_all(world, problems):
            at = office.due
            due[office.node] = at and at - office.clock.wrong_by
        times = [at for at in due.values() if at is not None]
        times += [late.due for late in world.wires.late]
        if not times:
            world.note("world", f"rest after {pause} pauses")
            break
        world.time.now = max(world.time.now, min(times)) + timedelta(milliseconds=100)
        for node in world.wires.arrive():
            world.note(node, "something late arrives")
        for node, at in due.items():
            world.offices[node].woken |= at is not None and at <= world.time.now
    else:
        problems.append(f"after {longest} pauses there is still something due: {due}")
    for office in world.offices.values():
        while await office.seal() == "worked":
            pass
    await _reconcile(world, problems)


async def _reconcile(world: World, problems: list[str]) -> None:
    """Both ends of every link count what went over it, and have nothing to put right."""
    world.time.move(ACCOUNTS_AFTER)
    for office in world.offices.values():
        while await office.state_accounts() == "worked":
            pass
    await _work_all(world, problems)
    for node, office in world.offices.items():
        async with office.database.reading() as session:
            open_accounts = select(Account).where(Account.agreed_at.is_(None))
            for account in await session.scalars(open_accounts):
                problems.append(
                    f"{node}: of {account.day}, {account.side} {account.peer}: {account.count}, "
                    f"there {account.peer_count}"
                )


async def _work_all(world: World, problems: list[str]) -> list[Office]:
    """Everybody works until nobody has anything to do now; who had."""
    worked: dict[NodeId, Office] = {}
    moving = True
    while moving:
        moving = False
        for office in world.offices.values():
            while office.recovering and (outcome := await office.recover()) == "worked":
                world.note(office.node, f"recover: {outcome}")
                moving, worked[office.node] = True, office
            if not (office.woken or office.waits or office.wire.has_mail):
                continue
            moving, worked[office.node] = True, office
            if office.waits:
                world.note(office.node, f"confirm: {await office.confirm()}")
            while office.wire.has_mail:
                await _take(world, office, UNHARMED, problems)
            if office.woken:
                world.note(office.node, f"publish: {await office.publish()}")
    return list(worked.values())
