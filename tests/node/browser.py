"""A person at a browser or a program: one office's application, without a network."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cache
from hashlib import sha256
from unittest.mock import Mock

import httpx
from fastapi import FastAPI

from node.bootstrap import application
from node.config import LimitSettings, WebSettings
from node.http.attempts import Attempts
from node.http.session import COOKIE
from tests.node.rooms import Room
from tests.offices import PASSWORD

ADDRESS = "https://donghu.test"
PROBLEM = "application/problem+json"


WEB = WebSettings(design=True)


@asynccontextmanager
async def visit(
    room: Room, username: str | None = None, *, failing: bool = False, web: WebSettings = WEB
) -> AsyncIterator[httpx.AsyncClient]:
    """The office's pages and API, logged in when a user name is given.

    `failing` is for tests that make the application fail, and want to see its answer.
    """
    pages = _pages(room.desk.node)
    pages.state.desk, pages.state.web = room.desk, web
    pages.state.attempts = Attempts()
    pages.state.strangers = Attempts()
    transport = httpx.ASGITransport(pages, raise_app_exceptions=not failing)
    async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as client:
        if username is not None:
            answer = await log_in(client, username)
            assert answer.status_code == 204, answer.text
        yield client


async def log_in(
    client: httpx.AsyncClient, username: str, password: str = PASSWORD
) -> httpx.Response:
    """Ask for a session."""
    return await client.post("/api/v1/session", json={"username": username, "password": password})


async def send(
    client: httpx.AsyncClient, path: str, content: Mapping[str, str | list[str]] | None = None
) -> httpx.Response:
    """Send a form of a page of this session."""
    cookies = client.cookies.items()
    token = next((value for name, value in cookies if name.startswith(COOKIE)), "")
    shown = {"csrf": sha256(b"zhitong form " + token.encode()).hexdigest()} if token else {}
    return await client.post(path, data={**(content or {}), **shown})


@cache
def _pages(office: str) -> FastAPI:
    # Building it takes longer than most tests; all it keeps is its state, which `visit` sets.
    desk = Mock(
        **{
            "office.name": office,
            "limits.file_bytes": LimitSettings().file_bytes,
            "limits.item_bytes": LimitSettings().item_bytes,
        }
    )
    return application.build(desk, WebSettings())


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, object]:
    """The problem document that was expected, whole and well-formed."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM), answer.text
    document: dict[str, object] = answer.json()
    assert document.keys() - {"errors", "stored"} == {"type", "title", "status", "detail", "code"}
    assert (document["status"], document["code"]) == (status, code)
    assert document["type"] == f"urn:zhitong:problem:{code}"
    assert any("\u4e00" <= sign <= "\u9fff" for sign in str(document["title"]))
    assert document["detail"]
    return document
