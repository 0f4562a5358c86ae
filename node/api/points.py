"""The rules by which an office's authors get points."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal, Self

from fastapi import APIRouter
from pydantic import BaseModel

from node.api.permission import needs
from node.http.session import OneDesk, Person
from node.workflow import points
from node.workflow.points import Kind, Rules, RulesView
from node.workflow.tallies import Level

router = APIRouter(tags=["points"])


class RulesShape(BaseModel):
    """The rules that were set last; version 0, and nothing else, where none ever were."""

    version: int
    from_year: int | None
    worth: dict[Kind, dict[Level, Decimal]]
    levels: Literal["sum", "highest"] | None
    authors: Literal["whole", "parts"] | None
    set_at: datetime | None
    set_by: str | None

    @classmethod
    def of(cls, view: RulesView) -> Self:
        rules = view.rules
        return cls(
            version=view.version,
            from_year=rules.from_year if rules else None,
            worth={kind: dict(worth) for kind, worth in rules.worth.items()} if rules else {},
            levels=rules.levels if rules else None,
            authors=rules.authors if rules else None,
            set_at=view.set_at,
            set_by=view.set_by,
        )


class RulesVersion(BaseModel):
    """The version that counts now."""

    version: int


@router.get("/points", openapi_extra=needs("configure_desk"))
async def rules(desk: OneDesk, person: Person) -> RulesShape:
    """The rules that were set last."""
    return RulesShape.of(await points.show(desk, person))


@router.put("/points", openapi_extra=needs("configure_desk"))
async def set_rules(given: Rules, desk: OneDesk, person: Person) -> RulesVersion:
    """Let these rules count from a year on; they name the version of which they were made."""
    return RulesVersion(version=await points.set_rules(desk, person, given))
