"""What holds for every page: who is signed in, where forms come from, and errors as pages."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Coroutine
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute

from node.errors import ForbiddenError, InputError, NodeError, message_of
from node.http import session
from node.http.problems import STATUS, headers_of
from node.http.session import OneDesk
from node.people_errors import NotLoggedInError, PasswordChangeError
from node.web import rendering
from node.workflow import refusals
from node.workflow.desk import Actor
from protocol.errors import ZhitongError

FORM_TOKEN = "csrf"  # noqa: S105 - the name of the field
SIGN_IN, NEW_PASSWORD = "/login", "/password"


class PageRoute(APIRoute):
    """A route whose errors are pages: to be signed in first, or a sentence that says what to do."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_as_page(request: Request) -> Response:
            try:
                return await handle(request)
            except NotLoggedInError:
                return RedirectResponse(_sign_in(request), status_code=303)
            except PasswordChangeError:
                return RedirectResponse(NEW_PASSWORD, status_code=303)
            except RequestValidationError:
                return await problem(request, InputError("the address holds something else"))
            except ZhitongError as error:
                return await problem(request, error)
            finally:
                # The files that came with a form.
                await request.close()

        return handle_as_page


def _sign_in(request: Request) -> str:
    if request.method != "GET" or request.url.path == "/":
        return SIGN_IN
    query = f"?{request.url.query}" if request.url.query else ""
    return f"{SIGN_IN}?next={quote(request.url.path + query, safe='')}"


async def problem(request: Request, error: ZhitongError) -> Response:
    """The page that tells of an error; who was refused something is noted."""
    if isinstance(error, NodeError) and error.refused is not None:
        await refusals.note(session.desk_of(request), error.refused)
    shown = await rendering.page(
        request,
        await maybe(request, session.desk_of(request)),
        "problem.html",
        status=status_of(error),
        problem=message_of(error),
        detail=detail_of(error),
    )
    shown.headers.update(headers_of(error))
    return shown


def status_of(error: ZhitongError) -> int:
    """The HTTP status of the page that tells of it."""
    return error.status if isinstance(error, NodeError) else STATUS.get(error.code, 400)


def detail_of(error: ZhitongError) -> str | None:
    """What more is said in Chinese; what is meant for programs and logs is left out."""
    detail = error.detail
    spoken = any("\u4e00" <= sign <= "\u9fff" for sign in detail)
    return detail if spoken and detail != message_of(error) else None


async def maybe(request: Request, desk: OneDesk) -> Actor | None:
    """Who is signed in, if anybody."""
    try:
        return await session.actor(request, desk)
    except NotLoggedInError:
        return None


async def own_form(request: Request) -> None:
    """Refuses a form that no page of this session showed."""
    token = session.form_token(request)
    if request.method in session.SAFE or not token:
        return
    form = await request.form()
    shown = form.get(FORM_TOKEN)
    if not isinstance(shown, str) or not secrets.compare_digest(shown.encode(), token.encode()):
        raise ForbiddenError("the form is not one of this session's pages; open the page again")


def back(path: str, done: str | None = None) -> Response:
    """To the page where it can be seen, with a word on what was done."""
    if done is None:
        return RedirectResponse(path, status_code=303)
    path, _, anchor = path.partition("#")
    mark = "&" if "?" in path else "?"
    return RedirectResponse(
        f"{path}{mark}done={done}" + (f"#{anchor}" if anchor else ""), status_code=303
    )


def done_in_place(request: Request) -> Response | None:
    """What a script is answered that sent the form by itself: the page stays as it is."""
    return Response() if request.headers.get("hx-request") else None


def local(path: str | None) -> str | None:
    """The path, if it leads to a page of this office."""
    if path is None or not path.startswith("/") or path.startswith(("//", "/\\")):
        return None
    return path if path.isprintable() else None


Maybe = Annotated[Actor | None, Depends(maybe)]
