"""A limit on request bodies, counted while they arrive, so that a lying header changes nothing."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from node.http import problems

MAXIMUM_BODY = 1024 * 1024
"""Bytes. The longest text allowed is far below it."""


class BodyLimit:
    """ASGI middleware: answers 413 to a body over the limit."""

    def __init__(self, application: ASGIApp, maximum: int = MAXIMUM_BODY) -> None:
        self._application = application
        self._maximum = maximum

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
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
