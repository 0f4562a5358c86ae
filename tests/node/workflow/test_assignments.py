"""Work is given to a handling unit, carried out, judged; the authors hear what came of it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from node.assignment_errors import (
    AssignmentStateError,
    NothingToRateError,
    RatedError,
    UnknownAssignmentError,
)
from node.errors import ForbiddenError, InputError, UnknownOfficeError
from node.people_errors import UnitStateError, UnknownUnitError
from node.storage.database import Session
from node.storage.events import Event, Notice
from node.workflow import (
    assignments,
    cases,
    decisions,
    handling,
    memberships,
    phrases,
    purges,
    ratings,
    reading,
    supervision,
    units,
    workdays,
)
from node.workflow.assignments import Order
from node.workflow.calendar import day_of
from node.workflow.handling import Answer, Judgement
from node.workflow.units import NewUnit
from protocol.errors import LifecycleError
from protocol.lifecycle import Action
from tests.node.chain import Chain
from tests.node.rooms import Room, contents
from tests.node.workflow.deeds import DEEDS, item_after

BUREAU = "县住建局"
DONE = Answer(text="已布设四十处充电棚。", degree="solved", implemented=True)
ACCEPTED = Judgement(accepted=True)


async def with_bureau(room: Room, name: str = BUREAU) -> None:
    """A handling unit, of which the handler is a member."""
    unit = NewUnit(code="B1", name=name, kind="handling_unit")
    await units.add(room.desk, room.security, unit)
    # Since the day before: pages that are looked at go by the time of the machine.
    since = day_of(room.desk.clock()) - timedelta(days=1)
    await memberships.join(
        room.desk, room.security, room.handler.id, 1, unit="B1", since=since, main=False
    )


async def given(room: Room, **order: Any) -> tuple[UUID, UUID]:
    """An instructed item, and its assignment to the unit."""
    item = await item_after(room, Action.REGISTER, Action.INSTRUCT)
    wanted = Order.model_validate({"unit": "B1", "text": "请研究办理。"} | order)
    return item, await assignments.assign(room.desk, room.editor, item, wanted)


async def answered(room: Room, assignment: UUID, answer: Answer = DONE) -> None:
    await handling.sign_for(room.desk, room.handler, assignment)
    await handling.reply(room.desk, room.handler, assignment, answer)


async def test_a_department_signs_for_its_case_answers_and_the_author_is_told(
    county: Room,
) -> None:
    await with_bureau(county)
    item, assignment = await given(county, due=day_of(county.clock()) + timedelta(days=30))
    [case] = await cases.list_cases(county.desk, county.handler)
    assert (case.assignment.state, case.title) == ("given", "老旧小区电动自行车充电难")
    await answered(county, assignment)
    await handling.judge(county.desk, county.editor, assignment, ACCEPTED)

    assert await cases.list_cases(county.desk, county.handler) == []
    [case] = await cases.list_cases(county.desk, county.editor, item_id=item)
    assert (case.assignment.state, case.replies[0].decided_by) == ("accepted", county.editor.name)
    told = await county.told_of(county.lin)
    due = (day_of(county.clock()) + timedelta(days=30)).isoformat()
    assert told[-3:] == [
        f"东湖县政协交县住建局办理，{due} 前答复。",
        "县住建局答复（已解决）：已布设四十处充电棚。",
        "县住建局反馈落实情况：已布设四十处充电棚。",
    ]


async def test_what_was_refused_goes_back_to_the_department_with_the_reason(county: Room) -> None:
    await with_bureau(county)
    item, assignment = await given(county)
    vague = Answer(text="已阅。", degree="planned", implemented=False)
    await answered(county, assignment, vague)
    before = await contents(county.database)
    with pytest.raises(InputError, match="请写明理由"):
        await handling.judge(county.desk, county.editor, assignment, Judgement(accepted=False))
    assert await contents(county.database) == before
    refusal = Judgement(accepted=False, reason="请写明措施和时间")
    await handling.judge(county.desk, county.editor, assignment, refusal)

    case = await cases.view(county.desk, county.handler, assignment)
    assert (case.assignment.state, case.replies[0].reason) == ("signed_for", "请写明措施和时间")
    await handling.reply(county.desk, county.handler, assignment, DONE)
    await handling.judge(county.desk, county.editor, assignment, ACCEPTED)
    assert [kind for _, kind in await county.timeline(item)].count("replied") == 1


async def test_a_case_that_is_not_theirs_is_handed_back_and_given_to_others(county: Room) -> None:
    await with_bureau(county)
    item, assignment = await given(county)
    with pytest.raises(InputError, match="已由县住建局主办"):
        await assignments.assign(
            county.desk, county.editor, item, Order(unit="B1", text="请办理。")
        )
    await handling.ask_hand_back(county.desk, county.handler, assignment, "属城管局职责")
    with pytest.raises(AssignmentStateError):
        await handling.sign_for(county.desk, county.handler, assignment)
    refusal = Judgement(accepted=False, reason="按三定方案由你局牵头")
    await handling.judge(county.desk, county.editor, assignment, refusal)
    await handling.ask_hand_back(county.desk, county.handler, assignment, "确属城管局职责")
    await handling.judge(county.desk, county.editor, assignment, ACCEPTED)

    case = await cases.view(county.desk, county.editor, assignment)
    assert case.assignment.state == "handed_back"
    assert [reply.accepted for reply in case.replies] == [False, True]
    other = NewUnit(code="B2", name="县城管局", kind="handling_unit")
    await units.add(county.desk, county.security, other)
    await assignments.assign(county.desk, county.editor, item, Order(unit="B2", text="请办理。"))
    assert (await county.told_of(county.lin))[-1] == "东湖县政协交县城管局办理。"


async def test_a_handler_sees_the_cases_of_his_units_and_nothing_else(leaf: Room) -> None:
    await with_bureau(leaf)
    other = NewUnit(code="B2", name="县城管局", kind="handling_unit")
    await units.add(leaf.desk, leaf.security, other)
    item, assignment = await given(leaf, unit="B2")
    assert await cases.list_cases(leaf.desk, leaf.handler) == []
    before = await contents(leaf.database)
    for deed in (
        cases.view(leaf.desk, leaf.handler, assignment),
        handling.sign_for(leaf.desk, leaf.handler, assignment),
        handling.reply(leaf.desk, leaf.handler, assignment, DONE),
    ):
        with pytest.raises(UnknownAssignmentError):
            await deed
    with pytest.raises(ForbiddenError):
        await reading.view(leaf.desk, leaf.handler, item)
    assert await contents(leaf.database) == before


@pytest.mark.parametrize("state", ["given", "hand_back_asked", "replied", "accepted"])
async def test_a_step_at_the_wrong_time_changes_nothing(leaf: Room, state: str) -> None:
    await with_bureau(leaf)
    _, assignment = await given(leaf)
    desk, handler, editor = leaf.desk, leaf.handler, leaf.editor
    if state == "hand_back_asked":
        await handling.ask_hand_back(desk, handler, assignment, "非我局职责")
    elif state != "given":
        await answered(leaf, assignment)
    if state == "accepted":
        await handling.judge(desk, editor, assignment, ACCEPTED)
    before = await contents(leaf.database)
    tries = {
        "sign_for": lambda: handling.sign_for(desk, handler, assignment),
        "reply": lambda: handling.reply(desk, handler, assignment, DONE),
        "ask_hand_back": lambda: handling.ask_hand_back(desk, handler, assignment, "又"),
        "judge": lambda: handling.judge(desk, editor, assignment, ACCEPTED),
    }
    possible = {
        "given": {"sign_for", "ask_hand_back"},
        "hand_back_asked": {"judge"},
        "replied": {"judge"},
        "accepted": set(),
    }[state]
    for name, attempt in tries.items():
        if name not in possible:
            with pytest.raises(AssignmentStateError):
                await attempt()
    assert await contents(leaf.database) == before


@pytest.mark.parametrize(
    ("order", "error"),
    [
        ({"unit": "nowhere"}, UnknownUnitError),
        ({"unit": "S1"}, UnitStateError),
        ({"unit": None, "office": "xishan"}, UnknownOfficeError),
        ({"due": date(2020, 1, 1)}, InputError),
    ],
)
async def test_an_order_that_nobody_can_carry_out_is_refused(
    leaf: Room, order: dict[str, Any], error: type[Exception]
) -> None:
    await with_bureau(leaf)
    sector = NewUnit(code="S1", name="教育界", kind="sector")
    await units.add(leaf.desk, leaf.security, sector)
    item = await item_after(leaf, Action.REGISTER)
    before = await contents(leaf.database)
    wanted = Order.model_validate({"unit": "B1", "text": "请办理。"} | order)
    with pytest.raises(error):
        await assignments.assign(leaf.desk, leaf.editor, item, wanted)
    assert await contents(leaf.database) == before


@pytest.mark.parametrize(
    "order",
    [
        {"text": "请办理。"},
        {"unit": "B1", "office": "donghu", "text": "请办理。"},
        {"unit": "B1", "text": ""},
        {"unit": "B1", "text": "请办理。", "due": "2026-12-01", "working_days": 3},
        {"unit": "B1", "text": "请办理。", "working_days": 0},
    ],
)
def test_an_order_that_contradicts_itself_is_refused(order: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Order.model_validate(order)


async def test_nothing_is_assigned_before_registration_or_by_others(leaf: Room) -> None:
    await with_bureau(leaf)
    order = Order(unit="B1", text="请办理。")
    submitted = await leaf.submit()
    with pytest.raises(LifecycleError, match="cannot assign: the item is submitted"):
        await assignments.assign(leaf.desk, leaf.editor, submitted, order)
    item = await item_after(leaf, Action.REGISTER)
    for actor in (leaf.lin, leaf.handler, leaf.leader, leaf.admin):
        with pytest.raises(ForbiddenError):
            await assignments.assign(leaf.desk, actor, item, order)


@pytest.mark.parametrize(
    ("day", "count", "expected"),
    [
        (date(2026, 11, 26), 1, date(2026, 11, 27)),
        (date(2026, 11, 26), 3, date(2026, 12, 1)),
        (date(2026, 9, 30), 1, date(2026, 10, 8)),
        # The Saturday after National Day is worked in exchange.
        (date(2026, 10, 9), 1, date(2026, 10, 10)),
        (date(2026, 10, 10), 1, date(2026, 10, 12)),
    ],
)
def test_working_days_leave_out_weekends_and_holidays_and_keep_days_worked_in_exchange(
    day: date, count: int, expected: date
) -> None:
    assert workdays.after(day, count) == expected


async def test_whoever_is_to_answer_is_reminded_once_before_and_once_after_the_date(
    county: Room,
) -> None:
    await with_bureau(county)
    due = workdays.after(day_of(county.clock()), 3)
    item, assignment = await given(county, working_days=3)
    assert (await cases.view(county.desk, county.editor, assignment)).assignment.due == due

    async def told() -> list[str]:
        await supervision.remind(county.desk)
        await supervision.remind(county.desk)
        async with county.database.reading() as session:
            return await notices_of(session, county.handler.id)

    assert await told() == []
    county.clock.move(timedelta(days=(due - day_of(county.clock())).days))
    assert await told() == [f"催办：县住建局请在 {due} 前答复。"]
    assert await supervision.overdue(county.desk, county.leader) == []
    county.clock.move(timedelta(days=1))
    assert (await told())[1:] == [f"督办：县住建局应在 {due} 前答复，已经逾期。"]
    [late] = await supervision.overdue(county.desk, county.leader)
    assert late.id == assignment
    await answered(county, assignment)
    assert await supervision.overdue(county.desk, county.leader) == []
    assert "reminded" not in [
        entry.kind for entry in (await reading.view(county.desk, county.lin, item)).timeline
    ]


async def notices_of(session: Session, person: UUID) -> list[str]:
    """What a person was told, the oldest first."""
    rows = await session.scalars(
        select(Event)
        .join(Notice, Notice.event_id == Event.id)
        .where(Notice.person_id == person)
        .order_by(Notice.created_at)
    )
    return [phrases.sentence(event.kind, event.data, "东湖县政协") for event in rows]


async def test_a_purge_leaves_no_word_of_assignments_and_answers(county: Room) -> None:
    await with_bureau(county)
    item, assignment = await given(county, text="不该留下的要求。")
    answer = Answer(text="不该留下的答复。", degree="solved", implemented=False)
    await answered(county, assignment, answer)
    await handling.judge(
        county.desk,
        county.editor,
        assignment,
        Judgement(accepted=False, reason="不该留下的理由"),
    )
    await purges.purge(county.desk, county.security, item, "误报")
    assert "不该留下" not in str(await contents(county.database))


async def test_an_author_rates_once_what_came_of_his_item_and_every_office_is_told(
    chain: Chain,
) -> None:
    county, top = chain.county, chain.top
    item = await county.submit()
    await chain.climb(item)
    rating = ratings.Given(score=4, comment="修得很快")
    with pytest.raises(NothingToRateError):
        await ratings.rate(county.desk, county.lin, item, rating)
    await decisions.adopt(top.desk, top.editor, item)
    await chain.deliver()
    with pytest.raises(ForbiddenError):
        await ratings.rate(county.desk, county.editor, item, rating)
    await ratings.rate(county.desk, county.lin, item, rating)
    with pytest.raises(RatedError):
        await ratings.rate(county.desk, county.lin, item, rating)
    await chain.deliver()
    for office in chain.line:
        room = chain.rooms[office]
        view = await reading.view(room.desk, room.editor, item)
        said = [entry.sentence for entry in view.timeline if entry.kind == "rated"]
        assert said == ["撰稿人评价 4 分（满分 5 分）：修得很快。"]


async def test_what_is_closed_is_not_assigned(leaf: Room) -> None:
    await with_bureau(leaf)
    item = await item_after(leaf, Action.REGISTER, Action.INSTRUCT)
    await DEEDS[Action.CLOSE](leaf.desk, leaf.editor, item)
    with pytest.raises(LifecycleError, match="the item is closed"):
        await assignments.assign(leaf.desk, leaf.editor, item, Order(unit="B1", text="请办理。"))
