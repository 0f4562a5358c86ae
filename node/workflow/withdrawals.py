"""Taking an item back: possible until the office that has it has taken it up.

At the author's office, an item that went nowhere yet is withdrawn at once. One that was forwarded
is asked back from the office above, which answers with the fact `withdrawn` or
`withdrawal_refused`.
"""

from __future__ import annotations

from uuid import UUID

from node.errors import ItemTakenError, UnsupportedTypeError
from node.workflow import access, items, outbox, places, record
from node.workflow.desk import Actor, Desk
from node.workflow.intake import Intake
from protocol.envelope import Opened
from protocol.errors import LifecycleError
from protocol.identifiers import NodeId
from protocol.lifecycle import Action, State
from protocol.messages import facts
from protocol.messages.items import Withdrawal

REFUSED = "本机关已受理这件信息，不能再撤回。"


async def withdraw(desk: Desk, actor: Actor, item_id: UUID, reason: str) -> None:
    """Take the item back, or ask the office above for it."""
    access.demand(actor, "withdraw")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        item = await items.locked(session, desk, actor, item_id, "withdraw")
        if item.forwarded_edition is not None and desk.parent is not None:
            if not items.can_be_asked_back(desk, item):
                raise LifecycleError("cannot withdraw: the item is closed, or was decided above")
            record.own_step(
                session,
                desk,
                item,
                "withdrawal_requested",
                {"reason": reason},
                state=State(item.state),
                now=now,
                actor=actor,
            )
            outbox.post(
                session,
                desk,
                Withdrawal(reason=reason),
                to=await places.holder(session, desk, item.id) or NodeId(desk.parent.id),
                now=now,
                subject=item.id,
                urgency=item.urgency,
            )
        else:
            state = items.advance(desk, item, Action.WITHDRAW)
            await record.own_fact(
                session, desk, item, facts.Withdrawn, state=state, now=now, actor=actor
            )


async def receive(intake: Intake, message: Opened) -> bool:
    """Answer a request from below; False when its item is not known here (yet)."""
    if message.event.subject is None:
        raise UnsupportedTypeError
    item = intake.items.get(message.event.subject)
    if item is None:
        return False
    if item.source != message.event.sender:
        raise ItemTakenError
    if item.state == State.WITHDRAWN:
        return True  # asked twice before the answer came
    sender, cause = message.event.sender, message.event.id
    try:
        state = items.advance(intake.desk, item, Action.WITHDRAW)
    except LifecycleError:
        await record.own_fact(
            intake.session,
            intake.desk,
            item,
            facts.WithdrawalRefused,
            state=State(item.state),
            now=intake.now,
            actor=sender,
            causation=cause,
            reason=REFUSED,
        )
        return True
    await record.own_fact(
        intake.session,
        intake.desk,
        item,
        facts.Withdrawn,
        state=state,
        now=intake.now,
        actor=sender,
        causation=cause,
    )
    return True
