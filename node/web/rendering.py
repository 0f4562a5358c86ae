"""Pages out of templates: what every one of them has, and what a browser may do with it."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from node.http import session
from node.web import display, language, navigation, wording
from node.workflow import access, phrases, reading
from node.workflow.desk import Actor, Desk

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"
OFFICE_TIME = ZoneInfo("Asia/Shanghai")
POLICY = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
FILES: dict[str, str] = {
    "style.css": "text/css",
    "icon.svg": "image/svg+xml",
    "pages.js": "text/javascript",
    "public.js": "text/javascript",
    "vendor/htmx-2.0.11.min.js": "text/javascript",
    "vendor/htmx-sse-2.2.4.min.js": "text/javascript",
}
"""Everything that pages load, with its media type."""


def _when(moment: datetime) -> str:
    return moment.astimezone(OFFICE_TIME).strftime("%Y年%-m月%-d日 %H:%M")


def _day(moment: datetime | date) -> str:
    if isinstance(moment, datetime):
        moment = moment.astimezone(OFFICE_TIME)
    return moment.strftime("%Y年%-m月%-d日")


def address_of(name: str) -> str:
    """The address of a file, which changes with its contents, so that browsers may keep it."""
    return f"/static/{name}?v={_VERSIONS[name]}"


_VERSIONS = {name: sha256((STATIC / name).read_bytes()).hexdigest()[:12] for name in FILES}


@cache
def _environment(spoken: str) -> Environment:
    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    texts = language.texts(spoken)
    made.install_gettext_translations(texts, newstyle=True)  # type: ignore[attr-defined]
    made.filters |= {"when": _when, "day": _day, "t": texts.gettext}
    made.globals |= {
        "words": phrases,
        "static": address_of,
        "spoken": spoken,
        "CALLS": wording.CALLS,
        "POINTS": wording.POINTS,
        "LEVELS_COUNT": wording.LEVELS_COUNT,
        "AUTHORS_COUNT": wording.AUTHORS_COUNT,
        "MASTHEADS": wording.MASTHEADS,
        "ENROLMENTS": wording.ENROLMENTS,
        "doings": wording.DOINGS,
        "names": wording.FIELDS,
        "marked": wording.marked,
        "journey": wording.journey,
        "next_step": wording.next_step,
        "grounds": wording.grounds,
        "whole": wording.whole,
    }
    return made


async def page(
    request: Request, visitor: Actor | None, template: str, *, status: int = 200, **content: Any
) -> HTMLResponse:
    """The whole page. `done` in the address names what was just done."""
    desk = session.desk_of(request)
    shown = display.of(request)
    html = (
        _environment(shown.language)
        .get_template(template)
        .render(
            office=desk.office,
            own=desk.node,
            visitor=visitor,
            display=shown,
            path=request.url.path,
            here=_here(request),
            done=request.query_params.get("done"),
            navigation=navigation.of(visitor),
            choices=display,
            unread=await _unread(desk, visitor),
            token=lambda: _token(request),
            may=lambda action: visitor is not None and access.allows(visitor, action),
            **content,
        )
    )
    return HTMLResponse(html, status_code=status, headers=HEADERS)


def _token(request: Request) -> Markup:
    """The field that every form carries (`routing.own_form`)."""
    field = Markup('<input type="hidden" name="csrf" value="{}">')
    return field.format(session.form_token(request))


def _here(request: Request) -> str:
    """The page's own address, for coming back to it; of what a form was sent to, its page's."""
    if request.method == "POST":
        return "/"
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path


async def _unread(desk: Desk, visitor: Actor | None) -> int:
    if visitor is None or access.AUTHOR not in visitor.roles:
        return 0
    return await reading.unread(desk, visitor)
