"""What an editor decides: register, adopt, decline, return, instruct, implement, close.

Each use-case is one transaction:

 1. The actor's role may do this.
 2. The item is found and locked; the state allows the action (`lifecycle`). What is adopted is
    signed, where the office has an approval chain.
 3. The fact is recorded, with all that follows from it (`record.own_fact`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Literal
from uuid import UUID

from pydantic import ValidationError

from node.errors import InputError
from node.workflow import access, enclosures, items, numbers, record, reviews
from node.workflow.attachments import Named
from node.workflow.desk import Actor, Desk
from protocol.lifecycle import Action
from protocol.messages import event, facts

SCANNED = "（见扫描件）"
"""Stands for the words of an instruction of which there is only a scan."""


async def register(desk: Desk, actor: Actor, item_id: UUID) -> str:
    """Take the item up and give it a number (登记). Returns the number.

    An item that was returned and came back keeps the number that it has.
    """
    access.demand(actor, Action.REGISTER)
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        item = await items.locked(session, desk, actor, item_id, Action.REGISTER)
        state = items.advance(desk, item, Action.REGISTER)
        if item.number is None:
            item.number = await numbers.next_number(session, desk.numbers.register_number, now)
        await record.own_fact(
            session,
            desk,
            item,
            facts.Registered,
            state=state,
            now=now,
            actor=actor,
            number=item.number,
        )
    return item.number


async def adopt(
    desk: Desk,
    actor: Actor,
    item_id: UUID,
    *,
    manner: Literal["single", "combined"] = "single",
    issue: str | None = None,
) -> None:
    """Adopt the item at this level (采用); a combined item is adopted as one, whatever is said."""
    content = {"manner": manner, "issue": issue}
    await _decide(desk, actor, item_id, Action.ADOPT, facts.Adopted, content, signed=True)


async def decline(desk: Desk, actor: Actor, item_id: UUID, reason: str) -> None:
    """Decline the item, with a reason (不予采用)."""
    content = {"reason": reason}
    await _decide(desk, actor, item_id, Action.DECLINE, facts.Declined, content)


async def return_(desk: Desk, actor: Actor, item_id: UUID, reason: str) -> None:
    """Return the item to be improved, with a reason (退回修改)."""
    content = {"reason": reason}
    await _decide(desk, actor, item_id, Action.RETURN, facts.Returned, content)


async def leader_read(desk: Desk, actor: Actor, item_id: UUID, *, leader: str, post: str) -> None:
    """Record that a leader has read the item, without an instruction (圈阅)."""
    content = {"leader": leader, "post": post}
    await _decide(desk, actor, item_id, Action.LEADER_READ, facts.LeaderRead, content)


async def instruct(
    desk: Desk,
    actor: Actor,
    item_id: UUID,
    *,
    leader: str,
    post: str,
    text: str | None,
    on: date,
    attachments: Sequence[Named] = (),
) -> None:
    """Record a leader's instruction (批示), in words, as a scan, or both."""
    if text is None and not attachments:
        raise InputError("请填写批示内容，或者附上扫描件")
    content = {"leader": leader, "post": post, "text": text or SCANNED, "on": on}
    await _decide(
        desk, actor, item_id, Action.INSTRUCT, facts.Instructed, content, named=attachments
    )


async def implement(desk: Desk, actor: Actor, item_id: UUID, *, unit: str, text: str) -> None:
    """Record what came of an instruction (落实)."""
    content = {"unit": unit, "text": text}
    await _decide(desk, actor, item_id, Action.IMPLEMENT, facts.Implemented, content)


async def close(desk: Desk, actor: Actor, item_id: UUID, note: str | None = None) -> None:
    """Be done with the item (办结)."""
    await _decide(desk, actor, item_id, Action.CLOSE, facts.Closed, {"note": note})


async def _decide(
    desk: Desk,
    actor: Actor,
    item_id: UUID,
    action: Action,
    fact: type[facts.FactBase],
    content: dict[str, Any],
    *,
    signed: bool = False,
    named: Sequence[Named] = (),
) -> None:
    # 1.
    access.demand(actor, action)
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        # 2.
        item = await items.locked(session, desk, actor, item_id, action)
        state = items.advance(desk, item, action)
        if signed:
            await reviews.demand_signed(session, item)
        # 3.
        if named:
            content["attachments"] = await enclosures.choose(session, desk, actor, named, now)
        try:
            await record.own_fact(
                session, desk, item, fact, state=state, now=now, actor=actor, **content
            )
        except ValidationError as error:
            raise InputError(event.brief(error)) from error
