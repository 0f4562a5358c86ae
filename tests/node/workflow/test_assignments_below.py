"""Work that an office gives to an office below: carried out there, answered up, judged above."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select

from node.assignment_errors import AssignmentStateError
from node.errors import ForbiddenError
from node.storage.messages import Incoming, Quarantined
from node.workflow import assignments, cases, handling, merging, outbox
from node.workflow.assignments import Order
from node.workflow.cases import Case
from node.workflow.handling import Judgement
from protocol.identifiers import NodeId
from protocol.lifecycle import Action
from protocol.messages import work
from tests.node.chain import Chain
from tests.node.rooms import Room
from tests.node.workflow.deeds import DEEDS
from tests.node.workflow.test_assignments import ACCEPTED, DONE, with_bureau


async def given_below(pair: Chain) -> tuple[UUID, UUID]:
    """An item of the county, and its assignment by the city to the county."""
    item = await pair.county.submit()
    await pair.climb(item)
    city = pair.top
    await DEEDS[Action.INSTRUCT](city.desk, city.editor, item)
    order = Order(office="donghu", text="请研究办理。")
    assignment = await assignments.assign(city.desk, city.editor, item, order)
    await pair.deliver()
    return item, assignment


async def the_case(room: Room) -> Case:
    [case] = await cases.list_cases(room.desk, room.editor)
    return case


async def test_a_county_carries_out_what_the_city_gave_it_and_its_author_is_told(
    pair: Chain,
) -> None:
    county, city = pair.county, pair.top
    item, assignment = await given_below(pair)
    case = await the_case(county)
    assert (case.assignment.id, case.assignment.item_id) == (assignment, item)
    assert case.assignment.source == "yunzhou"

    await with_bureau(county)
    order = Order(unit="B1", text="请住建局办理。")
    part = await assignments.pass_on(county.desk, county.editor, assignment, order)
    await handling.sign_for(county.desk, county.handler, part)
    await handling.reply(county.desk, county.handler, part, DONE)
    await handling.judge(county.desk, county.editor, part, ACCEPTED)
    await handling.reply(county.desk, county.editor, assignment, DONE)
    await pair.deliver()
    [case] = await cases.list_cases(city.desk, city.editor)
    assert (case.assignment.state, case.replies[0].degree) == ("replied", "solved")
    await handling.judge(city.desk, city.editor, assignment, ACCEPTED)
    await pair.deliver()

    assert await cases.list_cases(county.desk, county.editor) == []
    told = await county.told_of(county.lin)
    assert "云州市政协交东湖县政协办理。" in told
    assert "东湖县政协答复（已解决）：已布设四十处充电棚。" in told
    assert "县住建局答复（已解决）：已布设四十处充电棚。" in told


async def test_the_city_refuses_an_answer_and_the_county_answers_again(pair: Chain) -> None:
    county, city = pair.county, pair.top
    _, assignment = await given_below(pair)
    for accepted in (False, True):
        if not accepted:
            await handling.sign_for(county.desk, county.editor, assignment)
        await handling.reply(county.desk, county.editor, assignment, DONE)
        await pair.deliver()
        with pytest.raises(AssignmentStateError):
            await handling.reply(county.desk, county.editor, assignment, DONE)
        judgement = Judgement(accepted=accepted, reason=None if accepted else "请补充照片")
        await handling.judge(city.desk, city.editor, assignment, judgement)
        await pair.deliver()
        case = await cases.view(county.desk, county.editor, assignment)
        assert case.assignment.state == ("accepted" if accepted else "signed_for")
    assert [reply.reason for reply in case.replies] == ["请补充照片", None]


async def test_a_county_hands_work_back_to_the_city(pair: Chain) -> None:
    county, city = pair.county, pair.top
    _, assignment = await given_below(pair)
    with pytest.raises(ForbiddenError):
        await handling.judge(county.desk, county.editor, assignment, ACCEPTED)
    with pytest.raises(ForbiddenError):
        await handling.reply(city.desk, city.editor, assignment, DONE)
    await handling.ask_hand_back(county.desk, county.editor, assignment, "属市级事权")
    await pair.deliver()
    await handling.judge(city.desk, city.editor, assignment, ACCEPTED)
    await pair.deliver()
    for room in (county, city):
        case = await cases.view(room.desk, room.editor, assignment)
        assert case.assignment.state == "handed_back"


async def test_of_a_combined_item_the_county_is_given_its_own_and_all_authors_are_told(
    pair: Chain,
) -> None:
    city, counties = pair.top, [pair.rooms["donghu"], pair.rooms["xishan"]]
    items = []
    for room in counties:
        item = await room.registered(title=f"{room.desk.office.name}的信息")
        await DEEDS[Action.FORWARD_UP](room.desk, room.editor, item)
        await pair.deliver()
        await DEEDS[Action.REGISTER](city.desk, city.editor, item)
        items.append(item)
    combined = await merging.merge(city.desk, city.editor, merging.combination({"items": items}))
    order = Order(office="xishan", text="请研究办理。")
    assignment = await assignments.assign(city.desk, city.editor, combined, order)
    await pair.deliver()
    case = await the_case(counties[1])
    assert (case.assignment.item_id, case.title) == (items[1], "西山县政协的信息")
    assert await cases.list_cases(counties[0].desk, counties[0].editor) == []

    await handling.sign_for(counties[1].desk, counties[1].editor, assignment)
    await handling.reply(counties[1].desk, counties[1].editor, assignment, DONE)
    await pair.deliver()
    await handling.judge(city.desk, city.editor, assignment, ACCEPTED)
    await pair.deliver()
    for room in counties:
        told = await room.told_of(room.lin)
        assert "合并稿：西山县政协反馈落实情况：已布设四十处充电棚。" in told


async def test_an_answer_that_a_restored_county_repeats_in_a_new_message_counts_once(
    pair: Chain,
) -> None:
    county, city = pair.county, pair.top
    _, assignment = await given_below(pair)
    await handling.sign_for(county.desk, county.editor, assignment)
    await handling.reply(county.desk, county.editor, assignment, DONE)

    said = DONE.model_dump(exclude={"attachments"})

    async def repeat() -> None:
        async with county.database.writing.begin() as session:
            content = work.Outcome(assignment=assignment, unit="东湖县政协", **said)
            now = county.clock()
            to = NodeId("yunzhou")
            outbox.post(session, county.desk, content, to=to, now=now, subject=assignment)
        await pair.deliver()

    await repeat()
    await handling.judge(city.desk, city.editor, assignment, ACCEPTED)
    await repeat()
    case = await cases.view(city.desk, city.editor, assignment)
    assert (case.assignment.state, len(case.replies)) == ("accepted", 1)
    told = await county.told_of(county.lin)
    assert sum("答复（" in sentence for sentence in told) == 1


async def test_only_the_office_that_was_given_the_work_answers_it(pair: Chain) -> None:
    city, stranger = pair.top, pair.rooms["xishan"]
    _, assignment = await given_below(pair)
    async with stranger.database.writing.begin() as session:
        content = work.HandBackRequest(assignment=assignment, reason="冒名申退")
        now = stranger.clock()
        to = NodeId("yunzhou")
        outbox.post(session, stranger.desk, content, to=to, now=now, subject=assignment)
    await pair.deliver()
    case = await cases.view(city.desk, city.editor, assignment)
    assert (case.assignment.state, case.replies) == ("given", [])
    async with city.database.reading() as session:
        [refused] = (await session.scalars(select(Quarantined))).all()
    assert (refused.code, refused.peer) == ("item.taken", "xishan")


async def test_an_answer_to_what_is_not_known_here_waits_for_it(pair: Chain) -> None:
    county, city = pair.county, pair.top
    assignment = county.desk.new_id()
    async with county.database.writing.begin() as session:
        content = work.HandBackRequest(assignment=assignment, reason="不属我县")
        now = county.clock()
        to = NodeId("yunzhou")
        outbox.post(session, county.desk, content, to=to, now=now, subject=assignment)
    await pair.deliver()
    async with city.database.reading() as session:
        states = await session.scalars(
            select(Incoming.state).where(Incoming.name == "hand_back_request")
        )
        assert states.all() == ["parked"]
