"""Assignments (交办): work is given to a handling unit of this office or to an office below.

`assign` is one transaction:

 1. The actor's role may do this; the date is a working day that has not passed.
 2. The item is found and locked; the state allows it (`lifecycle`).
 3. Who is to do it: a unit that handles cases, or an office below. One leads, others assist.
 4. The assignment is written.
 5. An office below is sent it, under the item that it knows: its own, where that is part of a
    combined one.
 6. The fact `assigned` is recorded, which the authors are told.

`pass_on` gives work that came from above to a unit here or further down; of 2 and 6 it does what
the item allows.
`receive` takes in work from above; the business key is the assignment's id. What is answered, and
what becomes of that, is in `workflow/handling`.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import ConfigDict, Field, StrictBool, model_validator
from sqlalchemy import or_, select

from node.assignment_errors import AssignmentStateError
from node.errors import InputError, UnknownOfficeError, UnsupportedTypeError
from node.people_errors import UnitStateError
from node.storage.assignments import Assignment
from node.storage.database import Session
from node.storage.items import Item
from node.storage.offices import Office
from node.storage.people import Unit
from node.workflow import access, audit, cases, items, outbox, record, units, workdays
from node.workflow.calendar import day_of
from node.workflow.desk import Actor, Desk
from node.workflow.intake import Intake
from protocol.envelope import Opened
from protocol.errors import LifecycleError
from protocol.identifiers import NodeId
from protocol.lifecycle import Action, State
from protocol.messages import facts, work
from protocol.offices import Day, Line, Record, Text

HANDLING = ("department", "handling_unit")
"""Kinds of unit that handle cases."""

OPEN = ("given", "signed_for", "hand_back_asked", "replied")


class Order(Record):
    """What is to be done, by whom and until when. An unknown member is a mistake of the caller."""

    model_config = ConfigDict(extra="forbid", defer_build=False)

    unit: Line | None = None
    """A handling unit of this office, by its code or name."""
    office: Line | None = None
    """An office below, by its id."""
    lead: StrictBool = True
    text: Text
    due: Day | None = None
    working_days: Annotated[int, Field(ge=1, le=250)] | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.unit is None) == (self.office is None):
            raise ValueError("an assignment goes to a unit or to an office below")
        if self.due is not None and self.working_days is not None:
            raise ValueError("a date or a number of working days, not both")
        return self


async def assign(desk: Desk, actor: Actor, item_id: UUID, order: Order) -> UUID:
    """Let somebody do something about an item. Returns the assignment's id."""
    # 1.
    access.demand(actor, Action.ASSIGN)
    now = desk.clock()
    due = _due(order, now)
    async with desk.database.writing.begin() as session:
        # 2.
        item = await items.locked(session, desk, actor, item_id, Action.ASSIGN)
        state = items.advance(desk, item, Action.ASSIGN)
        # 3.
        if order.lead:
            await _demand_no_lead(session, Assignment.item_id == item.id)
        unit, office = await _handler(session, order)
        # 4.
        row = _row(desk, actor, order, unit, office, due, now)
        row.item_id, row.subject = item.id, item.id
        # 5.
        if office is not None:
            row.subject = await _known_there(session, item, office)
            _send(session, desk, row, now, item.urgency)
        session.add(row)
        # 6.
        await _tell(session, desk, actor, item, row, state, now)
    return row.id


async def pass_on(desk: Desk, actor: Actor, assignment_id: UUID, order: Order) -> UUID:
    """Give work that came from above to a unit here or further down. Returns the new id."""
    # 1.
    access.demand(actor, Action.ASSIGN)
    now = desk.clock()
    due = _due(order, now)
    async with desk.database.writing.begin() as session:
        given = await cases.locked(session, desk, actor, assignment_id)
        if given.source is None or given.state not in ("given", "signed_for"):
            raise AssignmentStateError(given.state)
        if due is None or (given.due is not None and due > given.due):
            due = given.due
        # 3.
        if order.lead:
            await _demand_no_lead(session, Assignment.parent_id == given.id)
        unit, office = await _handler(session, order)
        # 4.
        row = _row(desk, actor, order, unit, office, due, now)
        row.item_id, row.subject, row.parent_id = given.item_id, given.subject, given.id
        session.add(row)
        if given.state == "given":
            cases.sign(given, actor, now)
        # 2., 5., 6.
        item = await session.get(Item, given.item_id or given.subject, with_for_update=True)
        if office is not None:
            if item is not None:
                row.subject = await _known_there(session, item, office)
            _send(session, desk, row, now, item.urgency if item is not None else "normal")
        state = _allowed(desk, item)
        if item is not None and state is not None:
            await _tell(session, desk, actor, item, row, state, now)
        else:
            _note(session, now, actor, "assignment_passed_on", row)
    return row.id


async def receive(intake: Intake, message: Opened) -> None:
    """Take in work from above, once. What waits for it is released."""
    data = message.data
    if not isinstance(data, work.Assignment) or message.event.subject is None:
        raise UnsupportedTypeError
    intake.awaited.add(message.event.subject)
    await intake.session.flush()
    if await intake.session.get(Assignment, data.assignment) is not None:
        return
    item = intake.items.get(message.event.subject)
    intake.session.add(
        Assignment(
            id=data.assignment,
            item_id=item.id if item else None,
            subject=message.event.subject,
            source=message.event.sender,
            handler=data.unit,
            lead=True,
            text=data.text,
            due=data.due,
            state="given",
            given_at=message.event.time,
            given_by=message.event.sender,
        )
    )
    audit.note(
        intake.session,
        intake.now,
        actor=message.event.sender,
        action="assignment_received",
        subject=data.assignment,
    )


async def restore(session: Session, desk: Desk, message: Opened, given: work.Assignment) -> None:
    """Enter again what this office had given to an office below, after a restore."""
    if await session.get(Assignment, given.assignment) is not None:
        return
    assert message.event.subject is not None
    item = await session.get(Item, message.event.subject)
    session.add(
        Assignment(
            id=given.assignment,
            item_id=(item.merged_into or item.id) if item else None,
            subject=message.event.subject,
            office=message.event.addressee,
            handler=given.unit,
            lead=True,
            text=given.text,
            due=given.due,
            state="given",
            given_at=message.event.time,
            given_by=desk.office.name,
        )
    )
    await session.flush()


def _due(order: Order, now: datetime) -> date | None:
    today = day_of(now)
    if order.working_days is not None:
        return workdays.after(today, order.working_days)
    if order.due is not None and order.due < today:
        raise InputError("办理期限已经过去")
    return order.due


async def _demand_no_lead(session: Session, where: object) -> None:
    leads = select(Assignment.handler).where(
        where,  # type: ignore[arg-type]
        Assignment.lead,
        Assignment.state.in_(OPEN),
    )
    if (handler := await session.scalar(leads.limit(1))) is not None:
        raise InputError(f"已由{handler}主办；再交其他单位的，请选择协办")


async def _handler(session: Session, order: Order) -> tuple[Unit | None, Office | None]:
    if order.unit is not None:
        unit = await units.find(session, order.unit)
        if unit.closed_on is not None or unit.kind not in HANDLING:
            raise UnitStateError(f"{unit.name} handles no cases")
        return unit, None
    office = await session.get(Office, order.office)
    if office is None or office.relation != "child":
        raise UnknownOfficeError(f"{order.office} does not stand below this office")
    return None, office


def _row(
    desk: Desk,
    actor: Actor,
    order: Order,
    unit: Unit | None,
    office: Office | None,
    due: date | None,
    now: datetime,
) -> Assignment:
    named = unit or office
    assert named is not None
    return Assignment(
        id=desk.new_id(),
        unit_id=unit.id if unit else None,
        office=office.id if office else None,
        handler=named.name,
        lead=order.lead,
        text=order.text,
        due=due,
        state="given",
        given_at=now,
        given_by=actor.name,
    )


async def _known_there(session: Session, item: Item, office: Office) -> UUID:
    """The item under which the office below knows this one: its own, if it is part of it."""
    parts = [item.id]
    while parts:
        rows = (
            await session.execute(
                select(Item.id, Item.source)
                .where(or_(Item.id.in_(parts), Item.merged_into.in_(parts)))
                .order_by(Item.created_at, Item.id)
            )
        ).all()
        theirs = [id for id, source in rows if source == office.id]
        if theirs:
            return theirs[0]
        deeper = [id for id, _ in rows if id not in parts]
        parts = deeper
    return item.id


def _send(session: Session, desk: Desk, row: Assignment, now: datetime, urgency: str) -> None:
    assert row.office is not None
    content = work.Assignment(assignment=row.id, unit=row.handler, text=row.text, due=row.due)
    to = NodeId(row.office)
    outbox.post(session, desk, content, to=to, now=now, subject=row.subject, urgency=urgency)


async def _tell(
    session: Session,
    desk: Desk,
    actor: Actor,
    item: Item,
    row: Assignment,
    state: State,
    now: datetime,
) -> None:
    await record.own_fact(
        session,
        desk,
        item,
        facts.Assigned,
        state=state,
        now=now,
        actor=actor,
        to=row.handler,
        due=row.due,
    )


def _allowed(desk: Desk, item: Item | None) -> State | None:
    """The item's state after the deed; None where nothing may be said of it any more."""
    if item is None or item.purged_at is not None:
        return None
    try:
        return items.advance(desk, item, Action.ASSIGN)
    except LifecycleError:
        return None


def _note(session: Session, now: datetime, actor: Actor, action: str, row: Assignment) -> None:
    audit.note(session, now, actor=actor, action=action, subject=row.id, to=row.handler)
