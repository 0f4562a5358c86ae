"""Open pages hear of what happens in the office, whichever process did it."""

from __future__ import annotations

import asyncio

from node.web.live import Board
from node.web.notices import _stream
from tests.node.rooms import Room


async def test_a_page_is_told_how_many_notices_are_unread_as_soon_as_one_comes(
    county: Room,
) -> None:
    board = Board(county.database.watch)
    stream = _stream(board, county.desk, county.lin)
    assert await anext(stream) == "retry: 3000\n\n"
    waiting = asyncio.create_task(anext(stream))
    await county.registered()
    told = {await waiting}
    while "event: told\ndata: 1\n\n" not in told:
        told.add(await anext(stream))
    await stream.aclose()


async def test_a_stopping_server_waits_for_no_page(leaf: Room) -> None:
    board = Board(leaf.database.watch)
    stream = _stream(board, leaf.desk, leaf.lin)
    await anext(stream)
    waiting = asyncio.create_task(anext(stream))
    await asyncio.sleep(0)
    board.close()
    await waiting
    assert [line async for line in stream] == []
