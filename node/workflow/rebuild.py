"""What this office did since the backup, read from its own messages that the neighbours kept.

Each of them tells of a deed: an item was forwarded, a fact was decided, an item was asked back. The
deed is entered as it was, under the number and the sequence that it had then, and the message into
the outbox as received. Nothing is sent but what a neighbour needs to make sense of what it has.
Doing it twice changes nothing.

What never left this office is lost with the old disk: drafts, items that were not forwarded, who
did what in the audit log. What an office says of its own items stays at home, too: of those that
were forwarded, their registration and their way up are entered again. Their files are fetched from
the office to which they were announced.
"""

from __future__ import annotations

from datetime import datetime

import structlog
from sqlalchemy import exists, func, or_, select

from node.storage.database import Session
from node.storage.events import Event
from node.storage.items import Edition, Item
from node.storage.messages import Outgoing
from node.storage.recovery import Returned
from node.workflow import (
    assignments,
    attachments,
    audit,
    call_changes,
    calls,
    directory,
    enclosures,
    forwarding,
    handling,
    lineage,
    numbers,
    outbox,
    places,
    purges,
    record,
    restored,
)
from node.workflow.desk import Desk
from node.workflow.restored import ACTOR
from protocol import lifecycle
from protocol.envelope import Opened
from protocol.identifiers import NodeId
from protocol.lifecycle import Moment, State
from protocol.messages import event, facts, work
from protocol.messages.calls import CallChange, Circular, Solicitation, TopicGuide
from protocol.messages.facts import FactBase
from protocol.messages.items import Edition as EditionMessage
from protocol.messages.items import Submission, Withdrawal
from protocol.messages.links import ErasedMessage
from protocol.messages.trust import Purge
from protocol.messages.work import Feedback

log = structlog.get_logger()

EDITIONS = ("submission", "revision")


async def own(session: Session, desk: Desk, message: Opened, now: datetime) -> None:
    """Enter what one of this office's own messages tells of; of a purged item, that it was sent."""
    if await purges.concerns(session, message):
        assert message.event.subject is not None
        left = ErasedMessage(
            id=message.event.id,
            name=message.name,
            subject=message.event.subject,
            digest=message.digest,
        )
        await outbox.enter_erased(session, left, to=message.event.addressee, now=now)
        # It came back whole: whoever sent it back still has it.
        await purges.ask(session, desk, left.subject, message.event.addressee, now)
        return
    await _enter_outbox(session, message, now)
    match message.data:
        case EditionMessage() as edition:
            await _forwarded(session, desk, message, edition, now)
        case Feedback(fact=FactBase() as fact):
            await _decided(session, desk, message, fact, now)
        case Solicitation() | TopicGuide() | Circular() as call:
            await calls.restore(session, desk, message, call)
        case CallChange() as change:
            await call_changes.restore(session, message, change)
        case work.Assignment() as given:
            await assignments.restore(session, desk, message, given)
        case work.Outcome() | work.HandBackRequest() | work.Verdict() as answer:
            await handling.restore(session, desk, message, answer, now)
        case Withdrawal() as withdrawal:
            await _asked_back(session, desk, message, withdrawal, now)
        case Purge():
            await purges.again(session, desk, message, now)
        case _:
            pass


async def _enter_outbox(session: Session, message: Opened, now: datetime) -> None:
    row = await session.get(Outgoing, message.event.id)
    if row is None:
        urgency = message.event.data.get("urgency", "normal")
        row = Outgoing(
            id=message.event.id,
            peer=message.event.addressee,
            name=message.name,
            subject=message.event.subject,
            payload=message.payload,
            digest=message.digest,
            priority=outbox.PRIORITIES.get(urgency, outbox.PRIORITIES["normal"]),
            attempts=1,
            created_at=message.event.time,
            first_sent_at=message.signed_at,
            sent_at=message.signed_at,
        )
        session.add(row)
    if row.state != "received":
        row.state, row.answered_at, row.resend_at = "received", now, None
        row.first_sent_at = row.first_sent_at or message.signed_at


async def _forwarded(
    session: Session, desk: Desk, message: Opened, edition: EditionMessage, now: datetime
) -> None:
    assert message.event.subject is not None
    above = message.event.addressee
    # It may not have all the pieces yet.
    await attachments.offer(session, above, edition.attachments)
    item = await session.get(Item, message.event.subject, with_for_update=True)
    if item is None:
        if edition.origin.id != desk.node:
            # Its office below keeps it, and has sent it again: this one comes later, or never.
            return
        item = await restored.own_item(session, message, edition)
    if item.source is None and await session.get(Edition, (item.id, edition.edition)) is None:
        await restored.enter_edition(session, desk, item, edition)
        await attachments.receive(session, desk, item.id, edition.edition, edition, above, now)
    if item.source is not None:
        await restored.enter_made_here(session, desk, item, edition)
    if edition.number is not None:
        await _number(session, desk, item, edition.number)
    if message.name == "revision" and not await _was_submitted(session, item):
        # The office above has it, and nothing yet that it revises: that was lost on the way.
        outbox.post(
            session,
            desk,
            Submission.model_validate(edition.model_dump()),
            to=message.event.addressee,
            now=now,
            subject=item.id,
            urgency=item.urgency,
        )
    if (item.forwarded_edition or 0) >= edition.edition:
        return
    item.forwarded_edition = edition.edition
    if item.source is None:
        await _say_forwarded(session, desk, item, message.event.time, edition.number)
    # The facts of others come back as messages to the office below.


async def settle(session: Session, desk: Desk) -> bool:
    """Make what this office said of one item's way up agree with what went up.

    Of the two messages of one deed, the item itself and what the office below is told, a neighbour
    may have had one, and nobody the other. Whether there was such an item.
    """
    if desk.parent is None:
        return False
    said = (
        select(func.coalesce(func.max(Event.data["edition"].as_integer()), 0))
        .where(
            Event.item_id == Item.id,
            Event.office == desk.node,
            Event.step == 0,
            Event.kind == "forwarded",
            Event.data["through"].as_string().is_(None),
        )
        .scalar_subquery()
    )
    went = func.coalesce(Item.forwarded_edition, 0)
    back = select(Outgoing.subject).join(Returned, Returned.id == Outgoing.id).where(Returned.ours)
    here = exists().where(Edition.item_id == Item.id, Edition.number == said)
    found = (
        await session.execute(
            select(Item, said)
            .where(
                Item.id.in_(back), Item.purged_at.is_(None), or_(said < went, (said > went) & here)
            )
            .order_by(Item.id)
            .limit(1)
        )
    ).one_or_none()
    if found is None:
        return False
    item, number = found
    if number > (item.forwarded_edition or 0):
        edition = await session.get_one(Edition, (item.id, number))
        above, _ = await places.next_above(session, desk, item.id)
        await forwarding.send(session, desk, item, edition, above, desk.clock())
    else:
        went_at = select(func.max(Outgoing.created_at)).where(
            Outgoing.subject == item.id,
            Outgoing.name.in_(EDITIONS),
        )
        at = await session.scalar(went_at) or desk.clock()
        await _say_forwarded(session, desk, item, at, item.number)
    return True


async def _say_forwarded(
    session: Session, desk: Desk, item: Item, at: datetime, number: str | None
) -> None:
    # Nothing is forwarded that was not registered, and only what `_number` left out has no number.
    if item.state == State.SUBMITTED and number is not None:
        await record.own_fact(
            session,
            desk,
            item,
            facts.Registered,
            state=State.REGISTERED,
            now=at,
            actor=ACTOR,
            number=number,
        )
    assert desk.parent is not None
    # After a move it may have gone to a former parent.
    sent_to = await places.last_holder(session, item.id) or NodeId(desk.parent.id)
    await record.own_fact(
        session,
        desk,
        item,
        facts.Forwarded,
        state=State(item.state),
        now=at,
        actor=ACTOR,
        to=await directory.reference(session, sent_to),
        edition=item.forwarded_edition,
    )


async def _was_submitted(session: Session, item: Item) -> bool:
    query = select(Outgoing.id).where(Outgoing.subject == item.id, Outgoing.name == "submission")
    return await session.scalar(query.limit(1)) is not None


async def _decided(
    session: Session, desk: Desk, message: Opened, fact: FactBase, now: datetime
) -> None:
    item = await session.get(Item, message.event.subject, with_for_update=True)
    if item is None or fact.office.id != desk.node:
        return
    events = await session.execute(
        select(Event.sequence, Event.step, Event.kind, Event.at).where(
            Event.item_id == item.id, Event.office == desk.node
        )
    )
    said = {Moment(sequence, step, kind): at for sequence, step, kind, at in events}
    if any(moment.sequence == fact.sequence and moment.step == 0 for moment in said):
        return
    data = fact.model_dump(mode="json", exclude_none=True)
    said[Moment(fact.sequence, 0, data["kind"])] = fact.at
    event_id = desk.new_id()
    # Whoever was told may have the files still.
    below, files = message.event.addressee, facts.files_of(fact)
    await enclosures.take(session, desk, event_id, item.id, files, below, now)
    await attachments.offer(session, below, files)
    session.add(
        Event(
            id=event_id,
            item_id=item.id,
            office=desk.node,
            about=item.id,
            sequence=fact.sequence,
            step=0,
            kind=data["kind"],
            at=fact.at,
            recorded_at=now,
            actor=ACTOR,
            data=data,
        )
    )
    if fact.sequence > item.sequence:
        item.sequence, item.step = fact.sequence, 0
    ended_at = max((at for one, at in said.items() if one.kind in record.ENDS), default=None)
    record.set_own_standing(item, desk.office, lifecycle.fold(said), ended_at)
    if isinstance(fact, facts.Merged | facts.Unmerged):
        await lineage.restore(session, desk, item)
    if isinstance(fact, facts.Published):
        pattern = getattr(desk.numbers, fact.series)
        await numbers.keep(session, numbers.of_issues(fact.series), pattern, fact.issue)
    if isinstance(fact, facts.Registered):
        await _number(session, desk, item, fact.number)
    if (
        isinstance(fact, facts.Forwarded)
        and fact.through is None
        and fact.edition in await _gone_up(session, item)
    ):
        # What went up had come back before the item did.
        item.forwarded_edition = max(item.forwarded_edition or 0, fact.edition)
    audit.note(session, now, actor=ACTOR, action="fact_restored", subject=item.id)


async def _gone_up(session: Session, item: Item) -> set[int]:
    """The editions that the office above has, or is being sent."""
    payloads = await session.scalars(
        select(Outgoing.payload).where(Outgoing.subject == item.id, Outgoing.name.in_(EDITIONS))
    )
    return {int(event.decode(payload).data["edition"]) for payload in payloads}


async def _number(session: Session, desk: Desk, item: Item, number: str) -> None:
    """The item's number, unless it was given out again while nobody waited for this neighbour."""
    await numbers.keep(session, numbers.REGISTER, desk.numbers.register_number, number)
    if item.number is not None:
        return
    if await session.scalar(select(Item.id).where(Item.number == number)) is not None:
        log.error("recovery.number_taken", item_id=str(item.id), number=number)
        return
    item.number = number


async def _asked_back(
    session: Session, desk: Desk, message: Opened, withdrawal: Withdrawal, now: datetime
) -> None:
    item = await session.get(Item, message.event.subject, with_for_update=True)
    if item is None:
        return
    asked = select(Event.id).where(
        Event.item_id == item.id,
        Event.office == desk.node,
        Event.kind == "withdrawal_requested",
        Event.at >= message.event.time,
    )
    if await session.scalar(asked.limit(1)) is not None:
        return
    record.own_step(
        session,
        desk,
        item,
        "withdrawal_requested",
        {"reason": withdrawal.reason},
        state=State(item.state),
        now=message.event.time,
        actor=ACTOR,
    )
