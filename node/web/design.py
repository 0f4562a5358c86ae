"""Every component of the pages in all its states, for those who work on them; off in an office."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from node.http.session import OneDesk, Web
from node.web.forms import WRONG, Fields
from node.web.mistakes import Told
from node.web.rendering import page
from node.web.routing import Maybe, PageRoute
from node.workflow import phrases
from protocol.lifecycle import State
from protocol.messages.items import LEVELS

router = APIRouter(route_class=PageRoute)

MISTAKEN = Told(
    "提交的内容有误，请按提示改正。",
    None,
    422,
    {"title": WRONG["missing"], "body": WRONG["missing"]},
)
AT = datetime(2026, 11, 20, 1, 30, tzinfo=UTC)


@router.get("/design")
async def design(request: Request, desk: OneDesk, visitor: Maybe, web: Web) -> Response:
    """The components, where `[web] design` says so."""
    if not web.design:
        raise HTTPException(404)
    return await page(
        request,
        visitor,
        "design.html",
        levels=[(level, phrases.CLASSIFICATIONS[level]) for level in LEVELS],
        items=[_item(state) for state in State],
        told=MISTAKEN,
        nobody=Fields([]),
        entered=Fields([("filled", "老旧小区电动自行车充电难"), ("chosen", LEVELS[0])]),
        at=AT,
    )


def _item(state: State) -> SimpleNamespace:
    """What a template reads of an item in a list."""
    return SimpleNamespace(state=state, closed=False, urgency="normal", standings={})
