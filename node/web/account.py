"""Signing in and out, one's own password, and how pages are shown."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from node.http import session
from node.http.session import AnyPerson, OneDesk, Person, Token, Web
from node.people_errors import (
    DifferentPasswordsError,
    LockedOutError,
    OldPasswordError,
    WeakPasswordError,
    WrongPasswordError,
)
from node.web import display, navigation
from node.web.forms import Entered, Fields
from node.web.rendering import page
from node.web.routing import Maybe, PageRoute, back, local
from node.workflow import logins

router = APIRouter(route_class=PageRoute)


@router.get("/")
async def home(person: Person) -> Response:
    """To the page where the visitor's work begins."""
    return RedirectResponse(navigation.home(person), status_code=303)


@router.get("/login")
async def login_page(request: Request, next: str | None = None) -> Response:
    """The form."""
    return await page(request, None, "login.html", problem=None, username="", next=local(next))


@router.post("/login")
async def log_in(request: Request, desk: OneDesk, settings: Web, entered: Entered) -> Response:
    """Sign in and go where the visitor wanted to, or where his work begins."""
    username, next = entered.text("username"), local(entered.optional("next"))
    answer = RedirectResponse(next or "/", status_code=303)
    try:
        await session.begin(request, answer, desk, settings, username, entered.raw("password"))
    except (WrongPasswordError, LockedOutError) as error:
        return await page(
            request,
            None,
            "login.html",
            status=error.status,
            problem=error.message,
            username=username,
            next=next,
        )
    return answer


@router.post("/logout")
async def log_out(request: Request, desk: OneDesk) -> Response:
    """Sign out."""
    answer = RedirectResponse("/login", status_code=303)
    await session.end(request, answer, desk)
    return answer


@router.get("/password")
async def password_page(request: Request, person: AnyPerson) -> Response:
    """The form for a new password."""
    return await page(request, person, "password.html", problem=None)


@router.post("/password")
async def change_password(
    request: Request, desk: OneDesk, person: AnyPerson, token: Token, entered: Entered
) -> Response:
    """Change one's own password; one's other sessions end."""
    try:
        new = _the_same(entered, "new", "again")
        await logins.change_password(desk, person, token, old=entered.raw("old"), new=new)
    except (OldPasswordError, WeakPasswordError, DifferentPasswordsError) as error:
        return await page(
            request, person, "password.html", status=error.status, problem=error.message
        )
    return back("/", "password")


@router.get("/display")
async def display_page(request: Request, visitor: Maybe, back: str | None = None) -> Response:
    """The choices."""
    return await page(request, visitor, "display.html", back=local(back) or "/")


@router.post("/display")
async def choose_display(request: Request, entered: Entered) -> Response:
    """Keep what was chosen and go back."""
    answer = back(local(entered.optional("back")) or "/")
    wanted = display.chosen(*(entered.text(name) for name in ("theme", "text", "language")))
    display.keep(request, answer, wanted)
    return answer


def _the_same(entered: Fields, one: str, other: str) -> str:
    if entered.raw(one) != entered.raw(other):
        raise DifferentPasswordsError
    return entered.raw(one)
