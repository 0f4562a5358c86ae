"""What came of an assignment, told at its item: the facts `replied` and `implemented`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from node.storage.assignments import Assignment, Reply
from node.storage.database import Session
from node.storage.items import Item
from node.workflow import enclosures, items, lineage, record
from node.workflow.desk import Actor, Desk
from protocol.errors import LifecycleError
from protocol.lifecycle import Action
from protocol.messages import facts


async def tell(
    session: Session, desk: Desk, actor: Actor, row: Assignment, answered: Reply, now: datetime
) -> None:
    """Record what came of it at the item, as far as the item allows to say anything of it."""
    if row.item_id is None:
        return
    item = (await lineage.locked(session, [row.item_id])).get(row.item_id)
    if item is None or item.purged_at is not None:
        return
    said: dict[str, Any] = {"unit": row.handler, "text": answered.text}
    files = await enclosures.of(session, answered.id)
    replied = said | {"degree": answered.degree, "attachments": files or None}
    await _fact(session, desk, actor, item, Action.REPLY, now, replied)
    if answered.implemented:
        await _fact(session, desk, actor, item, Action.IMPLEMENT, now, said)


FACTS: dict[Action, type[facts.FactBase]] = {
    Action.REPLY: facts.Replied,
    Action.IMPLEMENT: facts.Implemented,
}


async def _fact(
    session: Session,
    desk: Desk,
    actor: Actor,
    item: Item,
    action: Action,
    now: datetime,
    content: dict[str, Any],
) -> None:
    try:
        state = items.advance(desk, item, action)
    except LifecycleError:
        return  # the office is done with the item; its answer is kept with the assignment
    await record.own_fact(
        session, desk, item, FACTS[action], state=state, now=now, actor=actor, **content
    )
