"""The five checks (五关): what editors and reviewers found in an edition.

An opinion is never changed; a later one of the same check counts instead. A new edition is checked
anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args
from uuid import UUID

from sqlalchemy import select

from node.errors import InputError
from node.storage.database import Session
from node.storage.desk import Check
from node.storage.people import Person
from node.workflow import access, audit, editing, items
from node.workflow.desk import Actor, Desk
from protocol.errors import LifecycleError
from protocol.lifecycle import AT_THE_DESK
from protocol.offices import Text

Kind = Literal["political", "policy", "factual", "content", "wording"]
KINDS: tuple[str, ...] = get_args(Kind)
STATES = frozenset((*AT_THE_DESK.split(), "in_review", "adopted"))


@dataclass(frozen=True)
class CheckView:
    """What somebody found."""

    kind: str
    edition: int
    passed: bool
    opinion: str | None
    person: str
    at: datetime


async def note(
    desk: Desk,
    actor: Actor,
    item_id: UUID,
    *,
    edition: int,
    kind: Kind,
    passed: bool,
    opinion: Text | None,
) -> None:
    """Note an opinion on the newest edition; an objection says why. Raises `StaleError`."""
    access.demand(actor, "review")
    if not passed and opinion is None:
        raise InputError("有异议的，请写明意见")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        item = await items.locked(session, desk, actor, item_id, "review")
        if item.closed or item.state not in STATES:
            raise LifecycleError(f"cannot check: the item is {item.state}")
        await editing.demand_newest(session, item, edition)
        session.add(
            Check(
                id=desk.new_id(),
                item_id=item.id,
                edition=edition,
                kind=kind,
                passed=passed,
                opinion=opinion,
                person_id=actor.id,
                at=now,
            )
        )
        audit.note(
            session,
            now,
            actor=actor,
            action="checked",
            subject=item.id,
            check=kind,
            edition=edition,
            passed=passed,
        )


async def view(session: Session, item_id: UUID, edition: int) -> Sequence[CheckView]:
    """Every opinion on this edition, the oldest first."""
    rows = await session.execute(
        select(Check, Person.name)
        .join(Person, Person.id == Check.person_id)
        .where(Check.item_id == item_id, Check.edition == edition)
        .order_by(Check.at, Check.id)
    )
    return [
        CheckView(check.kind, check.edition, check.passed, check.opinion, person, check.at)
        for check, person in rows
    ]


async def missing(session: Session, item_id: UUID, edition: int) -> Sequence[str]:
    """The checks that this edition has not passed."""
    newest = {check.kind: check.passed for check in await view(session, item_id, edition)}
    return [kind for kind in KINDS if not newest.get(kind)]
