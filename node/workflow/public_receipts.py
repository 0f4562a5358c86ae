"""What became of what a citizen handed in: for himself by his receipt, and his contact for editors.

Receipts that were handed out count also after the form was closed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import or_, select

from node.public_errors import UnknownContactError, UnknownReceiptError
from node.storage.database import Session
from node.storage.events import Event
from node.storage.items import Item
from node.storage.public import PublicSubmission
from node.workflow import access, audit, public_words, receipt_codes
from node.workflow.calendar import day_of
from node.workflow.desk import Actor, Desk

AT_ONCE = 200
SYSTEM = "system"


@dataclass(frozen=True)
class Step:
    """One thing that happened."""

    at: datetime
    sentence: str


@dataclass(frozen=True)
class Receipt:
    """What the holder of a code sees: the title that he wrote, and what came of it."""

    title: str
    at: datetime
    steps: Sequence[Step]


@dataclass(frozen=True)
class Contact:
    """How the citizen can be reached."""

    name: str | None
    phone: str | None
    consented_at: datetime
    erased_at: datetime | None


async def view(desk: Desk, code: str) -> Receipt:
    """What came of the item with this receipt. Raises `UnknownReceiptError`."""
    async with desk.database.reading() as session:
        row = await session.scalar(
            select(PublicSubmission).where(
                PublicSubmission.code_digest == receipt_codes.digest(code)
            )
        )
        if row is None:
            raise UnknownReceiptError
        item = await session.get_one(Item, row.item_id)
        events = await session.scalars(
            select(Event)
            .where(Event.item_id == item.id)
            .order_by(Event.at, Event.office, Event.sequence, Event.step)
        )
        steps = [Step(event.at, said) for event in events if (said := _sentence(desk, event))]
        return Receipt(item.title, item.created_at, steps)


async def contact(desk: Desk, actor: Actor, item_id: UUID) -> Contact:
    """How to reach whoever handed it in. Raises `UnknownContactError`."""
    access.demand(actor, "read_contact")
    async with desk.database.reading() as session:
        row = await session.get(PublicSubmission, item_id)
    if row is None:
        raise UnknownContactError
    return Contact(row.name, row.phone, row.consented_at, row.erased_at)


async def erase_due(desk: Desk, years: int) -> bool:
    """Erase what was entered of citizens so many years ago; may there be more?"""
    now = desk.clock()
    today = day_of(now)
    before = date(today.year - years, today.month, min(today.day, 28))
    query = (
        select(PublicSubmission)
        .where(
            PublicSubmission.day <= before,
            or_(PublicSubmission.name.is_not(None), PublicSubmission.phone.is_not(None)),
        )
        .order_by(PublicSubmission.day)
        .limit(AT_ONCE)
        .with_for_update()
    )
    async with desk.database.writing.begin() as session:
        due = (await session.scalars(query)).all()
        for row in due:
            forget(row, now)
            audit.note(session, now, actor=SYSTEM, action="contact_erased", subject=row.item_id)
    return len(due) == AT_ONCE


async def erase(session: Session, item_id: UUID, now: datetime) -> None:
    """The item is purged: its citizen's name and number go, too."""
    row = await session.get(PublicSubmission, item_id)
    if row is not None:
        forget(row, now)


def forget(row: PublicSubmission, now: datetime) -> None:
    """Erase name and number; that there was a submission stays."""
    row.name = row.phone = None
    row.erased_at = now


def _sentence(desk: Desk, event: Event) -> str | None:
    own = event.office == desk.node
    office = desk.office.name if own else str(event.data["office"]["name"])
    return public_words.sentence(event.kind, event.data, office)
