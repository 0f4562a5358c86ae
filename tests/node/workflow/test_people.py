"""Adding people, changing what is known of them, and closing their accounts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from node.errors import ForbiddenError, InputError, NodeError
from node.people_errors import (
    NameTakenError,
    NotLoggedInError,
    OneselfError,
    PersonChangedError,
    PersonStateError,
    UnknownPersonError,
    WrongPasswordError,
)
from node.storage.audit import AuditRow
from node.storage.people import Person
from node.workflow import departures, logins, memberships, people, reading
from node.workflow.desk import Actor, Desk
from node.workflow.people import Particulars
from tests.node.rooms import Room, contents
from tests.offices import PASSWORD

AUTHOR: dict[str, Any] = {
    "username": "wang",
    "name": "王海",
    "roles": ["author"],
    "kind": "member",
    "unit": "东湖县中学",
}
pytestmark = pytest.mark.usefixtures("quick_passwords")
LASTS = timedelta(hours=12)
Deed = Callable[[Desk, Actor, UUID, int], Awaitable[object]]
DEEDS: dict[str, Deed] = {
    "change": lambda desk, actor, who, version: people.change(
        desk, actor, who, version, Particulars(name="王江", roles=("editor",))
    ),
    "disable": lambda desk, actor, who, version: people.disable(desk, actor, who, version, "调离"),
    "set_password": lambda desk, actor, who, version: people.set_password(
        desk, actor, who, version, "another-long-one"
    ),
    "leave": lambda desk, actor, who, version: departures.leave(
        desk, actor, who, version, on=date(2026, 12, 1), left_for="调西山县政协"
    ),
}


async def added(room: Room, *, password: str | None = PASSWORD, **content: Any) -> UUID:
    """A person whom the security administrator added; by default with a password of his own."""
    given = people.newcomer(AUTHOR | content)
    return await people.add(room.desk, room.security, given, password, one_time=False)


async def person(room: Room, id: UUID) -> Person:
    """What is stored of the person."""
    async with room.database.reading() as session:
        return await session.get_one(Person, id)


async def log_in(room: Room, username: str, password: str = PASSWORD, token: str = "t") -> str:
    return await logins.log_in(
        room.desk, username, password, lasts=LASTS, new_token=lambda: token, came_from="cli"
    )


async def test_a_person_who_was_added_can_log_in(county: Room) -> None:
    await added(county)
    actor = await logins.by_session(county.desk, await log_in(county, "wang"), came_from="cli")
    assert (actor.name, actor.roles, actor.kind, actor.unit, actor.must_change) == (
        "王海",
        {"author"},
        "member",
        "东湖县中学",
        False,
    )


async def test_without_a_password_nobody_logs_in_until_one_is_set(leaf: Room) -> None:
    id = await added(leaf, password=None)
    with pytest.raises(WrongPasswordError):
        await log_in(leaf, "wang")
    await people.set_password(leaf.desk, leaf.security, id, 1, "another-long-one")
    token = await log_in(leaf, "wang", "another-long-one")
    assert (await logins.by_session(leaf.desk, token, came_from="cli")).must_change


@pytest.mark.parametrize(
    ("again", "said"),
    [
        ({"name": "王江"}, "the user name wang is taken"),
        ({"username": "jiang", "employee_number": "A1"}, "the employee number A1 is taken"),
    ],
)
async def test_user_names_and_employee_numbers_are_given_once(
    county: Room, again: dict[str, Any], said: str
) -> None:
    await added(county, employee_number="A1")
    before = await contents(county.database)
    with pytest.raises(NameTakenError, match=said):
        await added(county, **again)
    assert await contents(county.database) == before


async def test_of_two_who_take_one_name_at_once_one_is_told_so(county: Room) -> None:
    done = await asyncio.gather(added(county), added(county), return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) == ["NameTakenError", "UUID"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"roles": ["king"]}, "没有 'king' 这个角色，可选：author、editor、reviewer"),
        ({"roles": []}, "请至少选择一个角色"),
        ({"roles": ["author", "auditor"]}, "管理员不能兼任其他角色"),
        ({"roles": ["auditor", "system_administrator"]}, "管理员不能兼任其他角色"),
        ({"password": "short"}, "at least 10 characters"),
        ({"kind": None}, "撰稿人须填写身份和单位"),
        ({"unit": None}, "撰稿人须填写身份和单位"),
        ({"kind": "poet"}, "kind"),
        ({"unit": "单" * 201}, "unit"),
        ({"name": ""}, "name"),
        ({"name": "名" * 201}, "name"),
        ({"username": ""}, "username"),
        ({"username": "x" * 61}, "username"),
        ({"username": "two\nlines"}, "username"),
        ({"phone": "call me"}, "phone"),
        ({"email": "nobody"}, "email"),
        ({"employee_number": "9" * 41}, "employee_number"),
    ],
)
async def test_an_account_that_could_not_be_used_is_not_made(
    leaf: Room, wrong: dict[str, Any], said: str
) -> None:
    before = await contents(leaf.database)
    with pytest.raises(InputError, match=said):
        await added(leaf, **wrong)
    assert await contents(leaf.database) == before


async def test_one_person_may_edit_and_review_and_needs_neither_kind_nor_unit(leaf: Room) -> None:
    id = await added(leaf, roles=["reviewer", "editor", "editor"], kind=None, unit=None)
    assert (await person(leaf, id)).roles == ["editor", "reviewer"]


async def test_whoever_gets_other_roles_logs_in_anew(county: Room) -> None:
    id = await added(county)
    token = await log_in(county, "wang")
    given = people.newcomer(AUTHOR | {"phone": "138 0000 0000"})
    same = Particulars(**given.model_dump(exclude={"username"}))
    await people.change(county.desk, county.security, id, 1, same)
    assert (await logins.by_session(county.desk, token, came_from="cli")).username == "wang"

    await DEEDS["change"](county.desk, county.security, id, 2)

    with pytest.raises(NotLoggedInError):
        await logins.by_session(county.desk, token, came_from="cli")
    after = await person(county, id)
    assert (after.name, after.roles, after.phone, after.version) == ("王江", ["editor"], None, 3)


async def test_a_disabled_account_is_out_until_it_is_enabled(county: Room) -> None:
    id = await added(county)
    token = await log_in(county, "wang")
    await people.disable(county.desk, county.security, id, 1, "借调，暂停使用")
    with pytest.raises(NotLoggedInError):
        await logins.by_session(county.desk, token, came_from="cli")
    with pytest.raises(WrongPasswordError):
        await log_in(county, "wang")
    with pytest.raises(PersonStateError, match="disabled already"):
        await people.disable(county.desk, county.security, id, 2, "再次")

    await people.enable(county.desk, county.security, id, 2)

    assert await log_in(county, "wang")
    with pytest.raises(PersonStateError, match="not disabled"):
        await people.enable(county.desk, county.security, id, 3)


async def test_whoever_leaves_is_out_and_stays_the_author_with_the_unit_of_that_time(
    leaf: Room,
) -> None:
    item = await leaf.submit(co_authors=[{"username": "chen"}])
    chen = leaf.chen.id
    today = leaf.clock().date()
    await departures.leave(leaf.desk, leaf.security, chen, 1, on=today, left_for="调西山县政协")
    after = await person(leaf, chen)
    assert (after.left_on, after.left_for, after.unit) == (
        today,
        "调西山县政协",
        "东湖县农工党支部",
    )
    with pytest.raises(WrongPasswordError):
        await log_in(leaf, "chen")
    view = await reading.view(leaf.desk, leaf.editor, item)
    assert view.edition.authors[1]["unit"] == "东湖县农工党支部"
    with pytest.raises(PersonStateError, match="left already"):
        await DEEDS["leave"](leaf.desk, leaf.security, chen, 2)
    with pytest.raises(PersonStateError, match="has left"):
        await memberships.join(
            leaf.desk, leaf.security, chen, 2, unit="nowhere", since=today, main=False
        )
    await departures.come_back(leaf.desk, leaf.security, chen, 2)
    assert await log_in(leaf, "chen")


@pytest.mark.parametrize("deed", DEEDS)
async def test_what_an_administrator_may_not_do_is_refused_and_changes_nothing(
    leaf: Room, deed: str
) -> None:
    id = await added(leaf)
    before = await contents(leaf.database)
    do = DEEDS[deed]
    wrong: list[tuple[Actor, UUID, int, type[NodeError]]] = [
        (leaf.editor, id, 1, ForbiddenError),
        (leaf.admin, id, 1, ForbiddenError),
        (leaf.lin, leaf.lin.id, 1, ForbiddenError),
        (leaf.security, leaf.desk.new_id(), 1, UnknownPersonError),
        (leaf.security, leaf.security.id, 1, OneselfError),
        (leaf.security, id, 2, PersonChangedError),
    ]
    for actor, whom, version, error in wrong:
        with pytest.raises(error):
            await do(leaf.desk, actor, whom, version)
    assert await contents(leaf.database) == before
    await do(leaf.desk, leaf.security, id, 1)
    assert (await person(leaf, id)).version == 2


async def test_of_two_administrators_who_change_one_person_the_second_is_told_to_look_again(
    county: Room,
) -> None:
    id = await added(county)
    done = await asyncio.gather(
        *(DEEDS[deed](county.desk, county.security, id, 1) for deed in ("change", "disable")),
        return_exceptions=True,
    )
    (refused,) = (one for one in done if one is not None)
    assert isinstance(refused, PersonChangedError)
    assert refused.detail == "you saw version 1, the record is at version 2"


async def test_the_audit_log_names_fields_and_roles_and_nothing_personal(leaf: Room) -> None:
    id = await added(leaf, phone="13800000000")
    given = people.newcomer(AUTHOR | {"phone": "13911112222", "email": "wang@example.cn"})
    same = Particulars(**given.model_dump(exclude={"username"}))
    await people.change(leaf.desk, leaf.security, id, 1, same)
    async with leaf.database.reading() as session:
        rows = (await session.scalars(select(AuditRow).order_by(AuditRow.id))).all()
    assert [(row.actor, row.action, row.subject, row.detail) for row in rows] == [
        ("security", "person_added", "wang", {"roles": ["author"]}),
        (
            "security",
            "person_changed",
            "wang",
            {"fields": ["email", "phone"], "roles": ["author"]},
        ),
    ]
