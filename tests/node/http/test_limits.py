"""A request's body is counted while it arrives: a lying header changes nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from node.http.limits import MAXIMUM_BODY, BodyLimit


class Echo:
    """Answers with how many bytes it was given, and remembers whether it was asked at all."""

    def __init__(self) -> None:
        self.asked = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked = True
        size, more = 0, True
        while more:
            message = await receive()
            size += len(message.get("body", b""))
            more = message.get("more_body", False)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": str(size).encode()})


@pytest.mark.parametrize("claimed", [None, b"0", b"10", b"-1", b"many", b"99999999999"])
@pytest.mark.parametrize("pieces", [1, 7])
async def test_a_body_over_the_limit_is_refused_whatever_its_header_claims(
    claimed: bytes | None, pieces: int
) -> None:
    application = Echo()
    status, body = await _post(application, [b"x" * (1001 // pieces + 1)] * pieces, claimed)
    assert (status, json.loads(body)["code"]) == (413, "http.413")
    assert not application.asked


@pytest.mark.parametrize("claimed", [None, b"0", b"99999999999"])
async def test_a_body_within_the_limit_arrives_whole_whatever_its_header_claims(
    claimed: bytes | None,
) -> None:
    assert await _post(Echo(), [b"x" * 999, b"x"], claimed) == (200, b"1000")


async def test_a_refused_body_is_not_read_to_its_end() -> None:
    read: list[Message] = []
    await _post(Echo(), [b"x" * 600] * 100, None, read=read)
    assert len(read) == 2


async def test_a_client_that_goes_away_in_the_middle_is_not_answered() -> None:
    application = Echo()
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await BodyLimit(application, 1000)({"type": "http"}, receive, send)
    assert sent == []
    assert not application.asked


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/files", 200),
        ("PUT", "/files", 413),
        ("POST", "/files/x", 413),
        ("POST", "/", 413),
    ],
)
async def test_only_where_bytes_are_counted_elsewhere_a_large_body_passes_as_it_comes(
    method: str, path: str, status: int
) -> None:
    application = Echo()
    answer = await _post(application, [b"x" * 600] * 3, None, method=method, path=path)
    assert (answer[0], application.asked) == (status, status == 200)


async def test_what_is_not_http_passes_untouched() -> None:
    application = Echo()

    async def receive() -> Message:
        return {"type": "lifespan.startup"}

    async def send(_: Message) -> None:
        return

    await BodyLimit(application, 1000)({"type": "lifespan"}, receive, send)
    assert application.asked


def test_the_limit_leaves_room_for_the_longest_text_that_an_office_may_allow() -> None:
    longest = json.dumps({"body": "\U0002a6a5" * 20_000})  # twelve bytes a sign, escaped
    assert len(longest) * 2 < MAXIMUM_BODY


async def _post(
    application: Any,
    pieces: Sequence[bytes],
    claimed: bytes | None,
    *,
    read: list[Message] | None = None,
    method: str = "POST",
    path: str = "/",
) -> tuple[int, bytes]:
    waiting: list[Message] = [
        {"type": "http.request", "body": piece, "more_body": number < len(pieces)}
        for number, piece in enumerate(pieces, start=1)
    ]
    sent: list[Message] = []

    async def receive() -> Message:
        message = waiting.pop(0)
        if read is not None:
            read.append(message)
        return message

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [] if claimed is None else [(b"content-length", claimed)]
    scope = {"type": "http", "method": method, "path": path, "headers": headers}
    limit = BodyLimit(application, 1000, counted_elsewhere=[("POST", "/files")])
    await limit(scope, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])
