"""A call is changed after it was issued: its date is moved, it is closed early, or withdrawn.

Only the office that issued a call changes it. Each change:

 1. The actor's role may do this, the call is one of this office's own and has not ended.
 2. The call stands as it is now, under the next revision.
 3. Everybody here for whom it is meant is told, and finds it unread.
 4. Each office below that has it is sent how it stands.

`receive` takes in how a call from above stands now. The revision decides, so whatever order such
messages come in, the last word counts; one that comes before its call waits for it. It goes on to
every office below that has the call from here.

Once a call has ended no item of an author answers it any more. What is under way from below still
arrives: an answer that came after the date, or after the end, is marked late.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import delete, select

from node.call_errors import CallEndedError, CallStateError, ForeignCallError, UnknownCallError
from node.errors import InputError, UnsupportedTypeError
from node.storage import bulk
from node.storage.calls import Call, Callee, CallReading
from node.storage.database import Session
from node.storage.events import Notice
from node.storage.people import Membership, Person
from node.workflow import access, audit, outbox, recovery
from node.workflow.calendar import day_of, when
from node.workflow.desk import Actor, Desk
from node.workflow.intake import Intake
from protocol.envelope import Opened
from protocol.identifiers import NodeId
from protocol.messages.calls import CallChange
from protocol.offices import Text

Ended = Literal["closed", "withdrawn"]


async def move(
    desk: Desk, actor: Actor, call_id: UUID, due: datetime, reason: Text | None = None
) -> None:
    """Let the call be due at another time. Raises `CallStateError`, `InputError`."""
    # 1.
    access.demand(actor, "call")
    now = desk.clock()
    if due <= now:
        raise InputError("截止时间已经过去")
    async with desk.database.writing.begin() as session:
        call = await _own(session, desk, call_id)
        if call.due is None:
            raise CallStateError("这一种没有截止时间")
        if call.due == due:
            raise InputError("新的截止时间与原来一样")
        # 2.
        call.due = due
        words = f"截止时间改为{when(due)}"
        await _changed(session, desk, call, _because(words, reason), now)
        call.ended_reason = reason
        audit.note(session, now, actor=actor, action="call_moved", subject=call.id)
        # 4.
        await _send(session, desk, call, now)


async def end(
    desk: Desk, actor: Actor, call_id: UUID, how: Ended, reason: Text | None = None
) -> None:
    """Close the call before its time, or withdraw it with a reason."""
    # 1.
    access.demand(actor, "call")
    now = desk.clock()
    if how == "withdrawn" and reason is None:
        raise InputError("撤回请写明理由")
    async with desk.database.writing.begin() as session:
        call = await _own(session, desk, call_id)
        if how == "closed" and call.kind == "circular":
            raise CallStateError("通报不征集，不能结束征集，可以撤回")
        # 2.
        call.ended, call.ended_at, call.ended_reason = how, now, reason
        await _changed(session, desk, call, _because(_ENDED[how], reason), now)
        audit.note(session, now, actor=actor, action=f"call_{how}", subject=call.id)
        # 4.
        await _send(session, desk, call, now)


async def receive(intake: Intake, message: Opened) -> bool:
    """Take in how a call from above stands now; False while the call itself has not come."""
    data, session = message.data, intake.session
    if not isinstance(data, CallChange):
        raise UnsupportedTypeError
    await session.flush()
    call = await session.scalar(
        select(Call)
        .where(Call.source == message.event.sender, Call.message_id == message.event.subject)
        .with_for_update()
    )
    if call is None:
        return False
    if data.revision <= call.revision:
        return True
    words = _told(call, data)
    take_over(call, data, message.event.time)
    await _tell(session, intake.desk, call, words, intake.now)
    audit.note(
        session,
        intake.now,
        actor=message.event.sender,
        action="call_changed",
        subject=call.id,
    )
    await _send(session, intake.desk, call, intake.now)
    return True


async def restore(session: Session, message: Opened, data: CallChange) -> None:
    """Enter again how a call stood that this office had sent, after a restore."""
    call_id = await session.scalar(
        select(Callee.call_id).where(Callee.message_id == message.event.subject)
    )
    call = await session.get(Call, call_id, with_for_update=True) if call_id is not None else None
    if call is not None and data.revision > call.revision:
        take_over(call, data, message.event.time)


def take_over(call: Call, data: CallChange, at: datetime) -> None:
    """Let the call stand as the message says."""
    call.revision, call.ended_reason = data.revision, data.reason
    call.due = data.due or call.due
    if data.ended is not None:
        call.ended, call.ended_at = data.ended, call.ended_at or at


def demand_open(call: Call) -> None:
    """Raises `CallEndedError` unless the call can still be answered, and handed on."""
    if call.ended is not None:
        raise CallEndedError


_ENDED: dict[Ended, str] = {"closed": "已提前结束征集", "withdrawn": "已撤回"}


def _told(call: Call, data: CallChange) -> str:
    if data.ended is not None:
        return _because(_ENDED[data.ended], data.reason)
    due = data.due or call.due
    return _because(f"截止时间改为{when(due)}" if due else "有变动", data.reason)


def _because(words: str, reason: str | None) -> str:
    return f"{words}，说明：{reason}" if reason else f"{words}。"


async def _own(session: Session, desk: Desk, call_id: UUID) -> Call:
    await recovery.demand_work_allowed(session, desk.node)
    call = await session.get(Call, call_id, with_for_update=True)
    if call is None:
        raise UnknownCallError
    if call.source is not None:
        raise ForeignCallError
    demand_open(call)
    return call


async def _changed(session: Session, desk: Desk, call: Call, words: str, now: datetime) -> None:
    call.revision += 1
    # 3.
    await _tell(session, desk, call, words, now)


async def _tell(session: Session, desk: Desk, call: Call, words: str, now: datetime) -> None:
    """A notice to each author here for whom the call is meant; it is new to everybody."""
    await session.execute(delete(CallReading).where(CallReading.call_id == call.id))
    for person in await _authors(session, desk, call):
        bulk.insert(
            session,
            Notice,
            id=desk.new_id(),
            person_id=person,
            call_id=call.id,
            words=words,
            created_at=now,
        )


async def _authors(session: Session, desk: Desk, call: Call) -> list[UUID]:
    callees = (
        await session.scalars(
            select(Callee).where(Callee.call_id == call.id, Callee.peer.is_(None))
        )
    ).all()
    here = select(Person).where(Person.disabled_at.is_(None), Person.left_on.is_(None))
    if not any(one.unit_id is None and one.person_id is None for one in callees):
        named = {one.person_id for one in callees if one.person_id is not None}
        units = [one.unit_id for one in callees if one.unit_id is not None]
        today = day_of(desk.clock())
        members = await session.scalars(
            select(Membership.person_id).where(
                Membership.unit_id.in_(units),
                Membership.since <= today,
                (Membership.until.is_(None)) | (Membership.until >= today),
            )
        )
        here = here.where(Person.id.in_(named | set(members)))
    people = await session.scalars(here.order_by(Person.id))
    return [person.id for person in people if access.AUTHOR in person.roles]


async def _send(session: Session, desk: Desk, call: Call, now: datetime) -> None:
    data = CallChange.model_validate(
        {
            "revision": call.revision,
            "due": call.due,
            "ended": call.ended,
            "reason": call.ended_reason,
        }
    )
    below = await session.scalars(
        select(Callee)
        .where(Callee.call_id == call.id, Callee.peer.is_not(None))
        .order_by(Callee.peer)
    )
    for callee in below.all():
        assert callee.peer is not None
        outbox.post(session, desk, data, to=NodeId(callee.peer), now=now, subject=callee.message_id)
