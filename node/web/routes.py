"""The plain pages: login, the list, and an item with its timeline across all levels."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from node.errors import NodeError
from node.http import session
from node.http.session import OneDesk, Web
from node.people_errors import LockedOutError, NotLoggedInError, WrongPasswordError
from node.workflow import access, phrases, reading, refusals
from node.workflow.desk import Actor, Desk
from protocol.lifecycle import State
from protocol.offices import BIGGEST

FOLDER = Path(__file__).parent
OFFICE_TIME = ZoneInfo("Asia/Shanghai")

router = APIRouter(include_in_schema=False, dependencies=[Depends(session.same_origin)])


def _when(moment: datetime) -> str:
    return moment.astimezone(OFFICE_TIME).strftime("%Y年%-m月%-d日 %H:%M")


templates = Environment(
    loader=FileSystemLoader(FOLDER / "templates"),
    autoescape=select_autoescape(),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
templates.filters["when"] = _when
templates.globals["words"] = phrases


async def _visitor(request: Request, desk: OneDesk) -> Actor | None:
    try:
        return await session.settled(await session.actor(request, desk))
    except NotLoggedInError:
        return None


Visitor = Annotated[Actor | None, Depends(_visitor)]


@router.get("/style.css")
async def style() -> FileResponse:
    """The one style sheet."""
    return FileResponse(FOLDER / "static" / "style.css", media_type="text/css")


@router.get("/icon.svg")
async def icon() -> FileResponse:
    """The picture beside the title, of levels on one line."""
    return FileResponse(FOLDER / "static" / "icon.svg", media_type="image/svg+xml")


@router.get("/login")
async def login_page(desk: OneDesk) -> HTMLResponse:
    """The form."""
    return _page("login.html", desk, None, problem=None, username="")


@router.post("/login")
async def log_in(
    request: Request,
    desk: OneDesk,
    settings: Web,
    username: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
) -> Response:
    """Log in and go to the list."""
    answer = RedirectResponse("/", status_code=303)
    try:
        await session.begin(request, answer, desk, settings, username, password)
    except (WrongPasswordError, LockedOutError) as error:
        return _page(
            "login.html", desk, None, status=error.status, problem=error.message, username=username
        )
    return answer


@router.post("/logout")
async def log_out(request: Request, desk: OneDesk) -> Response:
    """Log out."""
    answer = RedirectResponse("/login", status_code=303)
    await session.end(request, answer, desk)
    return answer


@router.get("/")
async def item_list(
    desk: OneDesk,
    visitor: Visitor,
    state: State | None = None,
    offset: Annotated[int, Query(ge=0, le=BIGGEST)] = 0,
) -> Response:
    """The items that the visitor may see."""
    if visitor is None:
        return RedirectResponse("/login", status_code=303)
    if not access.allows(visitor, "read"):
        return _page("empty.html", desk, visitor)
    page = await reading.list_items(desk, visitor, state=state, offset=offset)
    return _page(
        "list.html",
        desk,
        visitor,
        page=page,
        state=state,
        offset=offset,
        size=reading.PAGE,
        states=list(State),
    )


@router.get("/notices")
async def notices(desk: OneDesk, visitor: Visitor) -> Response:
    """What the visitor was told."""
    if visitor is None:
        return RedirectResponse("/login", status_code=303)
    if not access.allows(visitor, "read"):
        return _page("empty.html", desk, visitor)
    page = await reading.notices(desk, visitor)
    await reading.mark_read(desk, visitor)
    return _page("notices.html", desk, visitor, page=page)


@router.get("/items/{item_id}")
async def item(item_id: UUID, desk: OneDesk, visitor: Visitor) -> Response:
    """One item with its timeline."""
    if visitor is None:
        return RedirectResponse("/login", status_code=303)
    try:
        view = await reading.view(desk, visitor, item_id)
    except NodeError as error:
        if error.refused is not None:
            await refusals.note(desk, error.refused)
        return _page("problem.html", desk, visitor, status=error.status, problem=error.message)
    return _page("item.html", desk, visitor, view=view)


def _page(
    template: str, desk: Desk, visitor: Actor | None, *, status: int = 200, **content: Any
) -> HTMLResponse:
    html = templates.get_template(template).render(
        office=desk.office, visitor=visitor, own=desk.node, **content
    )
    return HTMLResponse(
        html,
        status_code=status,
        headers={
            "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'",
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )
