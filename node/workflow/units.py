"""Units that people belong to: committees, sectors, parties, street groups, departments.

A unit is named by its code, which never changes; it may stand below another one. What is no unit of
the office's work, somebody's workplace for example, is not entered here: it is only a line in the
person's record. Each deed names the version that the actor looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field
from sqlalchemy import func, or_, select
from sqlalchemy.exc import IntegrityError

from node.errors import InputError
from node.people_errors import UnitChangedError, UnitStateError, UnitTakenError, UnknownUnitError
from node.storage.database import Session, take_turn
from node.storage.people import Membership, Person, Unit
from node.workflow import access, audit
from node.workflow.calendar import day_of
from node.workflow.desk import Actor, Desk
from protocol.offices import Line, Record

UnitKind = Literal[
    "special_committee",
    "sector",
    "party_group",
    "member_organisation",
    "street_liaison_group",
    "direct_report_point",
    "department",
    "handling_unit",
]
Code = Annotated[Line, Field(max_length=40)]
TURN = "units"


class UnitGiven(Record):
    """What is known of a unit. `parent` is the code of the unit above it."""

    model_config = ConfigDict(extra="forbid", defer_build=False)

    name: Line
    kind: UnitKind
    parent: Code | None = None


class NewUnit(UnitGiven):
    """A unit to be added."""

    code: Code


async def list_units(desk: Desk, actor: Actor, *, kind: str | None = None) -> Sequence[Unit]:
    """All units by their code, the closed ones too."""
    access.demand(actor, "read_units")
    query = select(Unit).order_by(Unit.code)
    if kind is not None:
        query = query.where(Unit.kind == kind)
    async with desk.database.reading() as session:
        return (await session.scalars(query)).all()


async def add(desk: Desk, actor: Actor, given: NewUnit) -> UUID:
    """Enter a unit. Raises `UnitTakenError`, and `UnknownUnitError` for the one above it."""
    access.demand(actor, "manage_people")
    now = desk.clock()
    try:
        async with desk.database.writing.begin() as session:
            await take_turn(session, TURN)
            if await session.scalar(select(Unit.id).where(Unit.code == given.code)) is not None:
                raise UnitTakenError(f"the code {given.code} is taken")
            unit = Unit(
                id=desk.new_id(),
                code=given.code,
                name=given.name,
                kind=given.kind,
                parent_id=await _parent(session, given.parent, None),
                version=1,
            )
            session.add(unit)
            audit.note(session, now, actor=actor, action="unit_added", subject=unit.code)
    except IntegrityError as error:
        raise UnitTakenError from error
    return unit.id


async def change(desk: Desk, actor: Actor, unit_id: UUID, version: int, given: UnitGiven) -> None:
    """Rename a unit, or put it below another one; who belongs to it mainly writes for the new name.

    What was written before keeps the name of that time.
    """
    access.demand(actor, "manage_people")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        await take_turn(session, TURN)
        unit = await _locked(session, unit_id, version)
        parent = await _parent(session, given.parent, unit)
        if given.name != unit.name:
            await rename(session, unit, given.name, day_of(now))
        unit.name, unit.kind, unit.parent_id = given.name, given.kind, parent
        audit.note(session, now, actor=actor, action="unit_changed", subject=unit.code)


async def close(desk: Desk, actor: Actor, unit_id: UUID, version: int, on: date) -> None:
    """From this day on nobody belongs to the unit. Raises `UnitStateError` while somebody does."""
    access.demand(actor, "manage_people")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        await take_turn(session, TURN)
        unit = await _locked(session, unit_id, version)
        if unit.closed_on is not None:
            raise UnitStateError("the unit is closed already")
        inside = await session.scalar(
            select(func.count())
            .select_from(Membership)
            .where(
                Membership.unit_id == unit.id,
                or_(Membership.until.is_(None), Membership.until >= on),
            )
        )
        if inside:
            raise UnitStateError(f"{inside} people still belong to the unit")
        below = select(Unit.code).where(Unit.parent_id == unit.id, Unit.closed_on.is_(None))
        if (code := (await session.scalars(below)).first()) is not None:
            raise UnitStateError(f"the unit {code} stands below it")
        unit.closed_on = on
        audit.note(session, now, actor=actor, action="unit_closed", subject=unit.code)


async def find(session: Session, named: str) -> Unit:
    """The unit with this code, or the only open one with this name. Raises `UnknownUnitError`."""
    unit = await session.scalar(select(Unit).where(Unit.code == named))
    if unit is not None:
        return unit
    found = await session.scalars(
        select(Unit).where(Unit.name == named, Unit.closed_on.is_(None)).limit(2)
    )
    match found.all():
        case [only]:
            return only
        case []:
            raise UnknownUnitError(f"there is no unit {named}")
        case _:
            raise UnknownUnitError(f"several units are named {named}: name the code")


async def _locked(session: Session, unit_id: UUID, version: int) -> Unit:
    unit = await session.get(Unit, unit_id, with_for_update=True)
    if unit is None:
        raise UnknownUnitError
    if unit.version != version:
        raise UnitChangedError(
            f"you saw version {version}, the record is at version {unit.version}"
        )
    unit.version += 1
    return unit


async def _parent(session: Session, code: str | None, below: Unit | None) -> UUID | None:
    if code is None:
        return None
    parent = await session.scalar(select(Unit).where(Unit.code == code))
    if parent is None:
        raise UnknownUnitError(f"there is no unit {code}")
    if parent.closed_on is not None:
        raise UnitStateError(f"the unit {code} is closed")
    above: Unit | None = parent
    while above is not None and below is not None:
        if above.id == below.id:
            raise InputError("单位不能隶属于自己")
        above = await session.get(Unit, above.parent_id) if above.parent_id else None
    return parent.id


async def rename(session: Session, unit: Unit, name: str, today: date) -> None:
    """Whoever writes for the unit writes for its new name. The unit itself is changed elsewhere."""
    members = await session.scalars(
        select(Person)
        .join(Membership, Membership.person_id == Person.id)
        .where(
            Membership.unit_id == unit.id,
            Membership.main,
            Person.unit == unit.name,
            or_(Membership.until.is_(None), Membership.until >= today),
        )
        .with_for_update(of=Person)
    )
    for person in members:
        person.unit, person.version = name, person.version + 1
