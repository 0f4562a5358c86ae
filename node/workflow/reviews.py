"""Review and signing (审核、签发): an edition goes along the office's approval chain.

`send` is one transaction:

 1. The actor's role may do this; the office has a chain.
 2. The item is found and locked, and nobody else has claimed it; the state allows it (`lifecycle`);
    this edition is the newest, and is not in review already.
 3. Where the chain demands it, the edition has passed the five checks.
 4. The review begins at the first step; the claim ends: the editor is done with it.
 5. The event and the audit row are written.

`approve`, `skip` and `send_back`, too:

 1. The actor's role may review at all.
 2. The item is found and locked; it is in review, with this edition, which is still the newest.
 3. The actor takes this step: by his own role or as a deputy, and as another person than those
    before him where the chain wants one. Who passes over a step has a role that may.
 4. What he said is kept; the review goes on to the next step, or ends: signed, or sent back.
 5. The event and the audit row are written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import aliased

from node.desk_errors import (
    ChecksError,
    InReviewError,
    NoChainError,
    NoReviewError,
    NotSignedError,
)
from node.errors import ForbiddenError
from node.storage.database import Session
from node.storage.desk import Review, Vote
from node.storage.items import Edition, Item
from node.storage.people import Person
from node.workflow import (
    access,
    chains,
    checks,
    claims,
    deputies,
    editing,
    items,
    phrases,
    record,
)
from node.workflow.chains import ChainView, Step
from node.workflow.desk import Actor, Desk
from protocol.lifecycle import Action, State

SIGNED, SENT_BACK, DROPPED = "signed", "sent_back", "dropped"


@dataclass(frozen=True)
class VoteView:
    """What somebody said at a step."""

    step: str
    verdict: str
    opinion: str | None
    person: str
    deputy_for: str | None
    at: datetime


@dataclass(frozen=True)
class ReviewView:
    """One way along the chain. `waits_at` is the step that comes next."""

    edition: int
    sent_by: str
    sent_at: datetime
    waits_at: str | None
    role: str | None
    outcome: str | None
    votes: Sequence[VoteView]


async def send(desk: Desk, actor: Actor, item_id: UUID, edition: int) -> None:
    """Send an edition to review (送审). Raises `NoChainError`, `ChecksError`, `StaleError`."""
    # 1.
    access.demand(actor, Action.SEND_TO_REVIEW)
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        chain = await chains.current(session)
        # 2.
        item = await items.locked(session, desk, actor, item_id, Action.SEND_TO_REVIEW)
        if not chain.steps:
            raise NoChainError
        state = items.advance(desk, item, Action.SEND_TO_REVIEW)
        await editing.demand_newest(session, item, edition)
        before = await _open(session, item)
        if before is not None and before.edition == edition and item.state == State.ADOPTED:
            raise InReviewError
        # 3.
        missing = await checks.missing(session, item.id, edition) if chain.checks_demanded else ()
        if missing:
            words = "、".join(phrases.CHECKS[kind] for kind in missing)
            raise ChecksError(f"尚未通过：{words}")
        # 4.
        if before is not None:
            # It was decided otherwise meanwhile, or a new edition came.
            _end(before, DROPPED, now)
        session.add(
            Review(
                id=desk.new_id(),
                item_id=item.id,
                edition=edition,
                chain=chain.version,
                step=0,
                role=chain.steps[0].role,
                sent_by=actor.id,
                sent_at=now,
            )
        )
        await claims.release(session, item.id)
        # 5.
        said = {"edition": edition, "step": chain.steps[0].name}
        record.own_step(
            session, desk, item, "sent_to_review", said, state=state, now=now, actor=actor
        )


async def approve(
    desk: Desk, actor: Actor, item_id: UUID, edition: int, opinion: str | None = None
) -> None:
    """Agree at the present step; whoever takes the last one signs (签发)."""
    await _vote(desk, actor, item_id, edition, "approved", opinion)


async def skip(desk: Desk, actor: Actor, item_id: UUID, edition: int, reason: str) -> None:
    """Pass over the present step, where the chain lets the actor's role do so."""
    await _vote(desk, actor, item_id, edition, "skipped", reason)


async def send_back(desk: Desk, actor: Actor, item_id: UUID, edition: int, reason: str) -> None:
    """Send the edition back to the editor, with a reason."""
    await _vote(desk, actor, item_id, edition, "sent_back", reason)


async def demand_signed(session: Session, item: Item) -> None:
    """Raises `NotSignedError` where the office has a chain, and it has not signed this edition."""
    if not await _signed(session, item, await chains.current(session)):
        raise NotSignedError


async def not_offered(session: Session, item: Item) -> set[Action]:
    """Actions that the state allows, and the office's chain does not, or not now."""
    chain = await chains.current(session)
    review = await _open(session, item)
    hidden = set() if chain.steps else {Action.SEND_TO_REVIEW}
    if review is None or review.edition != item.edition:
        hidden |= {Action.APPROVE, Action.SEND_BACK, Action.SIGN_OFF}
    else:
        last = len((await chains.of_version(session, review.chain)).steps) - 1
        hidden |= {Action.SEND_TO_REVIEW}
        hidden |= {Action.APPROVE if review.step == last else Action.SIGN_OFF}
    if not await _signed(session, item, chain):
        hidden |= {Action.ADOPT, Action.FORWARD_UP}
    return hidden


async def _signed(session: Session, item: Item, chain: ChainView) -> bool:
    """Whether this edition was signed, or the chain demands nothing."""
    if not chain.steps:
        return True
    signed = select(Review.id).where(
        Review.item_id == item.id, Review.edition == item.edition, Review.outcome == SIGNED
    )
    return await session.scalar(signed.limit(1)) is not None


async def view(session: Session, item_id: UUID) -> Sequence[ReviewView]:
    """All ways of the item along the chain, the oldest first."""
    rows = await session.execute(
        select(Review, Person.name)
        .join(Person, Person.id == Review.sent_by)
        .where(Review.item_id == item_id)
        .order_by(Review.sent_at, Review.id)
    )
    found = []
    for review, sender in rows:
        steps = (await chains.of_version(session, review.chain)).steps
        found.append(
            ReviewView(
                edition=review.edition,
                sent_by=sender,
                sent_at=review.sent_at,
                waits_at=None if review.outcome else steps[review.step].name,
                role=review.role,
                outcome=review.outcome,
                votes=await _votes(session, review.id, steps),
            )
        )
    return found


async def _vote(
    desk: Desk, actor: Actor, item_id: UUID, edition: int, verdict: str, words: str | None
) -> None:
    # 1.
    access.demand(actor, "review")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        # 2.
        item = await items.locked(session, desk, actor, item_id, "review")
        review = await _open(session, item)
        if review is None or item.state not in (State.IN_REVIEW, State.ADOPTED):
            raise NoReviewError
        for number in (edition, review.edition):
            await editing.demand_newest(session, item, number)
        chain = await chains.of_version(session, review.chain)
        step = chain.steps[review.step]
        last = review.step == len(chain.steps) - 1
        action, kind = _deed(verdict, last=last)
        state = items.advance(desk, item, action)
        # 3.
        if verdict == "skipped":
            deputy_for = await _passes_over(session, actor, step, now)
        else:
            deputy_for = await _takes(session, actor, review, step, now)
        # 4.
        session.add(
            Vote(
                id=desk.new_id(),
                review_id=review.id,
                step=review.step,
                verdict=verdict,
                opinion=words,
                person_id=actor.id,
                deputy_for=deputy_for,
                at=now,
            )
        )
        _go_on(review, chain, kind, now)
        # 5.
        said: dict[str, object] = {"edition": edition, "step": step.name}
        if verdict != "approved":
            said |= {"reason": words, "skipped": verdict == "skipped"}
        record.own_step(session, desk, item, kind, said, state=state, now=now, actor=actor)


def _deed(verdict: str, *, last: bool) -> tuple[Action, str]:
    if verdict == "sent_back":
        return Action.SEND_BACK, "sent_back"
    return (Action.SIGN_OFF, "signed") if last else (Action.APPROVE, "approved")


def _go_on(review: Review, chain: ChainView, kind: str, now: datetime) -> None:
    if kind == "sent_back":
        _end(review, SENT_BACK, now)
    elif kind == "signed":
        _end(review, SIGNED, now)
    else:
        review.step += 1
        review.role = chain.steps[review.step].role


def _end(review: Review, outcome: str, now: datetime) -> None:
    review.outcome, review.ended_at, review.role = outcome, now, None


async def _open(session: Session, item: Item) -> Review | None:
    # Whoever decides holds the item's lock: nobody changes its review meanwhile.
    return await session.scalar(
        select(Review)
        .where(Review.item_id == item.id, Review.outcome.is_(None))
        .order_by(Review.sent_at.desc())
        .limit(1)
    )


async def _takes(
    session: Session, actor: Actor, review: Review, step: Step, now: datetime
) -> UUID | None:
    """For whom the actor takes the step. Raises `ForbiddenError` where he does not."""
    roles = await deputies.roles_of(session, actor, now)
    if step.role not in roles:
        raise ForbiddenError(
            f"“{step.name}”由{phrases.ROLES[step.role]}办理",
            refused=access.refused(actor, "review"),
        )
    if step.another_person and actor.id in await _engaged(session, review):
        raise ForbiddenError(
            f"“{step.name}”须由另一人办理：您已经编辑、送审或审核过这一稿",
            refused=access.refused(actor, "review"),
        )
    return roles[step.role][0]


async def _passes_over(session: Session, actor: Actor, step: Step, now: datetime) -> UUID | None:
    roles = await deputies.roles_of(session, actor, now)
    for role in step.may_skip:
        if role in roles:
            return roles[role][0]
    raise ForbiddenError(f"您的角色不能跳过“{step.name}”", refused=access.refused(actor, "review"))


async def _engaged(session: Session, review: Review) -> set[UUID]:
    """Who had a hand in this edition, or in this review."""
    edition = await session.get_one(Edition, (review.item_id, review.edition))
    voted = await session.scalars(
        select(Vote.person_id).where(Vote.review_id == review.id, Vote.verdict == "approved")
    )
    return {review.sent_by, *voted} | ({edition.editor_id} if edition.editor_id else set())


async def _votes(session: Session, review_id: UUID, steps: Sequence[Step]) -> list[VoteView]:
    absent = aliased(Person)
    rows = await session.execute(
        select(Vote, Person.name, absent.name)
        .join(Person, Person.id == Vote.person_id)
        .outerjoin(absent, absent.id == Vote.deputy_for)
        .where(Vote.review_id == review_id)
        .order_by(Vote.step)
    )
    return [
        VoteView(steps[vote.step].name, vote.verdict, vote.opinion, name, for_whom, vote.at)
        for vote, name, for_whom in rows
    ]
