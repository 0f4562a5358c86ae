"""A limit on request bodies, counted while they arrive, so that a lying header changes nothing.

Files are handed in at one address, whose route counts the bytes itself and keeps none in memory; a
form with a file in it is passed on as it comes, and breaks off at its own limit.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from node.errors import FileTooLargeError
from node.http import problems

MAXIMUM_BODY = 1024 * 1024
"""Bytes. The longest text allowed is far below it."""


class BodyLimit:
    """ASGI middleware: answers 413 to a body over the limit.

    Requests with a method and path in `counted_elsewhere` are passed on as they come.
    """

    def __init__(
        self,
        application: ASGIApp,
        maximum: int = MAXIMUM_BODY,
        counted_elsewhere: Collection[tuple[str, str]] = (),
        larger: Sequence[tuple[str, re.Pattern[str], int]] = (),
    ) -> None:
        self._application = application
        self._maximum = maximum
        self._counted_elsewhere = frozenset(counted_elsewhere)
        self._larger = tuple(larger)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            scope["type"] != "http"
            or (scope.get("method"), scope.get("path")) in self._counted_elsewhere
        ):
            await self._application(scope, receive, send)
            return
        limit = self._limit(scope.get("method", ""), scope.get("path", ""))
        if limit is not None:
            await self._application(scope, _counting(receive, limit), send)
            return
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self._maximum:
                detail = f"a request may have {self._maximum} bytes"
                answer = problems.document("http.413", problems.PLAIN[413], 413, detail)
                await answer(scope, receive, send)
                return
        waiting: list[Message] = [{"type": "http.request", "body": bytes(body)}]

        async def replay() -> Message:
            return waiting.pop() if waiting else await receive()

        await self._application(scope, replay, send)

    def _limit(self, method: str, path: str) -> int | None:
        for one, pattern, limit in self._larger:
            if one == method and pattern.fullmatch(path):
                return limit
        return None


def _counting(receive: Receive, limit: int) -> Receive:
    arrived = 0

    async def counted() -> Message:
        nonlocal arrived
        message = await receive()
        if message["type"] == "http.request":
            arrived += len(message.get("body", b""))
            if arrived > limit:
                raise FileTooLargeError(f"a request may have {limit} bytes")
        return message

    return counted
