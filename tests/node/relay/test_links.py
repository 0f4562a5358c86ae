"""The link console: what it shows of each neighbour, and that pause, resume and probe do."""

from __future__ import annotations

import inspect
from datetime import timedelta

import pytest
from sqlalchemy import select

from node import errors as node_errors
from node import move_errors
from node.errors import ForbiddenError, LinkPausedError, UnknownOfficeError
from node.relay import errors as relay_errors
from node.relay.auditor import Auditor
from node.storage.audit import AuditRow
from node.workflow import advice, links
from node.workflow.links import LinkView
from protocol import errors as protocol_errors
from protocol.errors import ZhitongError
from tests.factories import make_note
from tests.node.relay.ends import CITY, COUNTY, SETTINGS, Ends, ids

OVERDUE = SETTINGS.receipt_within + 1


async def seen(ends: Ends) -> LinkView:
    """The county's link to the city."""
    return await links.show(ends.county.room.desk, ends.county.room.admin, CITY)


async def pause(ends: Ends) -> None:
    await links.pause(ends.county.room.desk, ends.county.room.admin, CITY, "对方检修")


async def resume(ends: Ends) -> None:
    await links.resume(ends.county.room.desk, ends.county.room.admin, CITY)


async def probe(ends: Ends) -> None:
    await links.probe(ends.county.room.desk, ends.county.room.admin, CITY)


async def refused_for_good(ends: Ends) -> None:
    """The county sends an item whose origin it cannot prove."""
    stolen = ends.county.item(origin=ends.city.room.desk.office)
    await ends.county.post(stolen, to=CITY, subject=ends.county.new_id())


async def test_a_link_shows_its_messages_by_state_and_the_age_of_the_oldest(
    each_ends: Ends,
) -> None:
    ends = each_ends
    await ends.county.forward()
    await ends.county.post(make_note(), to=CITY)
    await refused_for_good(ends)
    await ends.exchange()
    ends.county.wire.loses = True
    await ends.county.forward()
    await ends.county.send_all()
    await ends.county.forward(2)
    backlog = (await seen(ends)).backlog
    assert (backlog.pending, backlog.sent, backlog.received) == (2, 1, 1)
    assert (backlog.refused_temporary, backlog.refused_permanent) == (1, 1)
    assert (backlog.confirmed, backlog.receipts) == (4, 0)
    assert backlog.oldest_at == (await ends.county.outbox())[1].created_at


async def test_receipts_that_wait_are_shown_apart(each_ends: Ends) -> None:
    ends = each_ends
    await ends.county.forward()
    await ends.county.send_all()
    await ends.city.take_all()
    [view] = [
        view
        for view in await links.list_links(ends.city.room.desk, ends.city.room.admin)
        if view.peer == COUNTY
    ]
    assert (view.backlog.receipts, view.backlog.pending, view.relation) == (1, 0, "child")


async def test_a_silent_peer_shows_since_when_and_the_next_probe(each_ends: Ends) -> None:
    ends = each_ends
    ends.county.wire.loses = True
    await ends.county.forward()
    await ends.county.send_all()
    row = (await ends.county.outbox())[0]
    view = await seen(ends)
    assert (view.silent_since, view.next_attempt_at) == (None, row.resend_at)
    ends.wait(OVERDUE)
    await ends.county.send_all()
    view = await seen(ends)
    link = await ends.county.link(CITY)
    assert view.silent_since == link.silent_since is not None
    assert view.next_attempt_at == link.probe_at
    assert view.heard_at is None


async def test_a_neighbour_that_was_heard_shows_when_its_certificate_ends(
    each_ends: Ends,
) -> None:
    ends = each_ends
    await ends.county.forward()
    await ends.exchange()
    assert (await seen(ends)).heard_at is not None
    [city] = [
        view
        for view in await links.list_links(ends.city.room.desk, ends.city.room.admin)
        if view.peer == COUNTY
    ]
    assert city.certificate_until is not None
    assert timedelta(days=700) < city.certificate_until - ends.clock.now < timedelta(days=731)


async def test_the_head_of_the_neighbours_audit_chain_is_shown(ends: Ends) -> None:
    async with ends.city.room.database.writing.begin() as session:
        links.audit.note(session, ends.clock(), actor="system", action="registered")
    await Auditor(ends.city.room.desk).step()
    await ends.county.forward()
    await ends.exchange()
    link, view = await ends.county.link(CITY), await seen(ends)
    assert view.audit is not None
    assert (view.audit.seal, view.audit.hash) == (link.audit_seal, link.audit_hash) != (None, None)


async def test_a_paused_link_sends_receipts_alone_and_takes_in_what_comes(
    each_ends: Ends,
) -> None:
    ends = each_ends
    [lost] = await ends.county.forward()
    ends.county.wire.loses = True
    await ends.county.send_all()
    ends.county.wire.loses = False
    await pause(ends)
    [waiting] = await ends.county.forward()
    await ends.city.post(make_note(), to=COUNTY)
    await ends.city.send_all()
    await ends.county.take_all()
    assert [row.code for row in await ends.county.quarantine()] == ["message.unsupported"]
    for _ in range(3):
        sent = await ends.county.send_all()
        assert {parcel.properties.type for parcel in sent} <= {"cn.zhitong.receipt.v1"}
        ends.wait(OVERDUE)
    await ends.city.take_all()
    assert await ends.city.states() == ["refused"]
    view = await seen(ends)
    assert view.paused is not None
    assert (view.paused.by, view.paused.reason) == ("admin", "对方检修")
    assert view.next_attempt_at is None
    await resume(ends)
    assert (await seen(ends)).paused is None
    await ends.exchange()
    ends.wait(SETTINGS.longest_probe)
    await ends.exchange()
    states = {row.id: row.state for row in await ends.county.outbox()}
    assert states == {lost: "received", waiting: "received"}


async def test_a_probe_tries_a_silent_peer_now(each_ends: Ends) -> None:
    ends = each_ends
    ends.county.wire.loses = True
    [oldest, _] = await ends.county.forward(2)
    await ends.county.send_all()
    ends.wait(OVERDUE)
    await ends.county.send_all()
    assert await ends.county.send_all() == []
    await probe(ends)
    assert ids(await ends.county.send_all()) == [oldest]
    assert await ends.county.send_all() == []


async def test_a_probe_sends_the_oldest_of_a_peer_that_is_not_silent_yet(ends: Ends) -> None:
    ends.county.wire.loses = True
    [oldest, _] = await ends.county.forward(2)
    await ends.county.send_all()
    await probe(ends)
    assert ids(await ends.county.send_all()) == [oldest]


async def test_a_probe_tries_again_what_was_refused_for_the_time_being(each_ends: Ends) -> None:
    ends = each_ends
    note = await ends.county.post(make_note(), to=CITY)
    await refused_for_good(ends)
    await ends.exchange()
    assert await ends.county.send_all() == []
    await probe(ends)
    assert ids(await ends.county.send_all()) == [note]


async def test_a_paused_link_is_not_probed(ends: Ends) -> None:
    await pause(ends)
    with pytest.raises(LinkPausedError):
        await probe(ends)


async def test_what_the_neighbour_refused_is_listed_with_what_can_be_done(
    each_ends: Ends,
) -> None:
    ends = each_ends
    note = await ends.county.post(make_note(), to=CITY)
    await refused_for_good(ends)
    await ends.exchange()
    desk, admin = ends.county.room.desk, ends.county.room.admin
    page = await links.refusals(desk, admin, CITY)
    found = {row.code: row for row in page.rows}
    assert page.total == 2
    temporary, permanent = found["message.unsupported"], found["evidence.refused"]
    assert (temporary.id, temporary.permanent) == (note, False)
    assert temporary.next_attempt_at == (await ends.county.row(note)).resend_at
    assert "升级" in temporary.advice
    assert (permanent.permanent, permanent.next_attempt_at) == (True, None)
    assert "联系对方管理员" in permanent.advice
    part = await links.refusals(desk, admin, CITY, offset=1, limit=1)
    assert (len(part.rows), part.total) == (1, 2)


async def test_all_of_it_is_for_the_system_administrator_and_noted(ends: Ends) -> None:
    room = ends.county.room
    for person in (room.lin, room.editor, room.security):
        for deed in (
            links.list_links(room.desk, person),
            links.show(room.desk, person, CITY),
            links.refusals(room.desk, person, CITY),
            links.pause(room.desk, person, CITY, "理由"),
            links.resume(room.desk, person, CITY),
            links.probe(room.desk, person, CITY),
        ):
            with pytest.raises(ForbiddenError):
                await deed
    await probe(ends)
    await pause(ends)
    await resume(ends)
    await resume(ends)
    async with room.database.reading() as session:
        rows = await session.scalars(
            select(AuditRow).where(AuditRow.action.like("link%")).order_by(AuditRow.id)
        )
        noted = [(row.actor, row.action, row.subject) for row in rows]
    assert noted == [
        ("admin", "link_probed", CITY),
        ("admin", "link_paused", CITY),
        ("admin", "link_resumed", CITY),
    ]


async def test_an_office_that_is_no_neighbour_has_no_link(ends: Ends) -> None:
    room = ends.county.room
    for deed in (
        links.show(room.desk, room.admin, "nowhere"),
        links.refusals(room.desk, room.admin, "nowhere"),
        links.pause(room.desk, room.admin, "nowhere", "理由"),
        links.probe(room.desk, room.admin, "nowhere"),
    ):
        with pytest.raises(UnknownOfficeError):
            await deed


def test_every_code_with_advice_is_one_that_a_refusal_can_have() -> None:
    known = {
        kind.code
        for module in (protocol_errors, relay_errors, node_errors, move_errors)
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, ZhitongError)
    }
    assert advice.TO_SENDER.keys() | advice.TO_RECEIVER.keys() <= known
    for permanent in (True, False):
        for say in (advice.to_sender, advice.to_receiver):
            assert say("never.heard_of", permanent=permanent).endswith("。")
