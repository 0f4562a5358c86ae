"""Notices to an author, and the stream that tells open pages of something new (SSE).

A stream lasts ten minutes at most, after which the browser asks anew: so it ends with its session,
and a stopping server waits for none.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from node.http.session import OneDesk, Person
from node.web.live import Board
from node.web.rendering import page
from node.web.routing import PageRoute, back, done_in_place
from node.workflow import access, reading
from node.workflow.desk import Actor, Desk

router = APIRouter(route_class=PageRoute)

LONGEST_SECONDS = 600.0
PULSE_SECONDS = 15.0
"""Between two words to a browser that there is nothing new, by which a gone one is noticed."""


@router.get("/notices")
async def notices(request: Request, desk: OneDesk, person: Person) -> Response:
    """What the visitor was told. That it was read is told by its form, which a script sends."""
    found = await reading.notices(desk, person)
    return await page(request, person, "notices.html", rows=found.rows, total=found.total)


@router.post("/notices/read")
async def mark_read(request: Request, desk: OneDesk, person: Person) -> Response:
    """The visitor has seen all of it."""
    await reading.mark_read(desk, person)
    return done_in_place(request) or back("/notices")


@router.get("/live")
async def live(request: Request, desk: OneDesk, person: Person) -> Response:
    """`told` with the number of unread notices, whenever something happened here."""
    access.demand(person, "own_account")
    board: Board = request.app.state.board
    return StreamingResponse(
        _stream(board, desk, person),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _stream(board: Board, desk: Desk, person: Actor) -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    until = loop.time() + LONGEST_SECONDS
    seen = board.count
    yield "retry: 3000\n\n"
    while loop.time() < until and not board.closing:
        with suppress(TimeoutError):
            seen = await asyncio.wait_for(board.after(seen), PULSE_SECONDS)
            yield f"event: told\ndata: {await _unread(desk, person)}\n\n"
            continue
        yield ": nothing new\n\n"


async def _unread(desk: Desk, person: Actor) -> int:
    return await reading.unread(desk, person) if access.allows(person, "read") else 0
