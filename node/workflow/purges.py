"""Purging an item: its contents must not exist any more, here and wherever it went.

`purge` (the security administrator decides) and `receive` (a neighbour asks) are one transaction
each:

 1. Who asks may: the security administrator, with a reason; the office above; an office below, for
    an item that came from there, or that is not known here.
 2. Nobody takes in a message meanwhile; the item is found and locked. A second time changes
    nothing.
 3. Everything that is here of it is erased (`erasure`).
 4. The neighbours that have it are asked to do the same. Where nobody has it, one neighbour is told
    all the same: the witness that tells this node again, should it go on from an older backup.
 5. The item's timeline, its authors and the audit log are told.
 6. Whoever asked is answered: for this office, and for each further one as soon as it has answered
    (`confirm`).

What arrives of a purged item later is taken in without its contents (`turn_away`); who sends such a
thing still has it, and is asked as well. After a restore the neighbours' `purge` comes again like
any message, and this node's own comes back and is carried out at once (`again`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import or_, select

from node.errors import (
    InputError,
    ItemTakenError,
    PurgedItemError,
    UnknownItemError,
    UnsupportedTypeError,
)
from node.storage import bulk
from node.storage.database import Session, take_turn
from node.storage.items import Item
from node.storage.messages import Incoming, Outgoing
from node.storage.offices import Office
from node.storage.purges import NEVER_ERASED, Purge, PurgeAnswer
from node.workflow import access, audit, erasure, outbox, places, record, recovery
from node.workflow.desk import Actor, Desk
from node.workflow.intake import Intake
from protocol.envelope import Opened
from protocol.identifiers import NodeId
from protocol.lifecycle import State
from protocol.messages import trust

URGENCY = "most_urgent"
"""It overtakes what waits; what it overtakes is taken in without contents."""

AGAIN = "system"


@dataclass(frozen=True)
class Answer:
    """Another office that was asked, by this one or further on; `purged_at` once it answered."""

    office: str
    asked_at: datetime | None
    purged_at: datetime | None


@dataclass(frozen=True)
class Status:
    """A purge, and where it was carried out."""

    item_id: UUID
    reason: str
    actor: str
    at: datetime
    offices: Sequence[Answer]


async def purge(desk: Desk, actor: Actor, item_id: UUID, reason: str) -> None:
    """Erase the item's contents here, and have its neighbours do so.

    Raises `UnknownItemError`, and `PurgedItemError` where it was purged before.
    """
    # 1.
    access.demand(actor, "purge")
    if not reason.strip():
        raise InputError("a reason is needed")
    try:
        trust.Purge(reason=reason.strip())
    except ValidationError as error:
        raise InputError("the reason is no plain text, or too long") from error
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        # 2.
        await take_turn(session, "reception")
        await recovery.demand_work_allowed(session, desk.node)
        item = await session.get(Item, item_id, with_for_update=True)
        if item is None:
            raise UnknownItemError
        if item.purged_at is not None:
            raise PurgedItemError
        await _carry_out(session, desk, item_id, item, reason.strip(), actor, now)


async def status(desk: Desk, actor: Actor, item_id: UUID) -> Status:
    """What became of a purge. Raises `UnknownItemError` where the item was not purged here."""
    access.demand(actor, "purge")
    async with desk.database.reading() as session:
        row = await session.get(Purge, item_id)
        if row is None:
            raise UnknownItemError(f"{item_id} was not purged here")
        answers = await session.scalars(
            select(PurgeAnswer).where(PurgeAnswer.item_id == item_id).order_by(PurgeAnswer.office)
        )
        offices = [Answer(a.office, a.asked_at, a.purged_at) for a in answers]
    return Status(row.item_id, row.reason, row.actor, row.at, offices)


async def concerns(session: Session, message: Opened) -> bool:
    """Whether the message is to lose its contents: it is about an item that was purged here."""
    subject = message.event.subject
    if subject is None or message.name in NEVER_ERASED:
        return False
    return await session.get(Purge, subject) is not None


async def receive(intake: Intake, message: Opened) -> bool:
    """Purge because a neighbour asks. Raises `ItemTakenError` for an item that is not its own."""
    data, item_id, sender = message.data, message.event.subject, message.event.sender
    if not isinstance(data, trust.Purge) or item_id is None:
        raise UnsupportedTypeError
    session, desk, now = intake.session, intake.desk, intake.now
    # 2. The batch has its turn, and the item is locked.
    item = intake.items.get(item_id)
    # 1.
    if not message.from_above and item is not None and item.source != sender:
        raise ItemTakenError("only the office that an item came from may have it purged above")
    # Who asks has purged it.
    known = await _answer_of(session, item_id, sender)
    known.purged_at = known.purged_at or now
    if item_id not in intake.purged:
        intake.purged.add(item_id)
        await _carry_out(session, desk, item_id, item, data.reason, sender, now)
    # 6.
    own = await session.get_one(Purge, item_id)
    _confirm(session, desk, sender, item_id, message.event.id, own.at, now)
    answers = await session.scalars(
        select(PurgeAnswer).where(
            PurgeAnswer.item_id == item_id,
            PurgeAnswer.purged_at.is_not(None),
            PurgeAnswer.office != sender,
        )
    )
    for one in answers.all():
        assert one.purged_at is not None
        _confirm(session, desk, sender, item_id, message.event.id, one.purged_at, now, one.office)
    return True


async def confirm(intake: Intake, message: Opened) -> bool:
    """A neighbour says that it, or an office beyond it, has purged an item."""
    data, item_id, sender = message.data, message.event.subject, message.event.sender
    if not isinstance(data, trust.Purged) or item_id is None:
        raise UnsupportedTypeError
    session = intake.session
    office = data.office or sender
    if item_id not in intake.purged or office == intake.desk.node:
        return True
    answer = await _answer_of(session, item_id, office)
    if answer.purged_at is not None:
        return True
    answer.purged_at = data.at
    # 6. Whoever asked this office; the newest question of each.
    await bulk.flush(session)
    asked = await session.execute(
        select(Incoming.source, Incoming.id)
        .where(Incoming.subject == item_id, Incoming.name == "purge", Incoming.source != sender)
        .order_by(Incoming.id)
    )
    for peer, question in dict(asked.all()).items():
        if peer != office:
            _confirm(session, intake.desk, peer, item_id, question, data.at, intake.now, office)
    return True


async def turn_away(intake: Intake, message: Opened) -> None:
    """Something arrived of a purged item: its sender still has it, unless it was asked before."""
    item_id = message.event.subject
    assert item_id is not None
    await ask(intake.session, intake.desk, item_id, message.event.sender, intake.now)


async def ask(session: Session, desk: Desk, item_id: UUID, peer: str, now: datetime) -> None:
    """Ask a neighbour to purge the item too, unless it was asked, or said that it has."""
    # 4.
    answer = await _answer_of(session, item_id, peer)
    if answer.asked_at is not None or answer.purged_at is not None:
        return
    answer.asked_at = now
    purged = await session.get_one(Purge, item_id)
    outbox.post(
        session,
        desk,
        trust.Purge(reason=purged.reason),
        to=NodeId(peer),
        now=now,
        subject=item_id,
        urgency=URGENCY,
    )


async def again(session: Session, desk: Desk, message: Opened, now: datetime) -> UUID | None:
    """This node's own purge came back after a restore: carry it out. Returns the item."""
    data, item_id = message.data, message.event.subject
    if not isinstance(data, trust.Purge) or item_id is None:
        return None
    answer = await _answer_of(session, item_id, message.event.addressee)
    answer.asked_at = answer.asked_at or message.event.time
    if await session.get(Purge, item_id) is None:
        item = await session.get(Item, item_id, with_for_update=True)
        await _carry_out(session, desk, item_id, item, data.reason, AGAIN, now)
    return item_id


async def _carry_out(
    session: Session,
    desk: Desk,
    item_id: UUID,
    item: Item | None,
    reason: str,
    actor: Actor | str,
    now: datetime,
) -> None:
    name = actor.username if isinstance(actor, Actor) else actor
    session.add(Purge(item_id=item_id, reason=reason, actor=name, at=now))
    await session.flush()
    holders = await _holders(session, desk, item_id, item)
    # 3.
    await erasure.erase(session, desk, item_id, item, actor=name, now=now)
    # 4.
    for peer in holders:
        await ask(session, desk, item_id, peer, now)
    # 5.
    if item is not None:
        state = State(item.state)
        event = record.own_step(
            session, desk, item, "purged", {}, state=state, now=now, actor=actor
        )
        await record.notify(session, desk, item, event, now)
    audit.note(session, now, actor=actor, action="item_purged", subject=item_id, reason=reason)


async def _holders(session: Session, desk: Desk, item_id: UUID, item: Item | None) -> Sequence[str]:
    """The neighbours that sent something of the item, or were sent it, or may have been."""
    await bulk.flush(session)
    to = select(Outgoing.peer).where(
        Outgoing.subject == item_id, Outgoing.name.not_in(NEVER_ERASED)
    )
    of = select(Incoming.source).where(
        Incoming.subject == item_id, Incoming.name.not_in(NEVER_ERASED)
    )
    found = set(await session.scalars(to)) | set(await session.scalars(of))
    if item is not None and item.source is not None:
        found.add(item.source)
    if item is not None and item.forwarded_edition is not None and desk.parent is not None:
        found.add(await places.last_holder(session, item_id) or desk.parent.id)
    draining = await places.former_parents(session, desk.clock())
    neighbours = list(
        await session.scalars(
            select(Office.id)
            .where(or_(Office.relation.in_(("parent", "child")), Office.id.in_(draining)))
            .order_by(Office.relation.desc(), Office.id)
        )
    )
    holders = [peer for peer in neighbours if peer in found]
    if holders or item is None:
        return holders
    # The witness: the parent, which comes first, or the first child.
    return neighbours[:1]


async def _answer_of(session: Session, item_id: UUID, office: str) -> PurgeAnswer:
    found = await session.get(PurgeAnswer, (item_id, office))
    if found is None:
        found = PurgeAnswer(item_id=item_id, office=office)
        session.add(found)
        await session.flush()
    return found


def _confirm(
    session: Session,
    desk: Desk,
    peer: str,
    item_id: UUID,
    question: UUID,
    at: datetime,
    now: datetime,
    office: str | None = None,
) -> None:
    """Answer a neighbour's `purge`: for this office, or for one beyond it."""
    done = trust.Purged.model_validate({"purge": question, "at": at, "office": office})
    outbox.post(
        session,
        desk,
        done,
        to=NodeId(peer),
        now=now,
        subject=item_id,
        urgency=URGENCY,
        causation=question,
    )
