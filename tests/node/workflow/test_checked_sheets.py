"""A checked spreadsheet waits for the person who checked it, an hour, and is that very file."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from node.errors import ForbiddenError
from node.people_errors import SheetGoneError
from node.storage import dump
from node.storage.sheets import CheckedSheet
from node.workflow import checked_sheets, people, units
from node.workflow.calendar import day_of
from node.workflow.desk import Actor
from node.workflow.people import Newcomer
from node.workflow.people_import import PEOPLE
from node.workflow.units import NewUnit
from node.workflow.units_import import UNITS
from protocol.identifiers import digest
from tests.node.rooms import Room

SHEET = "代码,名称,类别\nG1,教育界,界别\n".encode()
OTHER = "代码,名称,类别\nG2,科技界,界别\n".encode()
WRONG = "代码,名称,类别\n,科技界,界别\n".encode()


async def check(room: Room, data: bytes = SHEET) -> str | None:
    found = await checked_sheets.check(room.desk, room.security, UNITS, "单位.csv", data)
    return found[1]


async def codes(room: Room) -> list[str]:
    return [unit.code for unit in await units.list_units(room.desk, room.security)]


async def kept(room: Room) -> int:
    async with room.database.reading() as session:
        return await session.scalar(select(func.count()).select_from(CheckedSheet)) or 0


async def gone(room: Room, wanted: str, actor: Actor | None = None) -> None:
    with pytest.raises(SheetGoneError):
        await checked_sheets.take_in(room.desk, actor or room.security, UNITS, wanted)
    assert await codes(room) == []


async def test_what_was_checked_is_taken_in_once_and_is_gone_then(county: Room) -> None:
    assert await check(county) == digest(SHEET)
    assert (await codes(county), await kept(county)) == ([], 1)
    taken = await checked_sheets.take_in(county.desk, county.security, UNITS, digest(SHEET))
    assert (taken[0].done, taken[1]) == (True, "单位.csv")
    assert (await codes(county), await kept(county)) == (["G1"], 0)


async def test_only_the_file_that_was_checked_last_and_as_what_it_was_checked(
    leaf: Room,
) -> None:
    await check(leaf)
    await gone(leaf, digest(OTHER))
    with pytest.raises(SheetGoneError):
        await checked_sheets.take_in(leaf.desk, leaf.security, PEOPLE, digest(SHEET))
    await check(leaf, OTHER)
    assert await kept(leaf) == 1
    await gone(leaf, digest(SHEET))
    assert await check(leaf, WRONG) is None
    await gone(leaf, digest(OTHER))
    assert await kept(leaf) == 0


async def test_nobody_takes_in_what_somebody_else_checked(leaf: Room) -> None:
    newcomer = Newcomer(username="second", name="第二位", roles=("security_administrator",))
    await people.add(leaf.desk, leaf.security, newcomer, None)
    async with leaf.database.reading() as session:
        second = people.actor_of(await people.by_username(session, "second"))
    await check(leaf)
    await gone(leaf, digest(SHEET), second)
    with pytest.raises(ForbiddenError):
        await checked_sheets.take_in(leaf.desk, leaf.editor, UNITS, digest(SHEET))
    with pytest.raises(ForbiddenError):
        await checked_sheets.check(leaf.desk, leaf.editor, UNITS, "单位.csv", SHEET)
    assert await kept(leaf) == 1


async def test_after_an_hour_it_is_not_taken_in_and_cleared_away(leaf: Room) -> None:
    await check(leaf)
    leaf.clock.move(timedelta(minutes=59))
    await checked_sheets.clear(leaf.desk)
    assert await kept(leaf) == 1
    leaf.clock.move(timedelta(minutes=1))
    await gone(leaf, digest(SHEET))
    await checked_sheets.clear(leaf.desk)
    assert await kept(leaf) == 0


async def test_bytes_that_are_not_those_that_were_checked_are_not_taken_in(leaf: Room) -> None:
    await check(leaf)
    async with leaf.database.writing.begin() as session:
        await session.execute(update(CheckedSheet).values(content=OTHER))
    await gone(leaf, digest(SHEET))


async def test_what_became_wrong_meanwhile_is_told_and_nothing_is_taken_in(leaf: Room) -> None:
    await check(leaf)
    given = NewUnit(code="G1", name="教育界", kind="sector")
    unit = await units.add(leaf.desk, leaf.security, given)
    await units.close(leaf.desk, leaf.security, unit, 1, on=day_of(leaf.clock()))
    outcome, _ = await checked_sheets.take_in(leaf.desk, leaf.security, UNITS, digest(SHEET))
    assert [one.message for one in outcome.mistakes] == ["这个单位已停用"]
    assert not outcome.done
    assert await kept(leaf) == 1


def test_no_backup_holds_it() -> None:
    assert "checked_sheets" not in {table.name for table in dump.TABLES}
