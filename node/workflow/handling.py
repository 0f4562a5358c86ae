"""How an assignment is carried out: signed for, handed back, answered, and judged.

Each use-case is one transaction:

 1. The actor's role may do this.
 2. The assignment is found and locked, and is the actor's to answer or to judge; its state allows
    it (`STEPS`).
 3. The answer or the judgement is written.
 4. Where the other end is another office, it is sent a message.
 5. An accepted answer becomes the facts `replied` and `implemented`, which the authors are told.
    What was refused goes back to whoever is to do it, with the reason.

`receive_answer` and `receive_verdict` take in the same from an office below and above. Their key is
the message's id: an answer is judged once, and whoever was restored may repeat what is known.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, StrictBool
from sqlalchemy import select

from node.assignment_errors import AssignmentStateError
from node.errors import ForbiddenError, InputError, ItemTakenError, UnsupportedTypeError
from node.storage.assignments import Assignment, Reply
from node.storage.database import Session
from node.workflow import (
    access,
    attachments,
    audit,
    cases,
    enclosures,
    outbox,
    outcomes,
)
from node.workflow.attachments import Named
from node.workflow.desk import Actor, Desk
from node.workflow.intake import Intake
from protocol.envelope import Opened
from protocol.identifiers import NodeId
from protocol.messages import work
from protocol.offices import Record, Text

REPLY, HAND_BACK = "reply", "hand_back"

STEPS: dict[str, tuple[tuple[str, ...], str]] = {
    "sign_for": (("given",), "signed_for"),
    "ask_hand_back": (("given", "signed_for"), "hand_back_asked"),
    "reply": (("signed_for",), "replied"),
    "accept_reply": (("replied",), "accepted"),
    "refuse_reply": (("replied",), "signed_for"),
    "accept_hand_back": (("hand_back_asked",), "handed_back"),
    "refuse_hand_back": (("hand_back_asked",), "signed_for"),
}
"""In which states each step is possible, and what it leaves behind."""

SETTLED = ("accepted", "handed_back")


class Answer(Record):
    """How an assignment was carried out. An unknown member is a mistake of the caller."""

    model_config = ConfigDict(extra="forbid", defer_build=False)

    text: Text
    degree: Literal["solved", "partly_solved", "planned", "not_solved"]
    implemented: StrictBool
    attachments: Annotated[tuple[Named, ...], Field(max_length=enclosures.MOST)] = ()


class Judgement(Record):
    """Whether an answer or a request to hand back is accepted; where not, why."""

    model_config = ConfigDict(extra="forbid", defer_build=False)

    accepted: StrictBool
    reason: Text | None = None


async def sign_for(desk: Desk, actor: Actor, assignment_id: UUID) -> None:
    """Take the work (签收)."""
    # 1.
    access.demand(actor, "handle")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        # 2.
        row = await _ours(session, desk, actor, assignment_id, "sign_for")
        # 3.
        cases.sign(row, actor, now)
        _note(session, now, actor, "assignment_signed_for", row)


async def ask_hand_back(desk: Desk, actor: Actor, assignment_id: UUID, reason: str) -> None:
    """Ask whoever gave the work to take it back (申退)."""
    # 1.
    access.demand(actor, "handle")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        # 2.
        row = await _ours(session, desk, actor, assignment_id, "ask_hand_back")
        # 3.
        _answer(session, desk, row, HAND_BACK, reason, by=actor.name, now=now)
        # 4.
        content = work.HandBackRequest(assignment=row.id, reason=reason)
        _send_up(session, desk, row, content, now)
        _note(session, now, actor, "hand_back_asked", row)


async def reply(desk: Desk, actor: Actor, assignment_id: UUID, answer: Answer) -> None:
    """Answer what came of the work (答复)."""
    # 1.
    access.demand(actor, "handle")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        # 2.
        row = await _ours(session, desk, actor, assignment_id, "reply")
        # 3.
        earlier = await session.scalars(select(Reply.id).where(Reply.assignment_id == row.id))
        files = await enclosures.choose(
            session, desk, actor, answer.attachments, now, of=earlier.all()
        )
        id = _answer(
            session,
            desk,
            row,
            REPLY,
            answer.text,
            by=actor.name,
            now=now,
            degree=answer.degree,
            implemented=answer.implemented,
        )
        enclosures.write(session, id, row.item_id, files)
        # 4.
        said = answer.model_dump(exclude={"attachments"}) | {"attachments": files or None}
        content = work.Outcome(assignment=row.id, unit=row.handler, **said)
        _send_up(session, desk, row, content, now)
        if row.source is not None:
            await attachments.offer(session, NodeId(row.source), files)
        _note(session, now, actor, "assignment_answered", row)


async def judge(desk: Desk, actor: Actor, assignment_id: UUID, given: Judgement) -> None:
    """Accept an answer or a request to hand back, or refuse it with a reason."""
    # 1.
    access.demand(actor, "judge_reply")
    if not given.accepted and given.reason is None:
        raise InputError("不同意的，请写明理由")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        # 2.
        row = await cases.locked(session, desk, actor, assignment_id)
        if row.source is not None:
            raise ForbiddenError(
                "the office that gave the work judges it",
                refused=access.refused(actor, "judge_reply"),
            )
        answered = await _unjudged(session, row)
        if answered is None:
            raise AssignmentStateError(row.state)
        # 3.
        _judge(row, answered, given.accepted, given.reason, by=actor.name, now=now)
        # 4.
        if row.office is not None:
            outbox.post(
                session,
                desk,
                work.Verdict(assignment=row.id, accepted=given.accepted, reason=given.reason),
                to=NodeId(row.office),
                now=now,
                subject=row.subject,
            )
        _note(
            session,
            now,
            actor,
            f"{answered.kind}_{'accepted' if given.accepted else 'refused'}",
            row,
        )
        # 5.
        if given.accepted and answered.kind == REPLY:
            await outcomes.tell(session, desk, actor, row, answered, now)


async def receive_answer(intake: Intake, message: Opened) -> bool:
    """Take in an answer from below; False while the assignment is not known here."""
    data = message.data
    if not isinstance(data, work.Outcome | work.HandBackRequest):
        raise UnsupportedTypeError
    row = await _known(intake, data.assignment)
    if row is None:
        return False
    if row.office != message.event.sender:
        raise ItemTakenError
    if row.state in SETTLED:
        return True  # repeated by an office that was restored: what was decided stands
    kind = REPLY if isinstance(data, work.Outcome) else HAND_BACK
    before = await _unjudged(intake.session, row)
    if before is not None:
        return True  # the one before waits for its judgement
    id = _answer(
        intake.session,
        intake.desk,
        row,
        kind,
        data.text if isinstance(data, work.Outcome) else data.reason,
        by=data.unit if isinstance(data, work.Outcome) else row.handler,
        now=intake.now,
        degree=data.degree if isinstance(data, work.Outcome) else None,
        implemented=data.implemented if isinstance(data, work.Outcome) else None,
    )
    files = (data.attachments or ()) if isinstance(data, work.Outcome) else ()
    await enclosures.take(
        intake.session, intake.desk, id, row.item_id, files, message.event.sender, intake.now
    )
    _note(intake.session, intake.now, message.event.sender, "assignment_answered", row)
    return True


async def receive_verdict(intake: Intake, message: Opened) -> bool:
    """Take in what the office above says of our answer; False while that is not known here."""
    data = message.data
    if not isinstance(data, work.Verdict):
        raise UnsupportedTypeError
    row = await _known(intake, data.assignment)
    if row is None:
        return False
    if row.source != message.event.sender:
        raise ItemTakenError
    answered = await _unjudged(intake.session, row)
    if answered is None:
        # Of an answer that this office had given before it was restored.
        return row.state in SETTLED
    _judge(row, answered, data.accepted, data.reason, by=message.event.sender, now=intake.now)
    _note(intake.session, intake.now, message.event.sender, "verdict_received", row)
    return True


async def restore(
    session: Session, desk: Desk, message: Opened, data: Record, now: datetime
) -> None:
    """Enter again what this office had answered or judged, after a restore."""
    assert isinstance(data, work.Outcome | work.HandBackRequest | work.Verdict)
    row = await session.get(Assignment, data.assignment, with_for_update=True)
    if row is None or row.state in SETTLED:
        return
    answered = await _unjudged(session, row)
    match data:
        case work.Outcome() if answered is None:
            id = _answer(
                session,
                desk,
                row,
                REPLY,
                data.text,
                by=data.unit,
                now=message.event.time,
                degree=data.degree,
                implemented=data.implemented,
            )
            # Whoever has the answer may have its files still.
            above, files = message.event.addressee, data.attachments or ()
            await enclosures.take(session, desk, id, row.item_id, files, above, now)
            await attachments.offer(session, above, files)
        case work.HandBackRequest() if answered is None:
            _answer(
                session, desk, row, HAND_BACK, data.reason, by=row.handler, now=message.event.time
            )
        case work.Verdict() if answered is not None:
            _judge(row, answered, data.accepted, data.reason, by=desk.office.name, now=now)
        case _:
            pass
    await session.flush()


async def _ours(
    session: Session, desk: Desk, actor: Actor, assignment_id: UUID, step: str
) -> Assignment:
    row = await cases.locked(session, desk, actor, assignment_id)
    cases.demand_handler(actor, row)
    states, _ = STEPS[step]
    if row.state not in states:
        raise AssignmentStateError(row.state)
    return row


async def _known(intake: Intake, assignment_id: UUID) -> Assignment | None:
    # This very batch may have brought it.
    await intake.session.flush()
    return await intake.session.get(Assignment, assignment_id, with_for_update=True)


async def _unjudged(session: Session, row: Assignment) -> Reply | None:
    return await session.scalar(
        select(Reply).where(Reply.assignment_id == row.id, Reply.decided_at.is_(None)).limit(1)
    )


def _answer(
    session: Session,
    desk: Desk,
    row: Assignment,
    kind: str,
    text: str,
    *,
    by: str,
    now: datetime,
    degree: str | None = None,
    implemented: bool | None = None,
) -> UUID:
    id = desk.new_id()
    session.add(
        Reply(
            id=id,
            assignment_id=row.id,
            kind=kind,
            text=text,
            degree=degree,
            implemented=implemented,
            by=by,
            at=now,
        )
    )
    _, row.state = STEPS["reply" if kind == REPLY else "ask_hand_back"]
    return id


def _judge(
    row: Assignment,
    answered: Reply,
    accepted: bool,
    reason: str | None,
    *,
    by: str,
    now: datetime,
) -> None:
    answered.accepted, answered.reason = accepted, reason
    answered.decided_by, answered.decided_at = by, now
    _, row.state = STEPS[f"{'accept' if accepted else 'refuse'}_{answered.kind}"]
    if accepted:
        row.settled_at = now


def _send_up(session: Session, desk: Desk, row: Assignment, content: Record, now: datetime) -> None:
    if row.source is not None:
        to = NodeId(row.source)
        outbox.post(session, desk, content, to=to, now=now, subject=row.subject)


def _note(
    session: Session, now: datetime, actor: Actor | str, action: str, row: Assignment
) -> None:
    audit.note(session, now, actor=actor, action=action, subject=row.id)
