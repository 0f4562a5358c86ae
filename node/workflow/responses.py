"""Who has read a call, who answered it, and who has not: what is known at this office."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, case, func, null, select

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
class Answer:
    """An item that answers a call; `late` where it came after the date or after the end."""

    item_id: UUID
    title: str
    at: datetime
    late: bool


@dataclass(frozen=True)
class CallView:
    """A call as one person sees it, with how many `answered` it.

    Which items these are, and who else has the call, is told of one call at a time, the latter to
    editors.
    """

    call: Call
    read: bool
    answered: int
    answers: Sequence[Answer] = ()
    responses: Sequence[Response] = ()

    @property
    def late(self) -> frozenset[UUID]:
        """Of the answers, those that came too late."""
        return frozenset(answer.item_id for answer in self.answers if answer.late)


async def list_calls(desk: Desk, actor: Actor, *, limit: int = 50) -> Sequence[CallView]:
    """The calls that are meant for the actor, or all of the office, the newest first."""
    access.demand(actor, "read_calls")
    query = select(Call).order_by(Call.made_at.desc(), Call.id.desc()).limit(limit)
    if not _edits(actor):
        query = query.where(Call.id.in_(select(Callee.call_id).where(calls.meant_for(desk, actor))))
    async with desk.database.reading() as session:
        found = (await session.scalars(query)).all()
        ids = [call.id for call in found]
        reading = select(CallReading.call_id).where(
            CallReading.person_id == actor.id, CallReading.call_id.in_(ids)
        )
        read = set(await session.scalars(reading))
        counting = _answers(actor).where(Item.answers_id.in_(ids)).group_by(Item.answers_id)
        rows = await session.execute(counting.with_only_columns(Item.answers_id, func.count()))
        answered = dict(rows.all())
        return [CallView(call, call.id in read, answered.get(call.id, 0)) for call in found]


async def view(
    desk: Desk, actor: Actor, call_id: UUID, *, offset: int = 0, limit: int | None = None
) -> CallView:
    """One call, with its answers, or a part of them. Raises `UnknownCallError`."""
    access.demand(actor, "read_calls")
    async with desk.database.reading() as session:
        call = await calls.visible(session, desk, actor, call_id)
        last = last_moment(call)
        answers = _answers(actor).where(Item.answers_id == call.id)
        count = await session.scalar(answers.with_only_columns(func.count()))
        rows = await session.execute(
            answers.order_by(Item.created_at, Item.id).offset(offset).limit(limit)
        )
        return CallView(
            call,
            await session.get(CallReading, (call.id, actor.id)) is not None,
            count or 0,
            [Answer(id, title, at, last is not None and at > last) for id, title, at in rows],
            await _responses(session, desk, call, last) if _edits(actor) else (),
        )


def last_moment(call: Call) -> datetime | None:
    """When an answer has to be here at the latest, if at all."""
    return min((at for at in (call.due, call.ended_at) if at is not None), default=None)


def _edits(actor: Actor) -> bool:
    return access.scope(actor, "read_calls") is Scope.ALL


def _answers(actor: Actor) -> Select[UUID, str, datetime]:
    """The answering items that the actor may see."""
    query = select(Item.id, Item.title, Item.created_at).select_from(Item)
    if not _edits(actor):
        query = query.join(ItemAuthor, ItemAuthor.item_id == Item.id).where(
            ItemAuthor.person_id == actor.id
        )
    return query


async def _responses(
    session: Session, desk: Desk, call: Call, last: datetime | None
) -> list[Response]:
    """Everybody who has the call: a few queries for however many they are."""
    late = call.kind == "solicitation" and last is not None and last < desk.clock()
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
    answers, readers = await _tallied(session, call, last), await _readers(session, call)
    found = []
    for callee, office, unit, person in rows.all():
        kind = "office" if office else "unit" if unit else "person" if person else "everyone"
        who = callee.peer or callee.unit_id or callee.person_id
        count, after = answers.get(who, (0, 0))
        found.append(
            Response(
                kind,
                office or unit or person or EVERYONE,
                callee.read_at,
                0 if office else readers.get(who, 0),
                count,
                after,
                late and count == 0,
            )
        )
    return found


Who = str | UUID | None
"""An office below, a unit or a person; None is every author here."""


async def _tallied(
    session: Session, call: Call, last: datetime | None
) -> dict[Who, tuple[int, int]]:
    """How many items answered from whom, and how many of them too late."""
    after = case((Item.created_at > last, Item.id)) if last is not None else null()
    counted = (func.count(Item.id.distinct()), func.count(after.distinct()))
    answering = (Item.answers_id == call.id, Item.state != State.WITHDRAWN)
    here = (*answering, Item.source.is_(None))
    belongs = Membership.person_id == ItemAuthor.person_id
    queries = (
        select(Item.source, *counted)
        .where(*answering, Item.source.is_not(None))
        .group_by(Item.source),
        select(ItemAuthor.person_id, *counted)
        .join(ItemAuthor, ItemAuthor.item_id == Item.id)
        .where(*here)
        .group_by(ItemAuthor.person_id),
        select(Membership.unit_id, *counted)
        .join(ItemAuthor, ItemAuthor.item_id == Item.id)
        .join(Membership, belongs)
        .where(*here)
        .group_by(Membership.unit_id),
        select(null(), *counted).join(ItemAuthor, ItemAuthor.item_id == Item.id).where(*here),
    )
    return {
        who: (count, late) for query in queries for who, count, late in await session.execute(query)
    }


async def _readers(session: Session, call: Call) -> dict[Who, int]:
    """How many people here have read the call, by unit, by person, and in all."""
    readers = func.count(CallReading.person_id.distinct())
    mine = CallReading.call_id == call.id
    belongs = Membership.person_id == CallReading.person_id
    queries = (
        select(CallReading.person_id, readers).where(mine).group_by(CallReading.person_id),
        select(Membership.unit_id, readers)
        .select_from(CallReading)
        .join(Membership, belongs)
        .where(mine)
        .group_by(Membership.unit_id),
        select(null(), readers).where(mine),
    )
    return {who: count for query in queries for who, count in await session.execute(query)}
