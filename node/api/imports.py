"""Importing people, units and items from spreadsheets, and the empty ones to fill in."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal, Self
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from node.api import bodies
from node.api.permission import needs
from node.http.session import OneDesk, Person
from node.people_errors import SpreadsheetError
from node.workflow import access, imports, templates
from node.workflow.desk import Actor, Desk
from node.workflow.imports import Kind, Outcome
from node.workflow.items_import import ITEMS
from node.workflow.people_import import PEOPLE
from node.workflow.spreadsheets import MOST_BYTES
from node.workflow.units_import import UNITS
from protocol.messages.items import FileName

router = APIRouter(prefix="/imports", tags=["imports"])

KINDS = {"people": (PEOPLE, "人员"), "units": (UNITS, "单位")}
What = Literal["people", "units"]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class MistakeShape(BaseModel):
    """What is wrong, and where; `column` is empty where it is the whole row."""

    row: int
    column: str | None
    message: str


class OutcomeShape(BaseModel):
    """What became of the file, or of a dry run what would. At most 200 mistakes are listed."""

    rows: int
    added: int
    changed: int
    unchanged: int
    mistakes: list[MistakeShape]
    done: bool

    @classmethod
    def of(cls, outcome: Outcome) -> Self:
        return cls(
            rows=outcome.rows,
            added=outcome.added,
            changed=outcome.changed,
            unchanged=outcome.unchanged,
            mistakes=[
                MistakeShape(row=one.row, column=one.heading, message=one.message)
                for one in outcome.mistakes
            ],
            done=outcome.done,
        )


@router.get("/items/template", response_class=Response, openapi_extra=needs("submit_on_behalf"))
async def items_template(person: Person) -> Response:
    """An empty spreadsheet for items that came by letter or telephone."""
    access.demand(person, "submit_on_behalf")
    return await _template(ITEMS, "信息")


@router.post("/items", openapi_extra=bodies.FILE | needs("submit_on_behalf"))
async def import_items(
    request: Request,
    name: Annotated[FileName, Query()],
    desk: OneDesk,
    person: Person,
    dry_run: bool = False,
) -> OutcomeShape:
    """Hand in the items of the file that is the body, all or none; a dry run tells the mistakes."""
    return await _import(request, desk, person, ITEMS, name, dry_run=dry_run)


@router.get("/{what}/template", response_class=Response, openapi_extra=needs("manage_people"))
async def template(what: What, person: Person) -> Response:
    """An empty spreadsheet with the headings, and a sheet that explains them."""
    access.demand(person, "manage_people")
    return await _template(*KINDS[what])


async def _template(kind: Kind, title: str) -> Response:
    data = await asyncio.to_thread(templates.make, kind, title)
    name = quote(f"{title}导入模板.xlsx")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
    return Response(data, media_type=XLSX, headers=headers)


@router.post("/{what}", openapi_extra=bodies.FILE | needs("manage_people"))
async def carry_out(
    what: What,
    request: Request,
    name: Annotated[FileName, Query()],
    desk: OneDesk,
    person: Person,
    dry_run: bool = False,
) -> OutcomeShape:
    """Import the file that is the body, all of it or nothing; a dry run only tells the mistakes."""
    return await _import(request, desk, person, KINDS[what][0], name, dry_run=dry_run)


async def _import(
    request: Request, desk: Desk, person: Actor, kind: Kind, name: str, *, dry_run: bool
) -> OutcomeShape:
    access.demand(person, kind.permission)
    too_large = SpreadsheetError(f"文件超过 {MOST_BYTES // 1024 // 1024} MB")
    data = await bodies.read(request, MOST_BYTES, too_large)
    outcome = await imports.carry_out(desk, person, kind, name, data, dry_run=dry_run)
    return OutcomeShape.of(outcome)
