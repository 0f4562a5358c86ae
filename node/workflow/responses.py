"""Who has read a call, who answered it, and who has not: what is known at this office."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, false, func, select

from node.storage.calls import Call, Callee, CallReading
from node.storage.database import Session
from node.storage.items import Item, ItemAuthor
from node.storage.offices import Office
from node.storage.people import Membership, Person, Unit
from node.workflow import access, calls
from node.workflow.access import Scope
from node.workflow.desk import Actor, Desk
from protocol.lifecycle import State

EVERYONE = "全体撰稿人"


@dataclass(frozen=True)
class Response:
    """One of those to whom a call goes. `readers`: how many here have read it."""

    kind: str
    name: str
    read_at: datetime | None
    readers: int
    answers: int
    late: int
    """Of the answers, how many came after the date or after the end."""
    overdue: bool


@dataclass(frozen=True)
class CallView:
    """A call as one person sees it; who else has it is shown to editors, one call at a time."""

    call: Call
    read: bool
    answers: Sequence[UUID]
    late: frozenset[UUID]
    """Of the answers, those that came after the date or after the end."""
    responses: Sequence[Response]


async def list_calls(desk: Desk, actor: Actor, *, limit: int = 50) -> Sequence[CallView]:
    """The calls that are meant for the actor, or all of the office, the newest first."""
    access.demand(actor, "read_calls")
    async with desk.database.reading() as session:
        query = select(Call).order_by(Call.made_at.desc(), Call.id.desc()).limit(limit)
        if access.scope(actor, "read_calls") is Scope.OWN:
            query = query.where(
                Call.id.in_(select(Callee.call_id).where(calls.meant_for(desk, actor)))
            )
        rows = await session.scalars(query)
        return [await _view(session, desk, actor, call, whole=False) for call in rows.all()]


async def view(desk: Desk, actor: Actor, call_id: UUID) -> CallView:
    """One call. Raises `UnknownCallError`."""
    access.demand(actor, "read_calls")
    async with desk.database.reading() as session:
        call = await calls.visible(session, desk, actor, call_id)
        return await _view(session, desk, actor, call, whole=True)


async def _view(session: Session, desk: Desk, actor: Actor, call: Call, *, whole: bool) -> CallView:
    edits = access.scope(actor, "read_calls") is Scope.ALL
    mine = (
        select(Item.id, Item.created_at)
        .where(Item.answers_id == call.id)
        .order_by(Item.created_at, Item.id)
    )
    if not edits:
        mine = mine.join(ItemAuthor, ItemAuthor.item_id == Item.id).where(
            ItemAuthor.person_id == actor.id
        )
    answers = (await session.execute(mine)).all()
    last = last_moment(call)
    return CallView(
        call,
        await session.get(CallReading, (call.id, actor.id)) is not None,
        [row.id for row in answers],
        frozenset(row.id for row in answers if last is not None and row.created_at > last),
        await _responses(session, desk, call) if edits and whole else (),
    )


def last_moment(call: Call) -> datetime | None:
    """When an answer has to be here at the latest, if at all."""
    return min((at for at in (call.due, call.ended_at) if at is not None), default=None)


async def _responses(session: Session, desk: Desk, call: Call) -> list[Response]:
    now = desk.clock()
    last = last_moment(call)
    late = call.kind == "solicitation" and last is not None and last < now
    # Of what was withdrawn nobody owes an answer.
    late = late and call.ended != "withdrawn"
    rows = await session.execute(
        select(Callee, Office.name, Unit.name, Person.name)
        .outerjoin(Office, Office.id == Callee.peer)
        .outerjoin(Unit, Unit.id == Callee.unit_id)
        .outerjoin(Person, Person.id == Callee.person_id)
        .where(Callee.call_id == call.id)
        .order_by(Office.name, Unit.name, Person.name, Callee.id)
    )
    found = []
    for callee, office, unit, person in rows.all():
        kind = "office" if office else "unit" if unit else "person" if person else "everyone"
        answering = _answering(callee)
        answers = await _count(session, call, answering)
        after = answering & (Item.created_at > last) if last is not None else false()
        readers = 0 if office else await _readers(session, call, callee)
        found.append(
            Response(
                kind,
                office or unit or person or EVERYONE,
                callee.read_at,
                readers,
                answers,
                await _count(session, call, after) if answers else 0,
                late and answers == 0,
            )
        )
    return found


def _answering(callee: Callee) -> ColumnElement[bool]:
    if callee.peer is not None:
        return Item.source == callee.peer
    written = select(ItemAuthor.item_id)
    if callee.person_id is not None:
        written = written.where(ItemAuthor.person_id == callee.person_id)
    if callee.unit_id is not None:
        members = select(Membership.person_id).where(Membership.unit_id == callee.unit_id)
        written = written.where(ItemAuthor.person_id.in_(members))
    return Item.source.is_(None) & Item.id.in_(written)


async def _count(session: Session, call: Call, where: ColumnElement[bool]) -> int:
    query = (
        select(func.count())
        .select_from(Item)
        .where(Item.answers_id == call.id, Item.state != State.WITHDRAWN, where)
    )
    return await session.scalar(query) or 0


async def _readers(session: Session, call: Call, callee: Callee) -> int:
    query = select(func.count()).select_from(CallReading).where(CallReading.call_id == call.id)
    if callee.person_id is not None:
        query = query.where(CallReading.person_id == callee.person_id)
    if callee.unit_id is not None:
        members = select(Membership.person_id).where(Membership.unit_id == callee.unit_id)
        query = query.where(CallReading.person_id.in_(members))
    return await session.scalar(query) or 0
