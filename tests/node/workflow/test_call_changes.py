"""A call is moved, closed or withdrawn: everybody who has it learns how it stands, in any order."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, select, update

from node.call_errors import CallEndedError, CallStateError, ForeignCallError, UnknownCallError
from node.errors import ForbiddenError, InputError
from node.storage.calls import Call, Callee
from node.storage.messages import Incoming, Outgoing
from node.workflow import call_changes, calls, rebuild, responses, submissions
from node.workflow.call_changes import Ended
from node.workflow.calls import Audience, NewCall
from protocol import envelope
from tests.node.browser import problem, send, visit
from tests.node.chain import Chain
from tests.node.rooms import Room, contents, draft
from tests.node.workflow.test_calls import CIRCULAR, TOPICS, answer, only, solicitation


async def issued(room: Room, **more: Any) -> UUID:
    wanted = solicitation(room, **({"everyone": True} | more))
    return await calls.issue(room.desk, room.editor, wanted)


def later(room: Room, days: int) -> datetime:
    return (room.clock() + timedelta(days=days)).replace(microsecond=0)


async def told(room: Room, person: Any) -> list[str]:
    """What the person was told of calls."""
    return [one.sentence for one in await room.told(person) if one.call_id is not None]


async def test_a_call_that_is_moved_is_told_to_whom_it_is_meant_for_and_to_nobody_else(
    county: Room,
) -> None:
    call = await issued(county, everyone=False, people=["lin"])
    await calls.mark_read(county.desk, county.lin, call)
    due = later(county, 20)
    await call_changes.move(county.desk, county.editor, call, due, "汛期延后。")
    view = await responses.view(county.desk, county.lin, call)
    assert (view.call.due, view.call.revision, view.read) == (due, 1, False)
    [said] = await told(county, county.lin)
    assert said.startswith("截止时间改为")
    assert said.endswith("，说明：汛期延后。")
    assert await told(county, county.chen) == []
    # Once the old date has passed nobody is late yet.
    county.clock.move(timedelta(days=10))
    assert not any(one.overdue for one in (await only(county)).responses)
    county.clock.move(timedelta(days=11))
    assert all(one.overdue for one in (await only(county)).responses)


@pytest.mark.parametrize("how", ["closed", "withdrawn"])
async def test_a_call_that_has_ended_is_neither_answered_nor_shared_nor_changed(
    county: Room, how: Ended
) -> None:
    call = await issued(county)
    await call_changes.end(county.desk, county.editor, call, how, "另有安排。")
    for person in (county.lin, county.chen):
        assert len(await told(county, person)) == 1
    before = await contents(county.database)
    desk, editor = county.desk, county.editor
    for deed in (
        lambda: submissions.submit(desk, county.lin, draft(answers=call)),
        lambda: calls.share(desk, editor, call, Audience(people=("chen",))),
        lambda: call_changes.move(desk, editor, call, later(county, 30)),
        lambda: call_changes.end(desk, editor, call, "closed"),
        lambda: call_changes.end(desk, editor, call, "withdrawn", "再撤一次。"),
    ):
        with pytest.raises(CallEndedError):
            await deed()
    assert await contents(county.database) == before
    county.clock.move(timedelta(days=30))
    overdue = [one.overdue for one in (await only(county)).responses]
    assert overdue == [how == "closed"]


async def test_offices_below_and_below_those_learn_how_a_call_stands(chain: Chain) -> None:
    county, top = chain.county, chain.top
    call = await issued(top, everyone=False, all_offices=True, pass_on=True)
    await chain.deliver()
    due = later(top, 30)
    await call_changes.move(top.desk, top.editor, call, due)
    await chain.deliver()
    [seen] = await responses.list_calls(county.desk, county.lin)
    assert (seen.call.due, seen.call.revision) == (due, 1)
    await call_changes.end(top.desk, top.editor, call, "withdrawn", "重新部署。")
    await chain.deliver()
    [seen] = await responses.list_calls(county.desk, county.lin)
    assert (seen.call.ended, seen.call.ended_reason) == ("withdrawn", "重新部署。")
    assert [one.rpartition("，")[0] for one in await told(county, county.lin)][1:] == ["已撤回"]
    with pytest.raises(ForeignCallError):
        await call_changes.end(county.desk, county.editor, seen.call.id, "closed")


async def test_a_call_that_an_editor_shared_by_hand_is_followed_too(pair: Chain) -> None:
    county, city = pair.county, pair.top
    call = await issued(city, everyone=False, offices=["donghu"])
    await pair.deliver()
    own = (await only(county)).call.id
    await calls.share(county.desk, county.editor, own, Audience(people=("lin",)))
    await call_changes.end(city.desk, city.editor, call, "closed")
    await pair.deliver()
    assert await told(county, county.lin) == ["已提前结束征集。"]
    assert await told(county, county.chen) == []


async def test_the_last_word_counts_in_whatever_order_it_comes_and_however_often(
    pair: Chain,
) -> None:
    county, city = pair.county, pair.top
    call = await issued(city, everyone=False, all_offices=True, pass_on=True)
    first, last = later(city, 20), later(city, 40)
    for due in (first, last):
        await call_changes.move(city.desk, city.editor, call, due)
    async with city.database.writing.begin() as session:
        # The changes overtake the call, the second one the first.
        rows = await session.scalars(
            select(Outgoing).where(Outgoing.peer == "donghu").order_by(Outgoing.id)
        )
        for number, row in enumerate(reversed(rows.all())):
            row.created_at = city.clock() + timedelta(seconds=number)
    await pair.deliver()
    [seen] = await responses.list_calls(county.desk, county.lin)
    assert (seen.call.due, seen.call.revision) == (last, 2)


async def test_a_word_that_comes_behind_a_later_one_changes_nothing(pair: Chain) -> None:
    county, city = pair.county, pair.top
    call = await issued(city, everyone=False, offices=["donghu"])
    first, last = later(city, 20), later(city, 40)
    await call_changes.move(city.desk, city.editor, call, first)
    change = update(Outgoing).where(Outgoing.name == "call_change")
    async with city.database.writing.begin() as session:
        await session.execute(change.values(state="received"))
    await call_changes.move(city.desk, city.editor, call, last)
    await pair.deliver()
    assert (await only(county)).call.due == last
    async with city.database.writing.begin() as session:
        await session.execute(change.values(state="pending"))
    await pair.deliver()
    async with county.database.reading() as session:
        came = await session.scalars(select(Incoming.id).where(Incoming.name == "call_change"))
        assert len(came.all()) == 2
    view = await only(county)
    assert (view.call.due, view.call.revision) == (last, 2)


async def test_an_answer_that_comes_after_the_end_arrives_and_is_marked_late(pair: Chain) -> None:
    county, city = pair.county, pair.top
    call = await issued(city, everyone=False, all_offices=True, pass_on=True)
    await pair.deliver()
    [seen] = await responses.list_calls(county.desk, county.lin)
    in_time = await answer(county, seen.call.id)
    await pair.deliver()
    under_way = await answer(county, seen.call.id)
    city.clock.move(timedelta(hours=1))
    await call_changes.end(city.desk, city.editor, call, "closed")
    await pair.deliver()
    view = await only(city)
    assert ([one.item_id for one in view.answers], set(view.late)) == (
        [in_time, under_way],
        {under_way},
    )
    [response] = [one for one in view.responses if one.answers]
    assert (response.answers, response.late) == (2, 1)


async def test_an_answer_that_comes_after_the_date_is_late_until_the_date_is_moved(
    county: Room,
) -> None:
    call = await issued(county)
    county.clock.move(timedelta(days=8))
    item = await submissions.submit(county.desk, county.lin, draft(answers=call))
    assert set((await only(county)).late) == {item}
    await call_changes.move(county.desk, county.editor, call, later(county, 5))
    assert not (await only(county)).late


async def test_what_makes_no_sense_is_refused_and_changes_nothing(leaf: Room) -> None:
    call = await issued(leaf)
    topics, circular = [
        await calls.issue(
            leaf.desk, leaf.editor, NewCall.model_validate(given | {"everyone": True})
        )
        for given in (TOPICS, CIRCULAR)
    ]
    due = (await responses.view(leaf.desk, leaf.editor, call)).call.due
    assert due is not None
    desk, editor = leaf.desk, leaf.editor
    before = await contents(leaf.database)
    for deed, error in (
        (lambda: call_changes.move(desk, editor, call, later(leaf, -1)), InputError),
        (lambda: call_changes.move(desk, editor, call, due), InputError),
        (lambda: call_changes.move(desk, editor, topics, later(leaf, 9)), CallStateError),
        (lambda: call_changes.end(desk, editor, call, "withdrawn"), InputError),
        (lambda: call_changes.end(desk, editor, circular, "closed"), CallStateError),
        (lambda: call_changes.end(desk, editor, desk.new_id(), "closed"), UnknownCallError),
        (lambda: call_changes.end(desk, leaf.signer, call, "closed"), ForbiddenError),
        (lambda: call_changes.move(desk, leaf.lin, call, later(leaf, 9)), ForbiddenError),
    ):
        with pytest.raises(error):
            await deed()
    assert await contents(leaf.database) == before


async def test_a_restored_office_knows_again_how_its_call_stood_and_finds_it_by_its_first_date(
    pair: Chain,
) -> None:
    city = pair.top
    call = await issued(city, everyone=False, offices=["donghu"])
    due = later(city, 30)
    await call_changes.move(city.desk, city.editor, call, due)
    await calls.share(city.desk, city.editor, call, Audience(offices=("xishan",)))
    await call_changes.end(city.desk, city.editor, call, "closed", "已足够。")
    async with city.database.writing.begin() as session:
        rows = await session.scalars(
            select(Outgoing)
            .where(Outgoing.name.in_(("solicitation", "call_change")))
            .order_by(Outgoing.id)
        )
        tokens = [
            envelope.seal(
                row.payload, pair.signer("yunzhou"), signed_at=city.clock(), incarnation=1
            )
            for row in rows
        ]
        # The backup holds the call as it was moved, and not who has it.
        await session.execute(delete(Callee))
        kept = await session.get_one(Call, call)
        kept.revision, kept.ended, kept.ended_at, kept.ended_reason = 1, None, None, None
    for _ in range(2):
        async with city.database.writing.begin() as session:
            for token in tokens:
                own = envelope.open_own(token, chains=city.desk.chains, place=city.desk.place)
                await rebuild.own(session, city.desk, own, city.clock())
    view = await only(city)
    assert (view.call.id, view.call.due, view.call.revision) == (call, due, 2)
    assert (view.call.ended, view.call.ended_reason) == ("closed", "已足够。")
    assert {one.name for one in view.responses} == {"东湖县政协", "西山县政协"}


@pytest.mark.usefixtures("quick_passwords")
async def test_a_call_is_changed_on_its_page_and_over_the_api(leaf: Room) -> None:
    call = await issued(leaf)
    path = f"/calls/{call}"
    async with visit(leaf, "editor") as client:
        moved = await send(client, f"{path}/move", {"due": "2099-02-28", "reason": "延后。"})
        assert moved.status_code == 303
        assert "截止时间改过" in (await client.get(path)).text
        wrong = await send(client, f"{path}/withdraw", {"reason": ""})
        assert (wrong.status_code, "撤回请写明理由" in wrong.text) == (422, True)
        ended = await client.post(f"/api/v1{path}/withdraw", json={"reason": "不再需要。"})
        assert ended.status_code == 204
        problem(await client.post(f"/api/v1{path}/close", json={}), 409, "call.ended")
        shown = (await client.get(f"/api/v1{path}")).json()
        assert (shown["ended"], shown["revision"]) == ("withdrawn", 2)
    async with visit(leaf, "lin") as client:
        page = (await client.get(path)).text
        assert "不再需要。" in page
        assert "应约写信息" not in page
        notices = (await client.get("/notices")).text
        assert f'href="{path}"' in notices
        problem(
            await client.post(
                "/api/v1/items", json={**draft(answers=call).model_dump(mode="json")}
            ),
            409,
            "call.ended",
        )
        form = (await client.get("/write", params={"answers": str(call)})).text
        assert "现在提交就是普通信息" in form
        assert 'name="answers"' not in form


@pytest.mark.usefixtures("quick_passwords")
async def test_a_call_is_read_when_its_reader_says_so_and_not_by_looking(pair: Chain) -> None:
    county, city = pair.county, pair.top
    await issued(city, everyone=False, offices=["donghu"])
    await pair.deliver()
    path = f"/calls/{(await only(county)).call.id}"
    async with visit(county, "editor") as client:
        page = (await client.get(path)).text
        assert f'action="{path}/read"' in page
        assert (await only(county)).call.read_at is None
        assert (await send(client, f"{path}/read")).headers["location"] == path
        assert f'action="{path}/read"' not in (await client.get(path)).text
    await pair.deliver()
    assert [one.read_at is not None for one in (await only(city)).responses] == [True]
