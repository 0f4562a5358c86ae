"""What citizens hand in without an account, what they see of it, and how the office takes it in."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict

from node.api.permission import FOR_ANYONE, needs
from node.http.session import OneDesk, Person
from node.http.strangers import Stranger
from node.workflow import challenges, public_intake, public_receipts, public_settings
from node.workflow.public_intake import Letter
from node.workflow.public_settings import Wanted

router = APIRouter(tags=["public"])

SECRET, NONCE = 32, 16
Code = Annotated[str, Path(max_length=60)]


class FormShape(BaseModel):
    """Answer the question with `answer`, or find a `work` (a whole number) for which the SHA-256 of
    `challenge:work` begins with `bits` zero bits."""

    challenge: str
    question: str
    bits: int
    topics: dict[str, str]
    notice: str | None


class ReceiptCode(BaseModel):
    """With this code, and only with it, can be seen what came of the item."""

    code: str


class _Seen(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class StepShape(_Seen):
    """One thing that happened."""

    at: datetime
    sentence: str


class ReceiptShape(_Seen):
    """What became of what was handed in."""

    title: str
    at: datetime
    steps: list[StepShape]


class ContactShape(_Seen):
    """How whoever handed it in can be reached, as far as he said and it is kept."""

    name: str | None
    phone: str | None
    consented_at: datetime
    erased_at: datetime | None


class SettingsShape(_Seen):
    """How the office takes in what citizens write."""

    version: int
    open: bool
    per_address: int
    per_day: int
    notice: str | None
    set_at: datetime | None
    set_by: str | None


class SettingsVersion(BaseModel):
    """The version that counts now."""

    version: int


@router.get("/public/form", openapi_extra=FOR_ANYONE)
async def form(desk: OneDesk) -> FormShape:
    """What is needed to hand something in; only where the office has opened its public form."""
    shown = await public_intake.form(desk, nonce=secrets.token_bytes(NONCE))
    return FormShape(
        challenge=shown.challenge.token,
        question=shown.challenge.question,
        bits=challenges.BITS,
        topics=shown.topics,
        notice=shown.notice,
    )


@router.post("/public", status_code=201, openapi_extra=FOR_ANYONE)
async def submit(letter: Letter, desk: OneDesk, stranger: Stranger) -> ReceiptCode:
    """Hand something in without an account. The code of the receipt is told only here."""
    with stranger.counted():
        code = await public_intake.submit(
            desk, letter, came_from=stranger.came_from, random=secrets.token_bytes
        )
    return ReceiptCode(code=code)


@router.get("/public/receipts/{code}", openapi_extra=FOR_ANYONE)
async def receipt(code: Code, desk: OneDesk, stranger: Stranger) -> ReceiptShape:
    """What became of the item with this receipt."""
    with stranger.counted():
        return ReceiptShape.model_validate(await public_receipts.view(desk, code))


@router.get("/public/settings", openapi_extra=needs("configure_desk"))
async def settings(desk: OneDesk, person: Person) -> SettingsShape:
    """Whether and how the office takes in what citizens write."""
    return SettingsShape.model_validate(await public_settings.show(desk, person))


@router.put("/public/settings", openapi_extra=needs("configure_desk"))
async def set_settings(given: Wanted, desk: OneDesk, person: Person) -> SettingsVersion:
    """Open or close the public form, and say how much it takes in a day."""
    version = await public_settings.set_form(
        desk, person, given, new_secret=lambda: secrets.token_bytes(SECRET)
    )
    return SettingsVersion(version=version)


@router.get("/items/{item_id}/contact", openapi_extra=needs("read_contact"))
async def contact(item_id: UUID, desk: OneDesk, person: Person) -> ContactShape:
    """How the citizen who handed in the item can be reached."""
    return ContactShape.model_validate(await public_receipts.contact(desk, person, item_id))
