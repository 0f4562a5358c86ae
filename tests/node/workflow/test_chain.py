"""The whole chain: what an author wrote climbs, what each office decides comes home."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from sqlalchemy import func, select

from node.relay.auditor import Auditor
from node.relay.verification import verify
from node.storage.events import Event, Notice
from node.storage.items import Item
from node.storage.messages import Incoming, Outgoing, Quarantined
from node.workflow import decisions, forwarding, reading
from protocol.lifecycle import Action
from tests import offices
from tests.node import rooms
from tests.node.chain import Chain
from tests.node.workflow.deeds import do
from tests.offices import DEPTH_3, HIERARCHIES, MakeDatabase
from tests.waiting import until

DEEDS = (
    Action.REGISTER,
    Action.ADOPT,
    Action.INSTRUCT,
    Action.IMPLEMENT,
    Action.FORWARD_UP,
    Action.CLOSE,
)


async def test_every_fact_of_every_office_is_told_once_to_each_author(chain: Chain) -> None:
    item = await chain.county.submit(co_authors=[{"username": "chen"}])
    expected: list[tuple[str, str]] = []
    for office in chain.line:
        for action in DEEDS:
            if (office, action) != (chain.line[-1], Action.FORWARD_UP):
                await do(chain.rooms[office], action, item)
                expected.append((office, _fact(action)))
        await chain.deliver()

    for author in (chain.county.lin, chain.county.chen):
        assert await _told(chain, author.id) == Counter(expected)
        assert len(await chain.county.told(author)) == len(expected)


async def test_the_timeline_shows_what_each_office_did_and_that_its_signature_was_checked(
    chain: Chain,
) -> None:
    item = await chain.county.submit()
    await chain.climb(item)
    await decisions.adopt(chain.top.desk, chain.top.editor, item)
    await chain.deliver()

    view = await reading.view(chain.county.desk, chain.county.lin, item)
    assert [(entry.office, entry.kind) for entry in view.timeline] == [
        ("donghu", "submitted"),
        *((o, kind) for o in chain.line[:-1] for kind in ("registered", "forwarded")),
        (chain.line[-1], "registered"),
        (chain.line[-1], "adopted"),
    ]
    for entry in view.timeline:
        assert entry.proven == (entry.office != "donghu")
        assert entry.office_name == chain.rooms[entry.office].desk.office.name
        assert entry.level == chain.rooms[entry.office].desk.office.level
        assert entry.sentence.startswith(("提交到", entry.office_name))


async def test_every_office_on_the_way_keeps_where_the_item_stands_above(chain: Chain) -> None:
    item = await chain.county.submit()
    await chain.climb(item)
    await decisions.adopt(chain.top.desk, chain.top.editor, item)
    await chain.deliver()

    for place, office in enumerate(chain.line):
        room = chain.rooms[office]
        standings = (await reading.view(room.desk, room.editor, item)).item.standings
        assert list(standings) == chain.line[place:]
        states = {name: kept["state"] for name, kept in standings.items()}
        registered = dict.fromkeys(chain.line[place:-1], "registered")
        assert states == {**registered, chain.line[-1]: "adopted"}


async def test_everything_sent_is_receipted_and_nothing_is_refused(chain: Chain) -> None:
    item = await chain.county.submit()
    await chain.climb(item)

    for room in chain.rooms.values():
        async with room.database.reading() as session:
            states = await session.execute(
                select(Outgoing.state, func.count()).group_by(Outgoing.state)
            )
            assert dict(map(tuple, states)).keys() <= {"received"}
            parked = select(Incoming).where(Incoming.state != "applied")
            assert (await session.scalars(parked)).all() == []
            assert (await session.scalars(select(Quarantined))).all() == []


async def test_only_the_authors_own_office_writes_notices(pair: Chain) -> None:
    item = await pair.county.submit()
    await pair.climb(item)
    async with pair.above.database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(Notice)) == 0


async def test_the_audit_log_of_every_office_can_be_sealed_and_holds(pair: Chain) -> None:
    item = await pair.county.submit()
    await pair.climb(item)
    for room in pair.rooms.values():
        while await Auditor(room.desk).step():
            pass
        async with room.database.reading() as session:
            assert (await verify(session)).flaw is None


async def test_what_the_top_office_decides_reaches_the_author_while_nodes_run_by_themselves(
    tmp_path: Path, make_database: MakeDatabase
) -> None:
    tree = await rooms.set_up(tmp_path / "tree", DEPTH_3, make_database=make_database)
    await tree.start()
    try:
        entered = {
            office: await rooms.enter(tree.nodes[office], rooms.Clock()) for office in tree.chain
        }
        county = entered[tree.chain[0]]
        item = await county.submit()
        for office in tree.chain:
            room = entered[office]
            await until(lambda room=room: _has(room, item), what=f"the item at {office}")  # type: ignore[misc]
            await decisions.register(room.desk, room.editor, item)
            if office != tree.chain[-1]:
                await forwarding.forward_up(room.desk, room.editor, item)
        top = entered[tree.chain[-1]]
        await decisions.adopt(top.desk, top.editor, item)

        async def told() -> bool:
            return "江原省政协单篇采用。" in await county.told_of(county.lin)

        await until(told, what="the author's notice")
        assert len(await county.told_of(county.lin)) == 6
    finally:
        await tree.stop()


def test_the_hierarchies_are_of_every_shape() -> None:
    depths = {name: _depth(plan) for name, plan in HIERARCHIES.items()}
    assert depths == {"2": 2, "3": 3, "4": 4, "county-to-province": 2}


def _fact(action: Action) -> str:
    return {
        Action.REGISTER: "registered",
        Action.ADOPT: "adopted",
        Action.INSTRUCT: "instructed",
        Action.IMPLEMENT: "implemented",
        Action.FORWARD_UP: "forwarded",
        Action.CLOSE: "closed",
    }[action]


def _depth(plan: offices.Plan) -> int:
    return 1 + max((_depth(below) for below in plan.below), default=0)


async def _told(chain: Chain, person: object) -> Counter[tuple[str, str]]:
    async with chain.county.database.reading() as session:
        rows = await session.execute(
            select(Event.office, Event.kind)
            .join(Notice, Notice.event_id == Event.id)
            .where(Notice.person_id == person)
        )
        return Counter((office, kind) for office, kind in rows)


async def _has(room: rooms.Room, item: object) -> bool:
    async with room.database.reading() as session:
        return await session.get(Item, item) is not None
