"""Issues (编发): ordinary issues, reports to leaders, urgent relays, and referrals to who can act.

`sign` is one transaction:

 1. The actor's role may do this; the issue is a draft, as the actor saw it, with items in it and
    somebody to whom it goes.
 2. All its items are found and locked; the state of each allows it (`lifecycle`). Each stands there
    with its newest edition, which is signed where the office has an approval chain.
 3. The issue gets the next number of its series and year.
 4. Of each item the facts are recorded: `published`, and `adopted` where it was not before, as one
    of several if it is a combined item. A referral (转送) adopts nothing: `referred`.
 5. The audit row is written.

`withdraw` is the other way: of each item that was adopted by this issue, and stands in no other
signed one, `adoption_retracted` is told with the reason, and it lies at the desk again. What is
closed, or part of a combined item by now, stays as it is. The number is not given again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field
from sqlalchemy import delete, select

from node.errors import InputError
from node.issue_errors import (
    EmptyIssueError,
    IssueChangedError,
    IssueStateError,
    UnknownIssueError,
)
from node.storage.database import Session
from node.storage.events import Event
from node.storage.issues import Issue, Placing
from node.storage.items import Edition, Item
from node.workflow import (
    access,
    audit,
    editing,
    items,
    lineage,
    numbers,
    record,
    reviews,
)
from node.workflow.desk import Actor, Desk
from protocol.errors import LifecycleError
from protocol.lifecycle import Action, State
from protocol.messages import facts
from protocol.offices import Line, Record

Series = Literal["general_issue", "special_report", "urgent_relay", "referral"]
DRAFT, SIGNED, WITHDRAWN = "draft", "signed", "withdrawn"
MOST = 100


class Layout(Record):
    """What an issue holds and to whom it goes. An unknown member is a mistake of the caller."""

    model_config = ConfigDict(extra="forbid", defer_build=False)

    title: Line
    primary_recipients: Annotated[tuple[Line, ...], Field(max_length=50)] = ()
    copy_recipients: Annotated[tuple[Line, ...], Field(max_length=50)] = ()
    copies: Annotated[int, Field(ge=0, le=100_000)] = 0
    items: Annotated[tuple[UUID, ...], Field(max_length=MOST)] = ()


class NewIssue(Layout):
    """An issue to be begun."""

    series: Series


@dataclass(frozen=True)
class Placed:
    """An item in an issue, with the text that stands there."""

    item: Item
    edition: Edition


@dataclass(frozen=True)
class IssueView:
    """An issue with what stands in it, in its order."""

    issue: Issue
    items: Sequence[Placed]


async def begin(desk: Desk, actor: Actor, wanted: NewIssue) -> UUID:
    """Begin an issue. Returns its id."""
    access.demand(actor, "compose_issue")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        issue = Issue(
            id=desk.new_id(), series=wanted.series, state=DRAFT, made_at=now, made_by=actor.name
        )
        session.add(issue)
        await _lay_out(session, desk, actor, issue, wanted)
        audit.note(session, now, actor=actor, action="issue_begun", subject=issue.id)
    return issue.id


async def change(desk: Desk, actor: Actor, issue_id: UUID, version: int, wanted: Layout) -> None:
    """Lay the draft out anew. Raises `IssueChangedError`, `IssueStateError`."""
    access.demand(actor, "compose_issue")
    async with desk.database.writing.begin() as session:
        issue = await _locked(session, issue_id, DRAFT, version)
        issue.version += 1
        await _lay_out(session, desk, actor, issue, wanted)
        audit.note(session, desk.clock(), actor=actor, action="issue_changed", subject=issue.id)


async def drop(desk: Desk, actor: Actor, issue_id: UUID, version: int) -> None:
    """Throw a draft away. Raises `IssueChangedError`, `IssueStateError`."""
    access.demand(actor, "compose_issue")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        issue = await _locked(session, issue_id, DRAFT, version)
        await session.execute(delete(Placing).where(Placing.issue_id == issue.id))
        await session.delete(issue)
        audit.note(session, now, actor=actor, action="issue_dropped", subject=issue.id)


async def sign(desk: Desk, actor: Actor, issue_id: UUID, version: int) -> str:
    """Sign the issue. Returns how it is cited."""
    # 1.
    access.demand(actor, "sign_issue")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        issue = await _locked(session, issue_id, DRAFT, version)
        placings = await _placings(session, issue.id)
        if not placings or not issue.primary_recipients:
            raise EmptyIssueError
        # 2.
        placed = await lineage.locked(session, [placing.item_id for placing in placings])
        for placing in placings:
            item = await items.locked(session, desk, actor, placing.item_id, "sign_issue")
            await editing.demand_newest(session, item, placing.edition)
            await reviews.demand_signed(session, item)
            items.advance(desk, item, _action(issue, item))
        # 3.
        pattern = getattr(desk.numbers, issue.series)
        issue.year, issue.number = await numbers.take(session, numbers.of_issues(issue.series), now)
        issue.label = numbers.spell(pattern, issue.year, issue.number)
        issue.state, issue.signed_at, issue.signed_by = SIGNED, now, actor.name
        # 4.
        for placing in placings:
            await _tell(session, desk, actor, issue, placed[placing.item_id], now)
        # 5.
        audit.note(session, now, actor=actor, action="issue_signed", subject=issue.id)
    return issue.label


async def withdraw(desk: Desk, actor: Actor, issue_id: UUID, reason: str) -> None:
    """Withdraw a signed issue, with a reason. Raises `IssueStateError`, `LifecycleError`."""
    access.demand(actor, "sign_issue")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        issue = await _locked(session, issue_id, SIGNED)
        placings = await _placings(session, issue.id)
        placed = await lineage.locked(session, [placing.item_id for placing in placings])
        issue.state, issue.reason = WITHDRAWN, reason
        issue.withdrawn_at, issue.withdrawn_by = now, actor.name
        for placing in placings:
            item = placed[placing.item_id]
            if item.purged_at is not None or issue.series == "referral":
                continue
            if not await _adopted_by(session, desk, item, issue):
                continue
            if await _stands_elsewhere(session, item, issue):
                continue
            try:
                state = items.advance(desk, item, Action.RETRACT)
            except LifecycleError:
                audit.note(
                    session, now, actor=actor, action="adoption_not_retracted", subject=item.id
                )
                continue
            await record.own_fact(
                session,
                desk,
                item,
                facts.AdoptionRetracted,
                state=state,
                now=now,
                actor=actor,
                reason=reason,
            )
        audit.note(session, now, actor=actor, action="issue_withdrawn", subject=issue.id)


async def list_issues(
    desk: Desk, actor: Actor, *, state: str | None = None, limit: int = 50, offset: int = 0
) -> Sequence[Issue]:
    """The issues, the newest first."""
    access.demand(actor, "read_issues")
    query = select(Issue).order_by(Issue.made_at.desc(), Issue.id.desc())
    if state is not None:
        query = query.where(Issue.state == state)
    async with desk.database.reading() as session:
        return (await session.scalars(query.offset(offset).limit(limit))).all()


async def view(desk: Desk, actor: Actor, issue_id: UUID) -> IssueView:
    """One issue with what stands in it. Raises `UnknownIssueError`."""
    access.demand(actor, "read_issues")
    async with desk.database.reading() as session:
        issue = await session.get(Issue, issue_id)
        if issue is None:
            raise UnknownIssueError
        query = (
            select(Item, Edition)
            .join(Placing, Placing.item_id == Item.id)
            .join(Edition, (Edition.item_id == Item.id) & (Edition.number == Placing.edition))
            .where(Placing.issue_id == issue.id)
            .order_by(Placing.position)
        )
        found = [Placed(item, edition) for item, edition in await session.execute(query)]
    return IssueView(issue, found)


def _action(issue: Issue, item: Item) -> Action:
    if issue.series == "referral":
        return Action.REFER
    return Action.PUBLISH if item.state == State.ADOPTED else Action.ADOPT


async def _lay_out(
    session: Session, desk: Desk, actor: Actor, issue: Issue, wanted: Layout
) -> None:
    if len(set(wanted.items)) < len(wanted.items):
        raise InputError("同一件信息在一期里只能出现一次")
    issue.title, issue.copies = wanted.title, wanted.copies
    issue.primary_recipients = list(wanted.primary_recipients)
    issue.copy_recipients = list(wanted.copy_recipients)
    await session.execute(delete(Placing).where(Placing.issue_id == issue.id))
    # In the order of their ids: two who lay out the same items never wait for each other.
    await lineage.locked(session, wanted.items)
    for position, item_id in enumerate(wanted.items):
        item = await items.locked(session, desk, actor, item_id, "compose_issue")
        items.advance(desk, item, _action(issue, item))
        session.add(
            Placing(issue_id=issue.id, position=position, item_id=item.id, edition=item.edition)
        )


async def _locked(
    session: Session, issue_id: UUID, state: str, version: int | None = None
) -> Issue:
    issue = await session.get(Issue, issue_id, with_for_update=True)
    if issue is None:
        raise UnknownIssueError
    if issue.state != state:
        raise IssueStateError(issue.state)
    if version is not None and issue.version != version:
        raise IssueChangedError(f"第 {version} 版之后又有改动")
    return issue


async def _placings(session: Session, issue_id: UUID) -> Sequence[Placing]:
    rows = await session.scalars(
        select(Placing).where(Placing.issue_id == issue_id).order_by(Placing.position)
    )
    return rows.all()


async def _tell(
    session: Session, desk: Desk, actor: Actor, issue: Issue, item: Item, now: datetime
) -> None:
    if issue.series == "referral":
        await record.own_fact(
            session,
            desk,
            item,
            facts.Referred,
            state=items.advance(desk, item, Action.REFER),
            now=now,
            actor=actor,
            to="、".join(issue.primary_recipients),
        )
        return
    adopted = item.state == State.ADOPTED
    await record.own_fact(
        session,
        desk,
        item,
        facts.Published,
        state=items.advance(desk, item, Action.PUBLISH),
        now=now,
        actor=actor,
        series=issue.series,
        issue=issue.label,
    )
    if not adopted:
        await record.own_fact(
            session,
            desk,
            item,
            facts.Adopted,
            state=items.advance(desk, item, Action.ADOPT),
            now=now,
            actor=actor,
            manner="single",
            issue=issue.label,
        )


async def _adopted_by(session: Session, desk: Desk, item: Item, issue: Issue) -> bool:
    """Whether this issue adopted the item, and not an editor by hand, or another issue."""
    newest = await session.scalar(
        select(Event.data)
        .where(
            Event.item_id == item.id,
            Event.about == item.id,
            Event.office == desk.node,
            Event.kind == "adopted",
        )
        .order_by(Event.sequence.desc())
        .limit(1)
    )
    return newest is not None and newest.get("issue") == issue.label


async def _stands_elsewhere(session: Session, item: Item, issue: Issue) -> bool:
    others = (
        select(Placing.issue_id)
        .join(Issue, Issue.id == Placing.issue_id)
        .where(
            Placing.item_id == item.id,
            Issue.id != issue.id,
            Issue.state == SIGNED,
            Issue.series != "referral",
        )
    )
    return await session.scalar(others.limit(1)) is not None
