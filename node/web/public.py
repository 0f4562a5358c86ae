"""For citizens without an account: the form, the receipt, and what came of it; and its settings."""

from __future__ import annotations

import secrets
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from node.http.problems import headers_of
from node.http.session import OneDesk, Person
from node.http.strangers import Guesses, Stranger
from node.public_errors import (
    ChallengeError,
    ChallengeExpiredError,
    ChallengeUsedError,
    PublicClosedError,
    UnknownReceiptError,
)
from node.web.forms import Entered, Fields, record
from node.web.mistakes import Told, told
from node.web.rendering import page
from node.web.routing import Maybe, PageRoute, back
from node.workflow import access, challenges, public_intake, public_receipts, public_settings
from node.workflow.desk import Actor, Desk
from node.workflow.public_intake import Letter
from node.workflow.public_settings import SettingsView, Wanted
from protocol.errors import ZhitongError

router = APIRouter(route_class=PageRoute)

UNSEEN = {"X-Robots-Tag": "noindex, nofollow, noarchive"}
TRAP = "website"
"""A field that nobody sees; programs fill it in."""
NEW_QUESTION = (ChallengeError, ChallengeExpiredError, ChallengeUsedError)


@router.get("/public")
async def public_page(request: Request, desk: OneDesk, visitor: Maybe) -> Response:
    """The form, where the office has opened it."""
    return await _form(request, desk, visitor, Fields([]))


@router.post("/public")
async def hand_in(
    request: Request, desk: OneDesk, visitor: Maybe, stranger: Stranger, entered: Entered
) -> Response:
    """Hand something in: the receipt's code is shown once, here."""
    try:
        with stranger.counted():
            code = await _submit(desk, stranger, entered)
    except PublicClosedError:
        raise
    except ZhitongError as error:
        again = None if isinstance(error, NEW_QUESTION) else entered.optional("challenge")
        shown = await _form(request, desk, visitor, entered, told(error), again=again)
        shown.headers.update(headers_of(error))
        return shown
    shown = await page(request, visitor, "public_receipt_new.html", code=code)
    shown.headers.update(UNSEEN)
    return shown


async def _submit(desk: Desk, stranger: Guesses, entered: Fields) -> str:
    if entered.text(TRAP):
        raise ChallengeError
    names = ("title", "body", "topic", "name", "phone", "answer")
    content = {name: entered.optional(name) for name in names}
    letter = record(
        Letter,
        **{name: value for name, value in content.items() if value is not None},
        challenge=entered.text("challenge"),
        work=entered.number("work") if entered.text("work") else None,
        consent=entered.flag("consent"),
        confirmed=entered.flag("confirmed"),
    )
    return await public_intake.submit(
        desk, letter, came_from=stranger.came_from, random=secrets.token_bytes
    )


@router.get("/public/receipt")
async def find(request: Request, visitor: Maybe, code: str = "") -> Response:
    """Where a receipt's code is entered."""
    if code.strip():
        return RedirectResponse(f"/public/{quote(code.strip()[:60], safe='')}", status_code=303)
    return await page(request, visitor, "public_find.html", told=None, code="")


@router.get("/public/{code}")
async def receipt(
    code: str, request: Request, desk: OneDesk, visitor: Maybe, stranger: Stranger
) -> Response:
    """What became of what was handed in."""
    try:
        with stranger.counted():
            found = await public_receipts.view(desk, code[:60])
    except UnknownReceiptError as error:
        wrong = Told(error.message, None, error.status)
        shown = await page(
            request, visitor, "public_find.html", status=error.status, told=wrong, code=code[:60]
        )
    else:
        shown = await page(request, visitor, "public_receipt.html", receipt=found)
    shown.headers.update(UNSEEN)
    return shown


@router.get("/public-form")
async def settings_page(request: Request, desk: OneDesk, person: Person) -> Response:
    """Whether and how the office takes in what citizens write."""
    access.demand(person, "configure_desk")
    return await _settings(request, desk, person)


@router.post("/public-form")
async def set_form(request: Request, desk: OneDesk, person: Person, entered: Entered) -> Response:
    """Open or close the form."""
    access.demand(person, "configure_desk")
    try:
        wanted = record(
            Wanted,
            version=entered.number("version"),
            open=entered.flag("open"),
            per_address=entered.number("per_address"),
            per_day=entered.number("per_day"),
            notice=entered.optional("notice"),
        )
        await public_settings.set_form(
            desk, person, wanted, new_secret=lambda: secrets.token_bytes(32)
        )
    except ZhitongError as error:
        return await _settings(request, desk, person, entered, told(error))
    return back("/public-form", "public-form")


async def _form(
    request: Request,
    desk: Desk,
    visitor: Actor | None,
    entered: Fields,
    told: Told | None = None,
    *,
    again: str | None = None,
) -> Response:
    nonce = secrets.token_bytes(16)
    try:
        form = await public_intake.form(desk, nonce=nonce, again=again)
    except ChallengeError:
        form = await public_intake.form(desk, nonce=nonce)
    return await page(
        request,
        visitor,
        "public.html",
        status=told.status if told else 200,
        form=form,
        entered=entered,
        told=told,
        limits=desk.limits,
        trap=TRAP,
        bits=challenges.BITS,
        blank=Fields([]),
    )


async def _settings(
    request: Request,
    desk: Desk,
    person: Actor,
    entered: Fields | None = None,
    told: Told | None = None,
) -> Response:
    view = await public_settings.show(desk, person)
    return await page(
        request,
        person,
        "public_form.html",
        status=told.status if told else 200,
        settings=view,
        entered=entered or _as_entered(view),
        told=told,
    )


def _as_entered(view: SettingsView) -> Fields:
    return Fields(
        [
            ("open", "1" if view.open else ""),
            ("per_address", str(view.per_address)),
            ("per_day", str(view.per_day)),
            ("notice", view.notice or ""),
        ]
    )
