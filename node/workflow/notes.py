"""Notes (附言): words of an editor to the editors of the next office, about an item that both have.

They are no facts: no author reads them, and they are never evidence.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from node.desk_errors import NotSharedError
from node.errors import ItemTakenError, NoOfficeAboveError, UnsupportedTypeError
from node.storage.database import Session
from node.storage.items import Item
from node.workflow import access, items, outbox, places, record
from node.workflow.desk import Actor, Desk
from node.workflow.intake import Intake
from protocol.envelope import Opened
from protocol.identifiers import NodeId
from protocol.lifecycle import State
from protocol.messages import work


async def write(
    desk: Desk, actor: Actor, item_id: UUID, text: str, to: Literal["above", "below"]
) -> None:
    """Write to the office above, or to that from which the item came. Raises `NotSharedError`."""
    access.demand(actor, "write_note")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        item = await items.locked(session, desk, actor, item_id, "write_note")
        if to == "above":
            if desk.parent is None:
                raise NoOfficeAboveError
            has_it = item.forwarded_edition is not None
            peer = await places.holder(session, desk, item.id) if has_it else None
        else:
            peer = NodeId(item.source) if item.source is not None else None
        if peer is None:
            raise NotSharedError
        send(session, desk, actor, item, text, peer, now)


def send(
    session: Session, desk: Desk, actor: Actor, item: Item, text: str, peer: NodeId, now: datetime
) -> None:
    """Write to an office that has the item, in the caller's transaction."""
    said = {"text": text, "to": peer}
    state = State(item.state)
    record.own_step(session, desk, item, "noted", said, state=state, now=now, actor=actor)
    note = work.Note(text=text)
    outbox.post(session, desk, note, to=peer, now=now, subject=item.id, urgency=item.urgency)


async def receive(intake: Intake, message: Opened) -> bool:
    """Take in a note about an item; False while that is not known here."""
    data = message.data
    if not isinstance(data, work.Note) or message.event.subject is None:
        raise UnsupportedTypeError
    item = intake.items.get(message.event.subject)
    if item is None:
        return False
    sender = message.event.sender
    if item.source != sender and not (message.from_above and item.forwarded_edition is not None):
        raise ItemTakenError
    record.own_step(
        intake.session,
        intake.desk,
        item,
        "noted",
        {"text": data.text, "from": sender},
        state=State(item.state),
        now=intake.now,
        actor=sender,
        message=message,
    )
    return True
