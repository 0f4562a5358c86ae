"""What an editor decides about an item at one office."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from node.errors import InputError, UnknownItemError
from node.storage.audit import AuditRow
from node.workflow import decisions, reading
from protocol.errors import LifecycleError
from protocol.lifecycle import Action
from tests.node.rooms import Room, contents
from tests.node.workflow.deeds import do, item_after


async def test_registering_gives_the_next_number_of_the_year(county: Room) -> None:
    year = county.clock.now.year
    numbers = [
        await decisions.register(county.desk, county.editor, await county.submit())
        for _ in range(3)
    ]
    assert numbers == [f"{year}-0001", f"{year}-0002", f"{year}-0003"]


async def test_an_item_that_was_returned_and_came_back_keeps_its_number(county: Room) -> None:
    first = await item_after(county, Action.REGISTER, Action.RETURN, Action.RESUBMIT)
    other = await county.registered()

    again = await decisions.register(county.desk, county.editor, first)

    assert again.endswith("-0001")
    assert (await reading.view(county.desk, county.editor, other)).item.number != again


async def test_an_author_reads_the_reason_for_which_the_item_was_declined(county: Room) -> None:
    item = await county.submit()
    await decisions.decline(county.desk, county.editor, item, "同类情况已有专门部署")

    assert await county.state(item) == "declined"
    assert await county.told_of(county.lin) == ["东湖县政协不予采用，理由：同类情况已有专门部署。"]


async def test_an_adoption_names_its_manner_and_its_issue(county: Room) -> None:
    item = await county.registered()
    await decisions.adopt(county.desk, county.editor, item, manner="combined", issue="第46期")

    assert await county.state(item) == "adopted"
    assert (await county.told_of(county.lin))[-1] == "东湖县政协综合采用，刊于第46期。"


async def test_a_returned_item_comes_back_as_its_second_edition(county: Room) -> None:
    item = await item_after(county, Action.REGISTER, Action.RETURN)
    await do(county, Action.RESUBMIT, item)

    view = await reading.view(county.desk, county.lin, item)
    assert (view.item.state, view.item.edition) == ("submitted", 2)
    assert view.edition.body == "改过的正文。"
    assert [author["name"] for author in view.edition.authors] == ["林晓雨"]
    assert [entry.kind for entry in view.timeline] == [
        "submitted",
        "registered",
        "returned",
        "resubmitted",
    ]


async def test_an_instruction_and_what_came_of_it_stand_in_the_leaders_words(
    county: Room,
) -> None:
    item = await item_after(county, Action.REGISTER, Action.INSTRUCT, Action.IMPLEMENT)
    assert (await county.told_of(county.lin))[1:] == [
        "县长周明远批示：请研究。",
        "县住建局反馈落实情况：已布设四十处充电棚。",
    ]
    assert await county.state(item) == "registered"


async def test_nothing_is_implemented_before_it_was_instructed(county: Room) -> None:
    item = await county.registered()
    before = await contents(county.database)
    with pytest.raises(LifecycleError, match="the item was never assigned or instructed"):
        await do(county, Action.IMPLEMENT, item)
    assert await contents(county.database) == before


async def test_a_closed_item_says_so_and_keeps_its_state(county: Room) -> None:
    item = await item_after(county, Action.REGISTER, Action.ADOPT)
    await decisions.close(county.desk, county.editor, item, "全部落实")

    view = await reading.view(county.desk, county.lin, item)
    assert (view.item.state, view.item.closed, view.actions) == ("adopted", True, ())
    assert (await county.told_of(county.lin))[-1] == "东湖县政协办结：全部落实。"


async def test_the_audit_log_names_the_person_by_the_user_name(county: Room) -> None:
    item = await county.registered()
    async with county.database.reading() as session:
        rows = await session.execute(
            select(AuditRow.actor, AuditRow.action, AuditRow.subject).order_by(AuditRow.id)
        )
    assert [tuple(row) for row in rows] == [
        ("lin", "submitted", str(item)),
        ("editor", "registered", str(item)),
    ]


async def test_an_item_that_does_not_exist_is_unknown(county: Room) -> None:
    before = await contents(county.database)
    with pytest.raises(UnknownItemError):
        await decisions.register(county.desk, county.editor, county.desk.new_id())
    assert await contents(county.database) == before


@pytest.mark.parametrize("reason", ["", " \n ", "字" * 20_001, "响铃\x07"])
async def test_a_reason_that_does_not_fit_is_refused_and_changes_nothing(
    leaf: Room, reason: str
) -> None:
    item = await leaf.registered()
    before = await contents(leaf.database)
    for decide in (decisions.decline, decisions.return_):
        with pytest.raises(InputError, match="reason"):
            await decide(leaf.desk, leaf.editor, item, reason)
    assert await contents(leaf.database) == before


async def test_an_instruction_on_a_day_that_no_other_office_would_accept_is_refused(
    leaf: Room,
) -> None:
    item = await leaf.registered()
    before = await contents(leaf.database)
    for day in (date(1899, 12, 31), date(2200, 1, 1)):
        with pytest.raises(InputError, match="on"):
            await decisions.instruct(
                leaf.desk, leaf.editor, item, leader="周明远", post="县长", text="请研究。", on=day
            )
    assert await contents(leaf.database) == before


async def test_a_leader_who_read_the_item_is_named_to_the_author(county: Room) -> None:
    item = await county.registered()
    await decisions.leader_read(county.desk, county.editor, item, leader="周明远", post="县长")
    assert (await county.told_of(county.lin))[-1] == "县长周明远圈阅。"
    assert await county.state(item) == "registered"
    with pytest.raises(InputError):
        await decisions.leader_read(county.desk, county.editor, item, leader="", post="县长")
