"""Claims (认领): who works on an item, so that no two editors do so unknowingly.

A claim ends by itself after some hours without work, when its holder gives it up, or when somebody
takes the item over, which the timeline of the desk and the audit log tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from node.desk_errors import ClaimedError
from node.storage.database import Session
from node.storage.desk import Claim
from node.storage.people import Person
from node.workflow.calendar import when
from node.workflow.desk import Actor

HOLDS = timedelta(hours=2)

RESPECTED = frozenset(
    {
        *("register", "edit", "send_to_review", "adopt", "decline", "return", "forward_up"),
        *("merge", "take_apart", "close"),
    }
)
"""What nobody does with an item that somebody else has claimed."""


@dataclass(frozen=True)
class ClaimView:
    """Who works on an item."""

    person_id: UUID
    name: str
    since: datetime
    until: datetime


async def view(session: Session, item_id: UUID, now: datetime) -> ClaimView | None:
    """The claim on the item that holds now."""
    claim = await session.get(Claim, item_id)
    if claim is None or claim.until <= now:
        return None
    person = await session.get_one(Person, claim.person_id)
    return ClaimView(person.id, person.name, claim.since, claim.until)


async def demand_free(session: Session, actor: Actor, item_id: UUID, now: datetime) -> None:
    """Raises `ClaimedError` where somebody else works on the item."""
    held = await view(session, item_id, now)
    if held is not None and held.person_id != actor.id:
        raise ClaimedError(
            f"{held.name}自{when(held.since)}起办理，{when(held.until)}前未办理则自动释放"
        )


async def hold(session: Session, actor: Actor, item_id: UUID, now: datetime) -> UUID | None:
    """The actor works on the item from now on. Returns who was put off by that."""
    claim = await session.get(Claim, item_id, with_for_update=True)
    if claim is None:
        session.add(Claim(item_id=item_id, person_id=actor.id, since=now, until=now + HOLDS))
        return None
    before = claim.person_id if claim.until > now and claim.person_id != actor.id else None
    if claim.person_id != actor.id or claim.until <= now:
        claim.person_id, claim.since = actor.id, now
    claim.until = now + HOLDS
    return before


async def release(session: Session, item_id: UUID) -> None:
    """Nobody works on the item any more."""
    claim = await session.get(Claim, item_id, with_for_update=True)
    if claim is not None:
        await session.delete(claim)
