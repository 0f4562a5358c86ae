"""Units, who belongs to them from when to when, and appointments with a term."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from node.errors import ForbiddenError, InputError, NodeError
from node.people_errors import (
    NameTakenError,
    PersonChangedError,
    PersonStateError,
    UnitChangedError,
    UnitStateError,
    UnitTakenError,
    UnknownUnitError,
)
from node.storage.people import Person
from node.workflow import appointments, departures, memberships, reading, units
from node.workflow.appointments import Term
from node.workflow.calendar import day_of
from node.workflow.desk import Actor
from node.workflow.units import NewUnit, UnitGiven
from tests.node.rooms import Room, contents


def unit(code: str = "Z01", **content: Any) -> NewUnit:
    """A special committee, unless said otherwise."""
    return NewUnit.model_validate(
        {"code": code, "name": f"委员会{code}", "kind": "special_committee"} | content
    )


async def enter(room: Room, *given: NewUnit) -> list[UUID]:
    """The security administrator enters units."""
    return [await units.add(room.desk, room.security, one) for one in given]


async def join(room: Room, version: int, code: str, since: date, *, main: bool = True) -> UUID:
    """Lin Xiaoyu belongs to the unit."""
    return await memberships.join(
        room.desk, room.security, room.lin.id, version, unit=code, since=since, main=main
    )


async def history(room: Room) -> list[tuple[str, bool, date, date | None]]:
    """Lin Xiaoyu's memberships, the newest first."""
    async with room.database.reading() as session:
        found = await memberships.of(session, room.lin.id)
    return [(one.unit, one.main, one.since, one.until) for one in found]


async def lins_unit(room: Room) -> str | None:
    """What stands under what she writes now."""
    async with room.database.reading() as session:
        return (await session.get_one(Person, room.lin.id)).unit


async def test_units_stand_below_each_other_and_never_below_themselves(county: Room) -> None:
    top, low = await enter(county, unit("A"), unit("B", parent="A"))
    listed = await units.list_units(county.desk, county.editor)
    assert [(one.code, one.parent_id) for one in listed] == [("A", None), ("B", top)]
    same = UnitGiven(name="委员会A", kind="special_committee", parent="B")
    before = await contents(county.database)
    for id, version, parent in ((top, 1, "B"), (low, 1, "B")):
        with pytest.raises(InputError, match="单位不能隶属于自己"):
            await units.change(
                county.desk,
                county.security,
                id,
                version,
                same.model_copy(update={"parent": parent}),
            )
    assert await contents(county.database) == before


async def test_a_unit_is_found_by_its_code_or_by_the_only_name(leaf: Room) -> None:
    await enter(leaf, unit("A", name="办公室"), unit("B", name="办公室"), unit("C", name="信息科"))
    async with leaf.database.reading() as session:
        assert (await units.find(session, "信息科")).code == "C"
        assert (await units.find(session, "B")).code == "B"
        with pytest.raises(UnknownUnitError, match="several units are named 办公室"):
            await units.find(session, "办公室")
        with pytest.raises(UnknownUnitError, match="there is no unit 门房"):
            await units.find(session, "门房")


async def test_whoever_moves_keeps_the_history_and_items_keep_the_unit_of_their_time(
    county: Room,
) -> None:
    await enter(county, unit("A"), unit("B"))
    today = day_of(county.clock())
    await join(county, 1, "A", today - timedelta(days=30))
    before = await county.submit()
    await join(county, 2, "B", today)
    assert await lins_unit(county) == "委员会B"
    assert await history(county) == [
        ("B", True, today, None),
        ("A", True, today - timedelta(days=30), today - timedelta(days=1)),
    ]
    view = await reading.view(county.desk, county.editor, before)
    assert view.edition.authors[0]["unit"] == "东湖县团结街道"  # as her login said it
    await departures.leave(
        county.desk, county.security, county.lin.id, 3, on=today, left_for="退休"
    )
    assert (await history(county))[0] == ("B", True, today, today)
    async with county.database.writing.begin() as session:
        (await session.get_one(Person, county.lin.id)).unit = county.lin.unit


async def test_a_renamed_unit_renames_what_its_people_write_for_from_now_on(leaf: Room) -> None:
    [id] = await enter(leaf, unit("A"))
    await join(leaf, 1, "A", day_of(leaf.clock()))
    given = UnitGiven(name="提案委员会", kind="special_committee")
    await units.change(leaf.desk, leaf.security, id, 1, given)
    assert await lins_unit(leaf) == "提案委员会"
    with pytest.raises(UnitChangedError, match="you saw version 1, the record is at version 2"):
        await units.change(leaf.desk, leaf.security, id, 1, given)


async def test_a_unit_is_closed_when_nobody_belongs_to_it(leaf: Room) -> None:
    top, low = await enter(leaf, unit("A"), unit("B", parent="A"))
    today = day_of(leaf.clock())
    membership = await join(leaf, 1, "B", today)
    before = await contents(leaf.database)
    for id, said in ((low, "1 people still belong"), (top, "the unit B stands below it")):
        with pytest.raises(UnitStateError, match=said):
            await units.close(leaf.desk, leaf.security, id, 1, today + timedelta(days=1))
    assert await contents(leaf.database) == before

    await memberships.end(leaf.desk, leaf.security, leaf.lin.id, 2, membership, today)
    await units.close(leaf.desk, leaf.security, low, 1, today + timedelta(days=1))
    with pytest.raises(UnitStateError, match="closed already"):
        await units.close(leaf.desk, leaf.security, low, 2, today)
    with pytest.raises(UnitStateError, match="the unit is closed"):
        await join(leaf, 3, "B", today + timedelta(days=2), main=False)
    with pytest.raises(UnitStateError, match="the unit B is closed"):
        await enter(leaf, unit("C", parent="B"))


WrongDeed = Callable[[Room, UUID, date], Awaitable[object]]
WRONG: dict[str, tuple[WrongDeed, type[NodeError]]] = {
    "a code that is taken": (lambda room, _, __: enter(room, unit("A")), UnitTakenError),
    "no such unit above": (
        lambda room, _, __: enter(room, unit("C", parent="X")),
        UnknownUnitError,
    ),
    "no such unit": (lambda room, _, day: join(room, 2, "X", day), UnknownUnitError),
    "the same again": (lambda room, _, day: join(room, 2, "A", day), PersonStateError),
    "before the last move": (
        lambda room, _, day: join(room, 2, "B", day - timedelta(days=1)),
        InputError,
    ),
    "a main unit in future": (
        lambda room, _, day: join(room, 2, "B", day + timedelta(days=1)),
        InputError,
    ),
    "seen too early": (lambda room, _, day: join(room, 1, "B", day), PersonChangedError),
    "an end before the beginning": (
        lambda room, one, day: memberships.end(
            room.desk, room.security, room.lin.id, 2, one, day - timedelta(days=1)
        ),
        InputError,
    ),
    "somebody else's membership": (
        lambda room, one, day: memberships.end(room.desk, room.security, room.chen.id, 1, one, day),
        UnknownUnitError,
    ),
}


@pytest.mark.parametrize("case", WRONG)
async def test_what_does_not_fit_is_refused_and_changes_nothing(leaf: Room, case: str) -> None:
    await enter(leaf, unit("A"), unit("B"))
    today = day_of(leaf.clock())
    membership = await join(leaf, 1, "A", today)
    before = await contents(leaf.database)
    deed, error = WRONG[case]
    with pytest.raises(error):
        await deed(leaf, membership, today)
    assert await contents(leaf.database) == before


async def test_only_the_security_administrator_decides_and_the_desk_reads(leaf: Room) -> None:
    [id] = await enter(leaf, unit("A"))
    today = day_of(leaf.clock())
    before = await contents(leaf.database)
    for actor in (leaf.lin, leaf.editor, leaf.admin, leaf.auditor):
        for deed in _deeds(leaf, actor, id, today):
            with pytest.raises(ForbiddenError):
                await deed
    for actor in (leaf.lin, leaf.admin, leaf.auditor):
        with pytest.raises(ForbiddenError):
            await units.list_units(leaf.desk, actor)
    assert await contents(leaf.database) == before


async def test_appointments_that_end_soon_and_were_not_renewed_are_listed(county: Room) -> None:
    today = day_of(county.clock())

    async def appoint(whom: Actor, version: int, number: str, since: int, until: int) -> UUID:
        return await appointments.appoint(
            county.desk, county.security, whom.id, version, term(today, number, since, until)
        )

    first = await appoint(county.lin, 1, "聘2024-1", -700, 20)
    await appoint(county.chen, 1, "聘2024-2", -700, 10)
    await appoint(county.chen, 2, "聘2026-1", 11, 700)
    soon = await appointments.expiring(county.desk, county.editor, days=30)
    assert [(one.name, one.certificate, one.until) for one in soon] == [
        ("林晓雨", "聘2024-1", today + timedelta(days=20))
    ]
    assert await appointments.expiring(county.desk, county.editor, days=19) == []

    await appointments.shorten(county.desk, county.security, county.lin.id, 2, first, today)
    [ended] = await appointments.expiring(county.desk, county.editor, days=0)
    assert ended.until == today
    county.clock.move(timedelta(days=31))
    assert await appointments.expiring(county.desk, county.editor, days=30) == []


async def test_a_term_that_does_not_fit_is_refused_and_changes_nothing(leaf: Room) -> None:
    today = day_of(leaf.clock())
    appoint, desk, security = appointments.appoint, leaf.desk, leaf.security
    first = await appoint(desk, security, leaf.lin.id, 1, term(today, "聘1", 0, 100))
    before = await contents(leaf.database)
    wrong: list[tuple[Awaitable[object], type[NodeError], str]] = [
        (appoint(desk, security, leaf.lin.id, 2, term(today, "聘2", 9, 0)), InputError, "begins"),
        (
            appoint(desk, security, leaf.lin.id, 2, term(today, "聘2", 100, 200)),
            PersonStateError,
            "the appointment 聘1 covers part",
        ),
        (
            appoint(desk, security, leaf.chen.id, 1, term(today, "聘1", 0, 9)),
            NameTakenError,
            "聘1 was given out before",
        ),
        (
            appointments.shorten(desk, security, leaf.lin.id, 2, first, today + timedelta(100)),
            InputError,
            "within the term",
        ),
        (
            appointments.shorten(desk, security, leaf.chen.id, 1, first, today),
            PersonStateError,
            "no such appointment",
        ),
    ]
    for deed, error, said in wrong:
        with pytest.raises(error, match=said):
            await deed
    assert await contents(leaf.database) == before
    with pytest.raises(ValidationError, match="kind"):
        Term.model_validate({"kind": "member", "certificate": "x", "since": today, "until": today})


def term(today: date, number: str, since: int, until: int) -> Term:
    """An informant's term, in days from today."""
    return Term(
        kind="informant",
        certificate=number,
        since=today + timedelta(days=since),
        until=today + timedelta(days=until),
    )


def _deeds(room: Room, actor: Actor, id: UUID, today: date) -> list[Awaitable[object]]:
    lin, none = room.lin.id, room.desk.new_id()
    return [
        units.add(room.desk, actor, unit("B")),
        units.change(room.desk, actor, id, 1, UnitGiven(name="甲", kind="sector")),
        units.close(room.desk, actor, id, 1, today),
        memberships.join(room.desk, actor, lin, 1, unit="A", since=today, main=True),
        memberships.end(room.desk, actor, lin, 1, none, today),
        appointments.appoint(room.desk, actor, lin, 1, term(today, "聘", 0, 9)),
        appointments.shorten(room.desk, actor, lin, 1, none, today),
    ]
