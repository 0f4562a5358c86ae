"""Logging in and out."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from node.api.permission import FOR_ANYONE, needs
from node.api.shapes import Credentials, PersonShape
from node.http import session
from node.http.session import OneDesk, Person, Web

router = APIRouter(prefix="/session", tags=["session"])


@router.post("", status_code=204, openapi_extra=FOR_ANYONE)
async def log_in(
    given: Credentials, request: Request, desk: OneDesk, settings: Web, response: Response
) -> None:
    """Log in; the session is kept in a cookie."""
    await session.begin(request, response, desk, settings, given.username, given.password)


@router.get("", openapi_extra=needs("own_account"))
async def who(person: Person) -> PersonShape:
    """Who is logged in."""
    return PersonShape.of(person)


@router.delete("", status_code=204, openapi_extra=FOR_ANYONE)
async def log_out(request: Request, desk: OneDesk, response: Response) -> None:
    """Log out."""
    await session.end(request, response, desk)
