"""The office's code table of topics: adding, renaming, retiring and putting in order."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from node.errors import InputError
from node.http.session import OneDesk, Person
from node.web.forms import WRONG, Entered, Fields, MistakenError, record
from node.web.mistakes import Told, told
from node.web.rendering import page
from node.web.routing import PageRoute, back
from node.workflow import access, topics
from node.workflow.desk import Actor, Desk
from node.workflow.topics import MOST, Entry, Table
from protocol.errors import ZhitongError

router = APIRouter(route_class=PageRoute)

EMPTY = 3
"""Rows for new topics that the form offers."""
PARTS = {"code": "代码", "name": "名称", "topic": "上报时归入"}
CODES = "代码用小写英文字母开头，只含小写字母、数字和下划线，最多 20 个"


@router.get("/topics")
async def table(request: Request, desk: OneDesk, person: Person) -> Response:
    """The table that counts, in a form."""
    access.demand(person, "configure_desk")
    return await _page(request, desk, person)


@router.post("/topics")
async def set_table(request: Request, desk: OneDesk, person: Person, entered: Entered) -> Response:
    """Let this table count from now on."""
    access.demand(person, "configure_desk")
    try:
        wanted = Table(version=entered.number("version"), topics=_entries(entered))
        await topics.set_table(desk, person, wanted)
    except ZhitongError as error:
        return await _page(request, desk, person, entered, told(error))
    return back("/topics", "topics")


def _entries(entered: Fields) -> tuple[Entry, ...]:
    """The rows that have a name, in the order of their places."""
    found: list[tuple[int, Entry]] = []
    for row in range(MOST + EMPTY):
        if not entered.text(f"name-{row}"):
            if entered.text(f"code-{row}") and not entered.text(f"kept-{row}"):
                raise InputError(f"第 {row + 1} 行：请填写名称")
            continue
        content = {name: entered.text(f"{name}-{row}") for name in PARTS}
        try:
            place = entered.number(f"place-{row}") if entered.text(f"place-{row}") else MOST
            entry = record(Entry, **content, retired=entered.flag(f"retired-{row}"))
        except MistakenError as error:
            name = next(iter(error.fields)).partition("-")[0]
            words = CODES if name == "code" else error.fields.get(name, WRONG["int_parsing"])
            raise InputError(f"第 {row + 1} 行，{PARTS.get(name, '次序')}：{words}") from error
        found.append((place, entry))
    if not found:
        raise InputError("至少保留一个在用的领域")
    if len(found) > MOST:
        raise InputError(f"最多 {MOST} 个领域")
    return tuple(entry for _, entry in sorted(found, key=lambda one: one[0]))


async def _page(
    request: Request,
    desk: Desk,
    person: Actor,
    entered: Fields | None = None,
    told: Told | None = None,
) -> Response:
    table = await topics.show(desk, person)
    if entered is None:
        pairs = [("version", str(table.version))]
        for row, entry in enumerate(table.topics):
            pairs += [
                (f"place-{row}", str(row + 1)),
                (f"code-{row}", entry.code),
                (f"kept-{row}", "1"),
                (f"name-{row}", entry.name),
                (f"topic-{row}", entry.topic),
                (f"retired-{row}", "1" if entry.retired else ""),
            ]
        entered = Fields(pairs)
    kept = sum(1 for row in range(MOST) if entered.text(f"kept-{row}"))
    return await page(
        request,
        person,
        "topics.html",
        status=told.status if told else 200,
        table=table,
        rows=range(kept + EMPTY),
        entered=entered,
        told=told,
    )
