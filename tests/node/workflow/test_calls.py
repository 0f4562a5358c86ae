"""An office calls for items; who has read it and who answered is known, and answers climb back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError
from sqlalchemy import delete, select

from node.call_errors import CallStateError, UnknownCallError
from node.errors import ForbiddenError, InputError, UnknownOfficeError
from node.people_errors import UnknownPersonError, UnknownUnitError
from node.storage.calls import Call, Callee
from node.storage.messages import Incoming, Outgoing
from node.workflow import (
    calls,
    decisions,
    forwarding,
    memberships,
    rebuild,
    responses,
    submissions,
    units,
)
from node.workflow.calendar import day_of
from node.workflow.calls import Audience, NewCall
from node.workflow.responses import CallView
from node.workflow.units import NewUnit
from protocol import envelope
from tests.node.chain import Chain
from tests.node.rooms import Room, contents, draft

TOPICS = {"kind": "topic_guide", "title": "要点", "topics": ["就业"], "period": "四季度"}
CIRCULAR = {"kind": "circular", "title": "通报", "body": "采用情况。", "period": "三季度"}


def solicitation(room: Room, **more: Any) -> NewCall:
    """A solicitation that is due in a week."""
    due = room.clock() + timedelta(days=7)
    given = {"kind": "solicitation", "title": "防汛约稿", "body": "请反映防汛情况。", "due": due}
    return NewCall.model_validate(given | more)


async def answer(room: Room, call: UUID) -> UUID:
    """Lin answers the call, and the item goes up."""
    item = await submissions.submit(room.desk, room.lin, draft(answers=call))
    await decisions.register(room.desk, room.editor, item)
    await forwarding.forward_up(room.desk, room.editor, item)
    return item


async def only(room: Room) -> CallView:
    [listed] = await responses.list_calls(room.desk, room.editor)
    return await responses.view(room.desk, room.editor, listed.call.id)


def told(view: CallView) -> dict[str, tuple[bool, int, bool]]:
    """By name: whether it was read, how often it was answered, whether that is overdue."""
    return {one.name: (one.read_at is not None, one.answers, one.overdue) for one in view.responses}


async def test_a_call_goes_to_persons_and_units_who_read_and_answer_it(county: Room) -> None:
    sector = NewUnit(code="S1", name="教育界", kind="sector")
    await units.add(county.desk, county.security, sector)
    today = day_of(county.clock())
    await memberships.join(
        county.desk, county.security, county.lin.id, 1, unit="S1", since=today, main=False
    )
    call = await calls.issue(
        county.desk, county.editor, solicitation(county, units=["S1"], people=["chen"])
    )
    for person in (county.lin, county.chen):
        [seen] = await responses.list_calls(county.desk, person)
        assert (seen.call.id, seen.read, seen.responses) == (call, False, ())
        await calls.mark_read(county.desk, person, call)
        await calls.mark_read(county.desk, person, call)
    item = await submissions.submit(county.desk, county.lin, draft(answers=call))
    view = await only(county)
    assert {one.name: (one.readers, one.answers) for one in view.responses} == {
        "教育界": (1, 1),
        county.chen.name: (1, 0),
    }
    assert [one.item_id for one in view.answers] == [item]
    county.clock.move(timedelta(days=8))
    assert {one.name for one in (await only(county)).responses if one.overdue} == {county.chen.name}


async def test_an_author_sees_and_answers_only_what_is_meant_for_him(leaf: Room) -> None:
    call = await calls.issue(leaf.desk, leaf.editor, solicitation(leaf, people=["chen"]))
    assert await responses.list_calls(leaf.desk, leaf.lin) == []
    before = await contents(leaf.database)
    for deed in (
        responses.view(leaf.desk, leaf.lin, call),
        calls.mark_read(leaf.desk, leaf.lin, call),
        submissions.submit(leaf.desk, leaf.lin, draft(answers=call)),
        submissions.submit(leaf.desk, leaf.lin, draft(answers=leaf.desk.new_id())),
    ):
        with pytest.raises(UnknownCallError):
            await deed
    assert await contents(leaf.database) == before


async def test_a_call_of_the_top_is_passed_on_down_and_its_answers_climb_to_it(
    chain: Chain,
) -> None:
    county, top = chain.county, chain.top
    wanted = solicitation(top, all_offices=True, pass_on=True)
    await calls.issue(top.desk, top.editor, wanted)
    await chain.deliver()
    [seen] = await responses.list_calls(county.desk, county.lin)
    assert (seen.call.title, seen.call.due) == ("防汛约稿", wanted.due)
    item = await answer(county, seen.call.id)
    await chain.deliver()
    for office in chain.line[1:-1]:
        room = chain.rooms[office]
        await decisions.register(room.desk, room.editor, item)
        await forwarding.forward_up(room.desk, room.editor, item)
        await chain.deliver()
    below = chain.rooms[chain.line[-2]]
    await calls.mark_read(below.desk, below.editor, (await only(below)).call.id)
    await chain.deliver()
    view = await only(top)
    assert [one.item_id for one in view.answers] == [item]
    assert told(view)[below.desk.office.name] == (True, 1, False)
    chain.wait(timedelta(days=8))
    others = {name for name in told(view) if name != below.desk.office.name}
    assert {name for name, (_, _, late) in told(await only(top)).items() if late} == others


async def test_a_call_that_is_not_passed_on_waits_until_an_editor_shares_it(pair: Chain) -> None:
    county, city = pair.county, pair.top
    await calls.issue(city.desk, city.editor, solicitation(city, offices=["donghu"]))
    await pair.deliver()
    assert await responses.list_calls(pair.rooms["xishan"].desk, pair.rooms["xishan"].editor) == []
    assert await responses.list_calls(county.desk, county.lin) == []
    call = (await only(county)).call.id
    await calls.share(county.desk, county.editor, call, Audience(everyone=True))
    assert len(await responses.list_calls(county.desk, county.lin)) == 1
    with pytest.raises(InputError, match="没有新的发送对象"):
        await calls.share(county.desk, county.editor, call, Audience(everyone=True))


async def test_that_an_office_read_a_call_is_told_once_and_stands_as_it_was_first_told(
    pair: Chain,
) -> None:
    county, city = pair.county, pair.top
    await calls.issue(city.desk, city.editor, solicitation(city, offices=["donghu"]))
    await pair.deliver()
    call = (await only(county)).call.id
    for person in (county.editor, county.reviewer):
        await calls.mark_read(county.desk, person, call)
    await pair.deliver()
    [response] = (await only(city)).responses
    assert response.read_at is not None
    assert response.read_at == (await only(county)).call.read_at
    async with city.database.reading() as session:
        reads = await session.scalars(select(Incoming.id).where(Incoming.name == "read"))
        assert len(reads.all()) == 1


async def test_a_restored_office_knows_again_whom_it_called_and_sends_nothing_twice(
    pair: Chain,
) -> None:
    city = pair.top
    wanted = solicitation(city, all_offices=True, pass_on=True)
    await calls.issue(city.desk, city.editor, wanted)
    await pair.deliver()
    async with city.database.writing.begin() as session:
        sent = (
            await session.scalars(select(Outgoing).where(Outgoing.name == "solicitation"))
        ).all()
        tokens = [
            envelope.seal(
                row.payload, pair.signer("yunzhou"), signed_at=city.clock(), incarnation=1
            )
            for row in sent
        ]
        for table in (Callee, Call):
            await session.execute(delete(table))
    for _ in range(2):
        async with city.database.writing.begin() as session:
            for token in tokens:
                own = envelope.open_own(token, chains=city.desk.chains, place=city.desk.place)
                await rebuild.own(session, city.desk, own, city.clock())
    view = await only(city)
    assert (view.call.title, len(view.responses)) == ("防汛约稿", 2)
    county = pair.county
    await calls.mark_read(county.desk, county.editor, (await only(county)).call.id)
    await pair.deliver()
    assert told(await only(city))["东湖县政协"] == (True, 0, False)


@pytest.mark.parametrize("given", [TOPICS, CIRCULAR], ids=lambda given: given["kind"])
async def test_topics_and_figures_go_down_too(pair: Chain, given: dict[str, Any]) -> None:
    county, city = pair.county, pair.top
    wanted = NewCall.model_validate(given | {"all_offices": True, "pass_on": True})
    await calls.issue(city.desk, city.editor, wanted)
    await pair.deliver()
    [seen] = await responses.list_calls(county.desk, county.lin)
    assert (seen.call.kind, seen.call.period) == (given["kind"], given["period"])
    assert seen.call.topics == given.get("topics", [])
    if given is CIRCULAR:
        with pytest.raises(CallStateError):
            await submissions.submit(county.desk, county.lin, draft(answers=seen.call.id))
    else:
        await answer(county, seen.call.id)


@pytest.mark.parametrize(
    ("audience", "error"),
    [
        ({}, InputError),
        ({"offices": ["nowhere"]}, UnknownOfficeError),
        ({"units": ["nowhere"]}, UnknownUnitError),
        ({"people": ["nobody"]}, UnknownPersonError),
        ({"everyone": True, "due": "2020-01-01T00:00:00Z"}, InputError),
    ],
)
async def test_a_call_to_nobody_or_of_the_past_is_refused(
    leaf: Room, audience: dict[str, Any], error: type[Exception]
) -> None:
    before = await contents(leaf.database)
    with pytest.raises(error):
        await calls.issue(leaf.desk, leaf.editor, solicitation(leaf, **audience))
    assert await contents(leaf.database) == before


@pytest.mark.parametrize(
    "given",
    [
        {"kind": "solicitation", "title": "约稿", "body": "请反映。"},
        {"kind": "topic_guide", "title": "要点", "period": "四季度"},
        {"kind": "circular", "title": "通报", "body": "情况。"},
        {"kind": "letter", "title": "信", "body": "情况。"},
    ],
)
def test_a_call_that_lacks_what_its_kind_needs_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        NewCall.model_validate(given)


async def test_only_editors_issue_and_share(leaf: Room) -> None:
    call = await calls.issue(leaf.desk, leaf.editor, solicitation(leaf, everyone=True))
    for actor in (leaf.lin, leaf.signer, leaf.leader, leaf.admin):
        with pytest.raises(ForbiddenError):
            await calls.issue(leaf.desk, actor, solicitation(leaf, everyone=True))
        with pytest.raises(ForbiddenError):
            await calls.share(leaf.desk, actor, call, Audience(everyone=True))
