"""Logging in and out, and one's own password."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from node.api.people_shapes import NewPassword
from node.api.permission import FOR_ANYONE, needs
from node.api.shapes import Credentials, PersonShape
from node.http import session
from node.http.session import AnyPerson, OneDesk, Token, Web
from node.workflow import logins

router = APIRouter(prefix="/session", tags=["session"])


@router.post("", status_code=204, openapi_extra=FOR_ANYONE)
async def log_in(
    given: Credentials, request: Request, desk: OneDesk, settings: Web, response: Response
) -> None:
    """Log in; the session is kept in a cookie."""
    await session.begin(request, response, desk, settings, given.username, given.password)


@router.get("", openapi_extra=needs("own_account"))
async def who(person: AnyPerson) -> PersonShape:
    """Who is logged in, and whether the password must be changed first."""
    return PersonShape.of(person)


@router.put("/password", status_code=204, openapi_extra=needs("own_account"))
async def change_password(
    given: NewPassword, desk: OneDesk, person: AnyPerson, token: Token
) -> None:
    """Change your own password; your other sessions end."""
    await logins.change_password(desk, person, token, old=given.old, new=given.new)


@router.delete("", status_code=204, openapi_extra=FOR_ANYONE)
async def log_out(request: Request, desk: OneDesk, response: Response) -> None:
    """Log out."""
    await session.end(request, response, desk)
