"""Calls: an office asks for items (约稿), names topics (征集要点), or tells figures (通报).

`issue` is one transaction:

 1. The actor's role may do this; the date has not passed.
 2. The call is written.
 3. To whom it goes is found and written: offices below, units, people, or every author here.
 4. Each office below is sent it; its answers and its word that it has read it name that message.

`receive` takes one in, once by (source, message). One that is marked so goes on to every office
below and is open to every author here; any other waits until an editor shares it. Who has read it
is told upwards office by office: of what lies below, an office knows what its own neighbours say.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import ConfigDict, Field, StrictBool, model_validator
from sqlalchemy import ColumnElement, or_, select, true

from node.call_errors import CallStateError, UnknownCallError
from node.errors import InputError, UnknownOfficeError, UnsupportedTypeError
from node.storage.calls import Call, Callee, CallReading
from node.storage.database import Session
from node.storage.items import Item
from node.storage.offices import Office
from node.storage.people import Membership
from node.workflow import access, audit, call_changes, outbox, people, recovery, units
from node.workflow.access import Scope
from node.workflow.calendar import day_of
from node.workflow.desk import Actor, Desk
from node.workflow.intake import Intake
from protocol.envelope import Opened
from protocol.identifiers import NodeId
from protocol.messages import calls as messages
from protocol.messages.items import Topic
from protocol.offices import Line, Record, Text, Time

MOST = 1000
CALLS = messages.Solicitation | messages.TopicGuide | messages.Circular


class Audience(Record):
    """To whom a call goes. An unknown member is a mistake of the caller."""

    model_config = ConfigDict(extra="forbid", defer_build=False)

    offices: Annotated[tuple[Line, ...], Field(max_length=MOST)] = ()
    """Offices below, by their ids."""
    all_offices: StrictBool = False
    units: Annotated[tuple[Line, ...], Field(max_length=MOST)] = ()
    people: Annotated[tuple[Line, ...], Field(max_length=MOST)] = ()
    """By their user names."""
    everyone: StrictBool = False
    """Every author of this office."""


class NewCall(Audience):
    """A call to be issued."""

    kind: Literal["solicitation", "topic_guide", "circular"]
    title: Line
    body: Text | None = None
    topics: Annotated[tuple[Line, ...], Field(max_length=200)] = ()
    topic: Topic | None = None
    period: Line | None = None
    due: Time | None = None
    pass_on: StrictBool = False

    @model_validator(mode="after")
    def _fits(self) -> Self:
        match self.kind:
            case "solicitation" if self.body is None or self.due is None:
                raise ValueError("a solicitation needs a text and a date")
            case "topic_guide" if not self.topics or self.period is None:
                raise ValueError("a topic guide needs topics and a period")
            case "circular" if self.body is None or self.period is None:
                raise ValueError("a circular needs a text and a period")
        return self


async def issue(desk: Desk, actor: Actor, wanted: NewCall) -> UUID:
    """Issue a call. Returns its id."""
    # 1.
    access.demand(actor, "call")
    now = desk.clock()
    if wanted.due is not None and wanted.due <= now:
        raise InputError("截止时间已经过去")
    async with desk.database.writing.begin() as session:
        await recovery.demand_work_allowed(session, desk.node)
        # 2.
        call = Call(
            id=desk.new_id(),
            kind=wanted.kind,
            title=wanted.title,
            body=wanted.body or "",
            topics=list(wanted.topics),
            topic=wanted.topic,
            period=wanted.period,
            due=wanted.due,
            first_due=wanted.due,
            pass_on=wanted.pass_on,
            made_at=now,
            made_by=actor.name,
        )
        session.add(call)
        # 3., 4.
        if not await _address(session, desk, call, wanted, now):
            raise InputError("请选择发送对象")
        audit.note(session, now, actor=actor, action="call_issued", subject=call.id)
    return call.id


async def share(desk: Desk, actor: Actor, call_id: UUID, wanted: Audience) -> None:
    """Let more have a call: one that came from above, or one of this office."""
    access.demand(actor, "call")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        call = await session.get(Call, call_id, with_for_update=True)
        if call is None:
            raise UnknownCallError
        call_changes.demand_open(call)
        if not await _address(session, desk, call, wanted, now):
            raise InputError("没有新的发送对象")
        audit.note(session, now, actor=actor, action="call_shared", subject=call.id)


async def mark_read(desk: Desk, actor: Actor, call_id: UUID) -> None:
    """The actor has read the call; of one from above, its office is told, once."""
    access.demand(actor, "read_calls")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        call = await visible(session, desk, actor, call_id, lock=True)
        if await session.get(CallReading, (call.id, actor.id)) is None:
            session.add(CallReading(call_id=call.id, person_id=actor.id, at=now))
        edits = access.scope(actor, "read_calls") is Scope.ALL
        if call.source is None or call.read_at is not None or not edits:
            return
        call.read_at = now
        assert call.message_id is not None
        read = messages.Read(message=call.message_id, at=now)
        outbox.post(session, desk, read, to=NodeId(call.source), now=now)


async def receive(intake: Intake, message: Opened) -> None:
    """Take in a call from above, and send it on where it is marked so."""
    data, session = message.data, intake.session
    if not isinstance(data, CALLS):
        raise UnsupportedTypeError
    await session.flush()
    known = select(Call.id).where(
        Call.source == message.event.sender, Call.message_id == message.event.id
    )
    if await session.scalar(known) is not None:
        return
    call = _of_message(data, intake.desk.new_id(), message.event.time)
    # What a restored office had sent on before came back first: it is not sent on again.
    restored = await _alike(session, call, Call.source.is_(None) & Call.made_by.is_(None))
    if restored is None:
        session.add(call)
    else:
        call = restored
    call.source, call.message_id = message.event.sender, message.event.id
    call.made_by = message.event.sender
    if data.pass_on:
        everybody = Audience(all_offices=True, everyone=True)
        await _address(session, intake.desk, call, everybody, intake.now)
    # What was said of it since may have overtaken it.
    intake.awaited.add(message.event.id)
    audit.note(
        session,
        intake.now,
        actor=message.event.sender,
        action="call_received",
        subject=call.id,
    )


async def receive_read(intake: Intake, message: Opened) -> None:
    """Take in that an office below has read a call; of a call that was lost, nothing."""
    data = message.data
    if not isinstance(data, messages.Read):
        raise UnsupportedTypeError
    callee = await _callee(intake.session, data.message, message.event.sender)
    if callee is not None:
        callee.read_at = callee.read_at or data.at


async def restore(session: Session, desk: Desk, message: Opened, data: CALLS) -> None:
    """Enter again what this office had sent to an office below, after a restore."""
    to = message.event.addressee
    if await _callee(session, message.event.id, to) is not None:
        return
    made = _of_message(data, desk.new_id(), message.event.time)
    call = await _alike(session, made, true())
    if call is None:
        session.add(made)
        call = made
    taken = select(Callee.id).where(Callee.call_id == call.id, Callee.peer == to)
    if await session.scalar(taken) is None:
        session.add(Callee(id=desk.new_id(), call_id=call.id, peer=to, message_id=message.event.id))
    await session.flush()


async def demand_answerable(session: Session, desk: Desk, actor: Actor, call_id: UUID) -> None:
    """Raises `UnknownCallError`, `CallStateError`, `CallEndedError` unless the actor may answer."""
    call = await visible(session, desk, actor, call_id)
    if call.kind == "circular":
        raise CallStateError("通报无须应答")
    call_changes.demand_open(call)


async def answered(session: Session, message_id: UUID | None, sender: str) -> UUID | None:
    """The call of this office that an item from below answers."""
    if message_id is None:
        return None
    callee = await _callee(session, message_id, sender)
    return callee.call_id if callee is not None else None


async def came_as(session: Session, message_id: UUID | None) -> UUID | None:
    """The call that came from above by this message."""
    if message_id is None:
        return None
    return await session.scalar(select(Call.id).where(Call.message_id == message_id))


async def answering(session: Session, item: Item) -> UUID | None:
    """What an item that goes up answers there: the message by which that office called for it."""
    if item.answers_id is None:
        return None
    call = await session.get(Call, item.answers_id)
    return call.message_id if call is not None else None


async def visible(
    session: Session, desk: Desk, actor: Actor, call_id: UUID, *, lock: bool = False
) -> Call:
    """The call, where it is meant for the actor. Raises `UnknownCallError`."""
    call = await session.get(Call, call_id, with_for_update=lock)
    if call is None:
        raise UnknownCallError
    if access.scope(actor, "read_calls") is Scope.OWN:
        query = select(Callee.id).where(Callee.call_id == call.id, meant_for(desk, actor))
        if await session.scalar(query.limit(1)) is None:
            raise UnknownCallError(refused=access.refused(actor, "read_calls"))
    return call


def meant_for(desk: Desk, actor: Actor) -> Any:
    """Of callees: that the actor is one of them."""
    today = day_of(desk.clock())
    mine = select(Membership.unit_id).where(
        Membership.person_id == actor.id,
        Membership.since <= today,
        or_(Membership.until.is_(None), Membership.until >= today),
    )
    everyone = Callee.peer.is_(None) & Callee.unit_id.is_(None) & Callee.person_id.is_(None)
    return or_(everyone, Callee.person_id == actor.id, Callee.unit_id.in_(mine))


async def _alike(session: Session, made: Call, where: ColumnElement[bool]) -> Call | None:
    """A call here that says what this one says. A guide's title stays at its own office."""
    said = [Call.kind == made.kind, Call.body == made.body]
    for column, value in (
        (Call.period, made.period),
        (Call.title, made.title if made.kind != "topic_guide" else None),
    ):
        if value is not None:
            said.append(column == value)
    if made.due is not None:
        # Its date may have been moved since, here or before it was shared.
        said.append(or_(Call.first_due == made.due, Call.due == made.due))
    rows = await session.scalars(select(Call).where(where, *said).order_by(Call.made_at))
    return next((call for call in rows if list(call.topics) == list(made.topics)), None)


def _of_message(data: CALLS, id: UUID, at: datetime) -> Call:
    call = Call(id=id, topics=[], body="", pass_on=data.pass_on, made_at=at, revision=0)
    match data:
        case messages.Solicitation():
            call.kind, call.title, call.body = "solicitation", data.title, data.body
            call.due, call.topic = data.due, data.topic
            call.first_due = data.due
        case messages.TopicGuide():
            call.kind, call.title = "topic_guide", data.period
            call.period, call.topics = data.period, list(data.topics)
        case messages.Circular():
            call.kind, call.title, call.body = "circular", data.title, data.body
            call.period = data.period
    return call


def _message_of(call: Call) -> Record:
    match call.kind:
        case "solicitation":
            assert call.due is not None
            return messages.Solicitation.model_validate(
                {
                    "title": call.title,
                    "body": call.body,
                    "due": call.due,
                    "topic": call.topic,
                    "pass_on": call.pass_on,
                }
            )
        case "topic_guide":
            return messages.TopicGuide(
                period=call.period or call.title, topics=tuple(call.topics), pass_on=call.pass_on
            )
        case _:
            return messages.Circular(
                title=call.title,
                period=call.period or call.title,
                body=call.body,
                pass_on=call.pass_on,
            )


async def _address(
    session: Session, desk: Desk, call: Call, wanted: Audience, now: datetime
) -> int:
    """Write, and send to, those who do not have it yet; how many these are."""
    await session.flush()
    rows = await session.scalars(select(Callee).where(Callee.call_id == call.id))
    have = {(row.peer, row.unit_id, row.person_id) for row in rows}
    found: list[Callee] = []
    for peer in await _offices(session, wanted):
        found.append(Callee(peer=peer))
    for unit in wanted.units:
        found.append(Callee(unit_id=(await units.find(session, unit)).id))
    for username in wanted.people:
        found.append(Callee(person_id=(await people.by_username(session, username)).id))
    if wanted.everyone:
        found.append(Callee())
    new = [c for c in found if (c.peer, c.unit_id, c.person_id) not in have]
    for callee in new:
        callee.id, callee.call_id = desk.new_id(), call.id
        if callee.peer is not None:
            to = NodeId(callee.peer)
            callee.message_id = outbox.post(session, desk, _message_of(call), to=to, now=now)
        session.add(callee)
    return len(new)


async def _offices(session: Session, wanted: Audience) -> list[str]:
    children = set(await session.scalars(select(Office.id).where(Office.relation == "child")))
    if wanted.all_offices:
        return sorted(children)
    for office in wanted.offices:
        if office not in children:
            raise UnknownOfficeError(f"{office} does not stand below this office")
    return sorted(set(wanted.offices))


async def _callee(session: Session, message_id: UUID, peer: str) -> Callee | None:
    return await session.scalar(
        select(Callee).where(Callee.message_id == message_id, Callee.peer == peer)
    )
