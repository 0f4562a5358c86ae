"""Requests to come below an office: each check is broken alone; what an administrator decides."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from node.enrolment_errors import (
    EnrolmentAboveError,
    EnrolmentDepthError,
    EnrolmentLeafError,
    EnrolmentTakenError,
    EnrolmentTokenError,
    EnrolmentTokenExpiredError,
    EnrolmentTokenNameError,
    EnrolmentTokenUsedError,
    UnknownEnrolmentError,
)
from node.errors import ForbiddenError, InputError
from node.storage.audit import AuditRow
from node.storage.enrolments import Enrolment, EnrolmentToken
from node.storage.offices import Office
from node.workflow import directory, enrolment
from node.workflow.enrolment import Answer
from protocol.enrolment import Request, Token, make_request, root_of
from protocol.errors import RequestError, ZhitongError
from protocol.identifiers import NodeId, digest
from protocol.offices import OfficeReference
from tests.node.rooms import Room, contents

KEYS = [ec.derive_private_key(2000 + number, ec.SECP256R1()) for number in range(3)]
NORTH = OfficeReference(id=NodeId("beihu"), name="北湖街道", level="street")
SECRET = bytes(range(16))


def request(office: OfficeReference = NORTH, key: int = 0, issuing: int | None = None) -> Request:
    hub = None if issuing is None else KEYS[issuing]
    return make_request(office, "420104", KEYS[key], hub)


def named(id: str) -> OfficeReference:
    return NORTH.model_copy(update={"id": NodeId(id)})


async def token(
    room: Room, secret: bytes = SECRET, *, office: str | None = None, hours: int = 72
) -> Token:
    return await enrolment.make_token(
        room.desk, room.admin, secret=secret, office=office, hours=hours
    )


async def ask(room: Room, held: Token, asked: Request | None = None) -> Answer:
    return await enrolment.ask(room.desk, held, asked or request(), came_from="192.0.2.7")


async def test_a_request_waits_for_an_administrator_who_sees_where_it_came_from(
    county: Room,
) -> None:
    answer = await ask(county, await token(county), request(issuing=1))
    assert (answer.state, answer.welcome) == ("waiting", None)
    (view,) = await enrolment.list_all(county.desk, county.admin)
    assert (view.office, view.name, view.level, view.hub) == ("beihu", "北湖街道", "street", True)
    assert (view.state, view.came_from) == ("waiting", "192.0.2.7")
    assert view.fingerprint == answer.fingerprint
    assert await directory.children(county.database) == []


async def test_of_a_token_the_secret_is_not_kept_and_the_root_is_named(county: Room) -> None:
    held = await token(county)
    assert held.root == root_of(county.desk.chains.roots[0])
    everything = str(await contents(county.database))
    assert SECRET.hex() not in everything
    assert str(SECRET) not in everything
    assert digest(SECRET) in everything


# 1.
async def test_a_token_that_was_not_given_out_opens_nothing(county: Room) -> None:
    held = await token(county)
    answer = await ask(county, held)
    wrong = Token(b"x" * 16, held.root)
    for attempt in (
        lambda: ask(county, wrong),
        lambda: enrolment.answer(county.desk, wrong, answer.id),
        lambda: enrolment.answer(county.desk, held, county.desk.new_id()),
    ):
        await _refused(county, attempt, EnrolmentTokenError)


# 2.
async def test_a_request_that_its_keys_did_not_sign_is_refused(county: Room) -> None:
    held = await token(county)
    bad = request().model_copy(update={"node": request(key=1).node[:-80]})
    await _refused(county, lambda: ask(county, held, bad), RequestError)


# 3.
async def test_the_name_of_this_office_is_refused(county: Room) -> None:
    held = await token(county)
    own = county.desk.office
    await _refused(county, lambda: ask(county, held, request(own)), EnrolmentAboveError)


# 4.
async def test_a_hub_that_could_certify_nobody_is_refused(
    county: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = await token(county)
    monkeypatch.setattr(enrolment, "MAXIMUM_DEPTH", 2)
    hub = request(issuing=1)
    await _refused(county, lambda: ask(county, held, hub), EnrolmentDepthError)
    assert (await ask(county, held, request())).state == "waiting"


# 5.
async def test_a_token_serves_one_request_and_that_one_as_often_as_it_is_sent(
    county: Room,
) -> None:
    held = await token(county)
    first = await ask(county, held)
    county.clock.move(timedelta(hours=73))
    assert await ask(county, held) == first
    for other in (request(key=1), request(named("nanhu"))):
        await _refused(
            county, lambda other=other: ask(county, held, other), EnrolmentTokenUsedError
        )


# 6.
async def test_a_token_that_expired_is_refused(county: Room) -> None:
    held = await token(county, hours=1)
    county.clock.move(timedelta(hours=1))
    await _refused(county, lambda: ask(county, held), EnrolmentTokenExpiredError)


# 7.
async def test_a_token_for_one_office_serves_no_other(county: Room) -> None:
    held = await token(county, office="nanhu")
    await _refused(county, lambda: ask(county, held), EnrolmentTokenNameError)
    assert (await ask(county, held, request(named("nanhu")))).state == "waiting"


# 8.
async def test_a_name_that_is_asked_for_or_taken_is_refused_to_other_keys(county: Room) -> None:
    await ask(county, await token(county))
    second = await token(county, b"2" * 16)
    await _refused(county, lambda: ask(county, second, request(key=1)), EnrolmentTakenError)
    async with county.database.writing.begin() as session:
        session.add(Office(id="nanhu", name="南湖", level="street", relation="other"))
    nanhu = request(named("nanhu"))
    await _refused(county, lambda: ask(county, second, nanhu), EnrolmentTakenError)
    # Not used up by what was refused.
    assert (await ask(county, second, request(named("xihu")))).state == "waiting"
    async with county.database.writing.begin() as session:
        # Offices outlive a test on PostgreSQL.
        await session.execute(delete(Office).where(Office.id == "nanhu"))


async def test_the_same_keys_with_another_token_are_the_same_request(county: Room) -> None:
    first = await ask(county, await token(county))
    second = await token(county, b"2" * 16)
    assert await ask(county, second) == first
    assert (await enrolment.answer(county.desk, second, first.id)).state == "waiting"


async def test_what_was_refused_is_told_why_and_may_ask_anew(county: Room) -> None:
    held = await token(county)
    answer = await ask(county, held)
    await enrolment.refuse(county.desk, county.admin, "beihu", "请先电话联系。")
    told = await enrolment.answer(county.desk, held, answer.id)
    assert (told.state, told.reason) == ("refused", "请先电话联系。")
    assert (await ask(county, held)).state == "refused"
    anew = await ask(county, await token(county, b"2" * 16), request(key=1))
    assert (anew.state, anew.id == answer.id) == ("waiting", False)


async def test_what_was_welcomed_may_ask_again_with_the_same_keys_alone(county: Room) -> None:
    await ask(county, await token(county))
    async with county.database.writing.begin() as session:
        await session.execute(update(Enrolment).values(state="welcomed"))
    second = await token(county, b"2" * 16)
    await _refused(county, lambda: ask(county, second, request(key=1)), EnrolmentTakenError)
    assert (await ask(county, second)).state == "waiting"


async def test_a_file_is_checked_like_what_came_with_a_token(county: Room) -> None:
    view = await enrolment.enter(county.desk, county.admin, request().model_dump_json())
    assert (view.state, view.came_from) == ("waiting", "cli")
    other = request(key=1).model_dump_json()
    own = request(county.desk.office).model_dump_json()
    for text, kind in ((other, EnrolmentTakenError), (own, EnrolmentAboveError)):
        await _refused(
            county,
            lambda text=text: enrolment.enter(county.desk, county.admin, text),
            kind,
        )


async def test_what_is_approved_twice_is_decided_once(county: Room) -> None:
    await ask(county, await token(county))
    for _ in range(2):
        await enrolment.approve(county.desk, county.admin, "beihu")
    async with county.database.reading() as session:
        actions = list(await session.scalars(select(AuditRow.action).order_by(AuditRow.id)))
    assert actions == ["enrolment_token_made", "enrolment_asked", "enrolment_approved"]


@pytest.mark.parametrize("state", ["entered", "ready", "welcomed", "refused"])
async def test_what_is_under_way_or_over_cannot_be_refused(county: Room, state: str) -> None:
    await ask(county, await token(county))
    async with county.database.writing.begin() as session:
        await session.execute(update(Enrolment).values(state=state))
    await _refused(
        county,
        lambda: enrolment.refuse(county.desk, county.admin, "beihu", "不行。"),
        UnknownEnrolmentError,
    )


async def test_a_refusal_needs_a_reason_and_an_approval_a_request(county: Room) -> None:
    await ask(county, await token(county))
    await _refused(
        county, lambda: enrolment.refuse(county.desk, county.admin, "beihu", " "), InputError
    )
    await _refused(
        county,
        lambda: enrolment.approve(county.desk, county.admin, "nanhu"),
        UnknownEnrolmentError,
    )


@pytest.mark.parametrize(("office", "hours"), [("Bei Hu", 72), (None, 0), (None, 337)])
async def test_a_token_for_no_name_or_for_ever_is_refused(
    county: Room, office: str | None, hours: int
) -> None:
    await _refused(county, lambda: token(county, office=office, hours=hours), InputError)


async def test_an_office_that_cannot_certify_hands_out_no_token(
    county: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(county.desk.place, "issuing", None)
    await _refused(county, lambda: token(county), EnrolmentLeafError)


async def test_only_administrators_see_and_decide(county: Room) -> None:
    await ask(county, await token(county))
    for attempt in (
        lambda: enrolment.list_all(county.desk, county.editor),
        lambda: enrolment.approve(county.desk, county.editor, "beihu"),
        lambda: enrolment.refuse(county.desk, county.editor, "beihu", "不行。"),
        lambda: enrolment.enter(county.desk, county.editor, request().model_dump_json()),
        lambda: enrolment.make_token(
            county.desk, county.editor, secret=b"3" * 16, office=None, hours=1
        ),
    ):
        await _refused(county, attempt, ForbiddenError)


async def _refused(room: Room, attempt: Callable[[], Any], kind: type[ZhitongError]) -> None:
    """The attempt raises this error, and changes nothing."""
    before = await contents(room.database)
    with pytest.raises(kind):
        await attempt()
    assert await contents(room.database) == before


async def test_the_database_itself_refuses_a_second_open_request_of_a_name(county: Room) -> None:
    await ask(county, await token(county))
    async with county.database.reading() as session:
        first = (await session.scalars(select(Enrolment))).one()
        assert (await session.scalars(select(EnrolmentToken))).one().enrolment_id == first.id
    copy = {c.name: getattr(first, c.name) for c in Enrolment.__table__.columns}
    with pytest.raises(IntegrityError):
        async with county.database.writing.begin() as session:
            session.add(Enrolment(**copy | {"id": county.desk.new_id()}))
