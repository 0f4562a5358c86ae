"""Units that people belong to."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from node.api.people_shapes import Closing, Made, UnitChange, UnitList, UnitShape
from node.api.permission import needs
from node.http.session import OneDesk, Person
from node.workflow import units
from node.workflow.units import NewUnit, UnitKind

router = APIRouter(prefix="/units", tags=["units"])


@router.get("", openapi_extra=needs("read_units"))
async def list_units(desk: OneDesk, person: Person, kind: UnitKind | None = None) -> UnitList:
    """All units by code, the closed ones too."""
    found = await units.list_units(desk, person, kind=kind)
    return UnitList(units=[UnitShape.model_validate(unit) for unit in found])


@router.post("", status_code=201, openapi_extra=needs("manage_people"))
async def add(given: NewUnit, desk: OneDesk, person: Person) -> Made:
    """Add a unit; `parent` is the code of the unit above it."""
    return Made(id=await units.add(desk, person, given))


@router.put("/{unit_id}", status_code=204, openapi_extra=needs("manage_people"))
async def change(unit_id: UUID, given: UnitChange, desk: OneDesk, person: Person) -> None:
    """Rename the unit, or put it below another one."""
    await units.change(desk, person, unit_id, given.version, given.given())


@router.post("/{unit_id}/close", status_code=204, openapi_extra=needs("manage_people"))
async def close(unit_id: UUID, given: Closing, desk: OneDesk, person: Person) -> None:
    """Close the unit, when nobody belongs to it any more."""
    await units.close(desk, person, unit_id, given.version, given.on)
