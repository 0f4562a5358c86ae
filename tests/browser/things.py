"""Everything that pages are about, made anew at one office: for walks over their addresses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric import ec

from node.errors import UnknownOfficeError
from node.relay import quarantine
from node.relay.transport import Delivery
from node.storage.offices import Link, Office
from node.workflow import (
    calls,
    decisions,
    departures,
    deputies,
    directory,
    drafts,
    enrolment,
    forwarding,
    handling,
    issues,
    merging,
    people,
    reviews,
    standing,
)
from node.workflow import quarantine as workflow_quarantine
from node.workflow.calendar import day_of
from node.workflow.deputies import Absence
from node.workflow.drafts import Sketch
from node.workflow.issues import NewIssue
from node.workflow.people import Newcomer
from protocol.enrolment import make_request
from protocol.identifiers import NodeId
from protocol.lifecycle import Action
from protocol.offices import OfficeReference
from tests.node import citizens
from tests.node.rooms import Room
from tests.node.workflow import deeds, test_assignments, test_calls, test_editing, test_reviews

SKETCH = Sketch(
    title="关于给小区建充电棚的建议",
    body="全县有六十个老旧小区没有集中充电点。居民私拉电线。建议先建二十处。",
    urgency="urgent",
)

Make = Callable[[Room], Awaitable[object]]


async def furnish(room: Room) -> None:
    """What stands in the office whatever is done: a unit with its handler, and the chain."""
    await test_assignments.with_bureau(room)
    await test_reviews.chained(room)
    await citizens.open_form(room)


async def receipt(room: Room) -> str:
    """The receipt of what a citizen handed in."""
    return await citizens.send(room)


def after(*actions: Action) -> Make:
    """An item with which this was done."""
    return lambda room: deeds.item_after(room, *actions)


async def edited(room: Room) -> UUID:
    """An item with an edition of the editor's."""
    item = await room.registered()
    await test_editing.edit(room, item, title="改过的标题")
    return item


async def signed(room: Room) -> UUID:
    """An item that was reviewed and signed."""
    return await test_reviews.signed(room)


async def skippable(room: Room) -> UUID:
    """An item that waits at a step that an editor may skip."""
    chain = {"name": "审核", "role": "reviewer", "may_skip": ("editor",)}
    await test_reviews.chained(room, chain, test_reviews.SIGN)
    return await test_reviews.sent(room)


async def forwarded(room: Room) -> UUID:
    """An item that went to the office above."""
    item = await signed(room)
    await forwarding.forward_up(room.desk, room.editor, item)
    return item


async def combined(room: Room) -> UUID:
    """An item that was written out of two."""
    items = tuple([await room.registered() for _ in range(2)])
    return await merging.merge(room.desk, room.editor, merging.combination({"items": items}))


async def implemented(room: Room) -> UUID:
    """An item of which something came."""
    item = await adopted(room)
    for action in (Action.INSTRUCT, Action.IMPLEMENT):
        await deeds.do(room, action, item)
    return item


async def disabled(room: Room) -> UUID:
    """Somebody whose account is disabled."""
    one = await person(room)
    await people.disable(room.desk, room.security, one, 1, "长期不用。")
    return one


async def gone(room: Room) -> UUID:
    """Somebody who has left."""
    one = await person(room)
    today = day_of(room.desk.clock())
    await departures.leave(room.desk, room.security, one, 1, on=today, left_for="调离")
    return one


async def passed(room: Room) -> UUID:
    """An item whose second edition waits for the signer."""
    item = await test_reviews.sent(room)
    await reviews.approve(room.desk, room.reviewer, item, 2)
    return item


async def adopted(room: Room) -> UUID:
    """An item that was signed and adopted."""
    item = await test_reviews.signed(room)
    await decisions.adopt(room.desk, room.editor, item)
    return item


async def given(room: Room) -> UUID:
    """Work for the unit of which the handler is a member."""
    _, assignment = await test_assignments.given(room)
    return assignment


async def signed_for(room: Room) -> UUID:
    """Such work that the handler took."""
    assignment = await given(room)
    await handling.sign_for(room.desk, room.handler, assignment)
    return assignment


async def answered(room: Room) -> UUID:
    """Such work, answered."""
    assignment = await given(room)
    await test_assignments.answered(room, assignment)
    return assignment


async def drafted(room: Room) -> UUID:
    """The draft of an issue with one item."""
    wanted = NewIssue(
        series="general_issue",
        title="社情民意",
        primary_recipients=("市长",),
        items=(await test_reviews.signed(room),),
    )
    return await issues.begin(room.desk, room.editor, wanted)


async def issued(room: Room) -> UUID:
    """An issue that was signed."""
    issue = await drafted(room)
    await issues.sign(room.desk, room.signer, issue, 1)
    return issue


async def call(room: Room) -> UUID:
    """A call to every author."""
    wanted = test_calls.solicitation(room, everyone=True)
    return await calls.issue(room.desk, room.editor, wanted)


async def person(room: Room) -> UUID:
    """Somebody who can be changed."""
    newcomer = Newcomer(
        username=f"u-{uuid4().hex[:12]}",
        name="何新",
        roles=("author",),
        kind="informant",
        unit="团结街道",
    )
    return await people.add(room.desk, room.security, newcomer, None)


async def deputy(room: Room) -> UUID:
    """The reviewer acts in the signer's place."""
    today = day_of(room.desk.clock())
    absence = Absence(
        username="signer",
        deputy="reviewer",
        role="signer",
        since=today,
        until=today + timedelta(days=3),
    )
    return await deputies.add(room.desk, room.security, absence)


async def drafted_by_lin(room: Room) -> UUID:
    """A draft of Lin Xiaoyu's."""
    return (await drafts.begin(room.desk, room.lin, SKETCH)).id


async def rewritten_by_lin(room: Room) -> UUID:
    """One that she has rewritten since."""
    draft = await drafted_by_lin(room)
    sketch = Sketch(
        title="关于给老旧小区建充电棚的建议",
        body="全县有六十七个老旧小区没有集中充电点。居民从楼上拉线充电。建议先建二十处。",
        topic="city",
        tags=("消防",),
    )
    await drafts.save(room.desk, room.lin, draft, 1, sketch)
    return draft


async def held(room: Room) -> UUID:
    """A message in quarantine."""
    delivery = Delivery(uuid4().bytes, None, f"zt.{room.desk.node}.in")
    async with room.database.writing.begin() as session:
        await quarantine.put(session, room.desk, delivery, UnknownOfficeError(), room.clock())
    listed = await workflow_quarantine.list_held(room.desk, room.admin, state="held")
    return listed.rows[0].id


async def asking(room: Room) -> str:
    """An office that wants to come below this one."""
    number = uuid4().int % 2**60 + 1
    key = ec.derive_private_key(number, ec.SECP256R1())
    name = NodeId(f"street-{number}")
    wanted = make_request(
        OfficeReference(id=name, name="北湖街道", level="street"), None, key, None
    )
    secret = uuid4().bytes
    token = await enrolment.make_token(room.desk, room.admin, secret=secret, office=None, hours=1)
    await enrolment.ask(room.desk, token, wanted, came_from="192.0.2.7")
    return name


async def child(room: Room) -> str:
    """An office below."""
    return (await directory.children(room.database))[0]


async def former(room: Room) -> str:
    """An office under which this one stood before it was moved."""
    known = OfficeReference(id=NodeId("lanjiang"), name="澜江市政协", level="city")
    async with room.database.writing.begin() as session:
        await directory.know(session, known, "parent")
        await session.flush()
        (await session.get_one(Office, known.id)).relation = "former"
        (await session.get_one(Link, known.id)).ends_at = None
    return known.id


async def suspended(room: Room) -> str:
    """An office below that was suspended."""
    peer = await resumed(room)
    await standing.suspend(room.desk, room.admin, peer, "设备遗失。")
    return peer


async def resumed(room: Room) -> str:
    """An office below that is in good standing, whatever was done before."""
    peer = await child(room)
    if (await standing.show(room.desk, room.admin, peer)).standing == "suspended":
        await standing.resume(room.desk, room.admin, peer)
    return peer


MAKERS: Mapping[str, Make] = {
    "item_id": after(Action.REGISTER),
    "case_id": given,
    "issue_id": drafted,
    "call_id": call,
    "person_id": person,
    "deputy_id": deputy,
    "held_id": held,
    "draft_id": drafted_by_lin,
    "code": receipt,
    "peer": child,
}
"""What stands for each name in the path of a route."""
