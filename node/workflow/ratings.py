"""Ratings (评价): the author judges once what came of the item; every office that had it is told.

`rate` is one transaction:

 1. The actor is an author of the item.
 2. Something came of it, by the word of any office; nobody rated it before.
 3. The rating is written into the timeline, and sent to the office above, where the item went up.

`receive` takes it in from below, under the combined item where the item is part of one, and sends
it on.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field
from sqlalchemy import select

from node.assignment_errors import NothingToRateError, RatedError
from node.errors import ItemTakenError, UnsupportedTypeError
from node.move_errors import LinkEndedError
from node.storage.database import Session
from node.storage.events import Event
from node.storage.items import Item
from node.workflow import access, items, outbox, places, record
from node.workflow.desk import Actor, Desk
from node.workflow.intake import Intake
from protocol.envelope import Opened
from protocol.lifecycle import State
from protocol.messages.work import Rating
from protocol.offices import Record, Text

RATEABLE = ("replied", "implemented", "closed", "adopted", "declined")


class Given(Record):
    """What the author says: 1 to 5, and a word where there is one."""

    model_config = ConfigDict(extra="forbid", defer_build=False)

    score: Annotated[int, Field(ge=1, le=5, strict=True)]
    comment: Text | None = None


async def rate(desk: Desk, actor: Actor, item_id: UUID, given: Given) -> None:
    """Judge what came of the item. Raises `NothingToRateError`, `RatedError`."""
    # 1.
    access.demand(actor, "rate")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        item = await items.locked(session, desk, actor, item_id, "rate")
        # 2.
        if await _has(session, item_id, "rated"):
            raise RatedError
        if not await _has(session, item_id, *RATEABLE):
            raise NothingToRateError
        # 3.
        rating = Rating(score=given.score, comment=given.comment)
        record.own_step(
            session,
            desk,
            item,
            "rated",
            _data(rating),
            state=State(item.state),
            now=now,
            actor=actor,
        )
        await _send_on(session, desk, item, rating)


async def receive(intake: Intake, message: Opened) -> bool:
    """Take in a rating from below; False while its item is not known here."""
    data = message.data
    if not isinstance(data, Rating) or message.event.subject is None:
        raise UnsupportedTypeError
    item = intake.items.get(message.event.subject)
    if item is None:
        return False
    if item.source != message.event.sender:
        raise ItemTakenError
    record.own_step(
        intake.session,
        intake.desk,
        item,
        "rated",
        _data(data),
        state=State(item.state),
        now=intake.now,
        actor=message.event.sender,
        message=message,
    )
    whole: Item | None = item
    while whole is not None and whole.merged_into is not None:
        whole = await intake.session.get(Item, whole.merged_into, with_for_update=True)
    if whole is not None:
        await _send_on(intake.session, intake.desk, whole, data)
    return True


async def _send_on(session: Session, desk: Desk, item: Item, rating: Rating) -> None:
    if item.forwarded_edition is not None and desk.parent is not None:
        try:
            to, now = await places.holder(session, desk, item.id), desk.clock()
        except LinkEndedError:
            return
        assert to is not None
        outbox.post(session, desk, rating, to=to, now=now, subject=item.id)


def _data(rating: Rating) -> dict[str, object]:
    return {"score": rating.score} | ({"text": rating.comment} if rating.comment else {})


async def _has(session: Session, item_id: UUID, *kinds: str) -> bool:
    query = select(Event.id).where(Event.item_id == item_id, Event.kind.in_(kinds))
    return await session.scalar(query.limit(1)) is not None
