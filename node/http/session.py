"""Who asks: the session cookie, and the dependencies that routes name.

The cookie is HttpOnly and SameSite=Strict, requests that change something must come from the same
origin, and the forms of pages carry a token that only pages of this session have: another site can
neither read the session nor use it.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from hashlib import sha256
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response

from node.config import WebSettings
from node.errors import ForbiddenError
from node.people_errors import NotLoggedInError, PasswordChangeError
from node.workflow import logins
from node.workflow.desk import Actor, Desk

COOKIE = "zhitong_session_"
"""Before the office's id: several offices may be served on one host, whose ports share cookies."""

LONGEST_ADDRESS = 60
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def desk_of(request: Request) -> Desk:
    """The office that this application serves."""
    desk: Desk = request.app.state.desk
    return desk


def web_settings(request: Request) -> WebSettings:
    """How pages are served."""
    settings: WebSettings = request.app.state.web
    return settings


def address_of(request: Request) -> str:
    """The client's address: from behind a trusted proxy, the one that the proxy saw."""
    # Without one where the server listens on a socket in the file system.
    return "local" if request.client is None else request.client.host[:LONGEST_ADDRESS]


OneDesk = Annotated[Desk, Depends(desk_of)]
Web = Annotated[WebSettings, Depends(web_settings)]


def cookie_of(office: str) -> str:
    """The name of the cookie that keeps a session at this office."""
    return f"{COOKIE}{office}"


def _shown(request: Request) -> str | None:
    return request.cookies.get(cookie_of(desk_of(request).node))


async def token_of(request: Request) -> str:
    """The token of the request's session. Raises `NotLoggedInError` where it carries none."""
    token = _shown(request)
    if token is None:
        raise NotLoggedInError
    return token


Token = Annotated[str, Depends(token_of)]


async def actor(request: Request, desk: OneDesk) -> Actor:
    """Who is logged in, perhaps with a one-time password. Raises `NotLoggedInError`."""
    token = await token_of(request)
    return await logins.by_session(desk, token, came_from=address_of(request))


AnyPerson = Annotated[Actor, Depends(actor)]
"""Who is logged in, also with a one-time password: for looking who one is and for changing it."""


async def settled(person: AnyPerson) -> Actor:
    """Who is logged in with a password of his own. Raises `PasswordChangeError`."""
    if person.must_change:
        raise PasswordChangeError
    return person


Person = Annotated[Actor, Depends(settled)]


async def same_origin(request: Request) -> None:
    """Refuses a changing request that another site's page sent (its Origin names that site)."""
    origin = request.headers.get("origin")
    if request.method in SAFE or origin is None:
        return
    if urlsplit(origin).netloc != request.headers.get("host"):
        raise ForbiddenError(f"the request comes from {origin}, not from this site")


def form_token(request: Request) -> str:
    """What the forms of this session's pages carry; it tells nothing of the cookie."""
    token = _shown(request)
    return "" if token is None else sha256(b"zhitong form " + token.encode()).hexdigest()


async def begin(
    request: Request,
    response: Response,
    desk: Desk,
    settings: WebSettings,
    username: str,
    password: str,
) -> None:
    """Log in and set the cookie. Raises `WrongPasswordError` or `LockedOutError`."""
    lasts = timedelta(hours=settings.session_hours)
    token = await logins.log_in(
        desk,
        username,
        password,
        lasts=lasts,
        new_token=_new_token,
        came_from=address_of(request),
    )
    response.set_cookie(
        cookie_of(desk.node),
        token,
        max_age=int(lasts.total_seconds()),
        httponly=True,
        secure=settings.secure_cookies,
        samesite="strict",
    )


async def end(request: Request, response: Response, desk: Desk) -> None:
    """Log out and remove the cookie."""
    token = _shown(request)
    if token is not None:
        await logins.log_out(desk, token)
    response.delete_cookie(cookie_of(desk.node))


def _new_token() -> str:
    return secrets.token_urlsafe(32)
