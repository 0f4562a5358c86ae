"""Recording what an office did with an item: the event, the item's columns, and who is told.

`own_fact` does, inside the caller's transaction:

 1. numbers the fact: the next sequence of this office for this item;
 2. writes the event with its files, and state and standing on the item;
 3. writes a notice to each author who has an account here;
 4. queues the fact for the office that the item came from, if any;
 5. notes the deed in the audit log;
 6. of a combined item, states the same of each original, as a fact about that one
    (`lineage.told`).

`actor` is the person who did it, or the id of the office whose message caused it. `own_step` does
2 and 5 for what is no fact (a submission, a new edition). Facts from above are recorded in
`workflow/feedback`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from node.storage import bulk
from node.storage.database import Session
from node.storage.events import Event, Notice
from node.storage.items import Item, ItemAuthor
from node.workflow import attachments, audit, enclosures, lineage, outbox
from node.workflow.desk import Actor, Desk
from protocol import lifecycle
from protocol.envelope import Opened
from protocol.identifiers import NodeId
from protocol.lifecycle import Standing, State
from protocol.messages.facts import Adopted, FactBase, files_of
from protocol.messages.work import Feedback
from protocol.offices import OfficeReference

ENDS = frozenset({"closed", *lifecycle.OVER.split()})
"""Kinds of events by which an office is done with an item."""


async def own_fact(
    session: Session,
    desk: Desk,
    item: Item,
    fact: type[FactBase],
    *,
    state: State,
    now: datetime,
    actor: Actor | str,
    causation: UUID | None = None,
    **content: Any,
) -> None:
    """Record a fact that this office decides now, and tell everyone concerned."""
    if item.combined and fact is Adopted:
        content["manner"] = "combined"
    # 1.
    item.sequence += 1
    item.step = 0
    decided = fact(office=desk.office, sequence=item.sequence, at=now, **content)
    data = decided.model_dump(mode="json", exclude_none=True)
    fact.model_validate(data)  # what no office could read must not be signed
    # 2.
    event_id = _event(session, desk, item, data["kind"], data, now, actor)
    _stand(item, desk.office, state, data["kind"], now)
    files = files_of(decided)
    enclosures.write(session, event_id, item.id, files)
    # 3.
    await notify(session, desk, item, event_id, now)
    # 4.
    if item.source is not None:
        outbox.post(
            session,
            desk,
            Feedback.model_validate({"fact": decided}),
            to=NodeId(item.source),
            now=now,
            subject=item.id,
            urgency=item.urgency,
            causation=causation,
        )
        await attachments.offer(session, NodeId(item.source), files)
    # 5.
    audit.note(session, now, actor=actor, action=data["kind"], subject=item.id)
    # 6.
    said = lineage.told(item, data["kind"], content)
    if said is None:
        return
    for original in await lineage.originals(session, item):
        await own_fact(
            session,
            desk,
            original,
            fact,
            state=State(original.state),
            now=now,
            actor=actor,
            **said,
        )


def own_step(
    session: Session,
    desk: Desk,
    item: Item,
    kind: str,
    data: dict[str, Any],
    *,
    state: State,
    now: datetime,
    actor: Actor | str,
    message: Opened | None = None,
) -> UUID:
    """Record something that is no fact: it stays at this office. Returns the event's id."""
    item.step += 1
    # 2.
    event_id = _event(session, desk, item, kind, data, now, actor, message)
    _stand(item, desk.office, state, kind, now)
    # 5.
    audit.note(session, now, actor=actor, action=kind, subject=item.id)
    return event_id


async def notify(session: Session, desk: Desk, item: Item, event_id: UUID, now: datetime) -> None:
    """A notice to each author of the item who has an account here."""
    if item.source is not None:
        return
    people = await session.scalars(
        select(ItemAuthor.person_id).where(ItemAuthor.item_id == item.id)
    )
    for person in people:
        bulk.insert(
            session,
            Notice,
            id=desk.new_id(),
            person_id=person,
            item_id=item.id,
            event_id=event_id,
            created_at=now,
        )


def set_standing(item: Item, office: OfficeReference, standing: Standing) -> None:
    """Keep an office's standing as a column, for lists."""
    item.standings = {
        **item.standings,
        office.id: {
            "name": office.name,
            "level": office.level,
            "state": standing.state,
            "kinds": sorted(standing.kinds),
            **({"before": list(standing.before)} if standing.before else {}),
        },
    }
    item.returned = any(one["state"] == State.RETURNED for one in item.standings.values())
    levels = {one["level"] for one in item.standings.values() if _read(one).adopted}
    item.adopted_by = " ".join(sorted(levels))


def set_own_standing(
    item: Item, office: OfficeReference, standing: Standing, ended_at: datetime | None
) -> None:
    """Keep the standing of this office; `ended_at` counts where it is done with the item."""
    assert standing.state is not None
    item.state, item.closed = standing.state, standing.closed
    item.adopted, item.waiting = standing.adopted, standing.waiting
    item.archived = standing.archived
    item.ended_at = ended_at if standing.ended else None
    set_standing(item, office, standing)


def standing_of(item: Item, node: NodeId) -> Standing | None:
    """An office's standing, from the column."""
    kept = item.standings.get(node)
    return None if kept is None else _read(kept)


def _read(kept: Mapping[str, Any]) -> Standing:
    before = tuple(_state(one) for one in kept.get("before", ()))
    return Standing(_state(kept["state"]), frozenset(kept["kinds"]), before)


def _state(kept: str | None) -> State | None:
    return State(kept) if kept else None


def _stand(item: Item, office: OfficeReference, state: State, kind: str, now: datetime) -> None:
    before = standing_of(item, office.id) or Standing()
    standing = replace(lifecycle.after(before, kind), state=state)
    set_own_standing(item, office, standing, now if kind in ENDS else item.ended_at or now)


def _event(
    session: Session,
    desk: Desk,
    item: Item,
    kind: str,
    data: dict[str, Any],
    now: datetime,
    actor: Actor | str,
    message: Opened | None = None,
) -> UUID:
    id = desk.new_id()
    bulk.insert(
        session,
        Event,
        id=id,
        item_id=item.id,
        office=desk.node,
        about=item.id,
        sequence=item.sequence,
        step=item.step,
        kind=kind,
        at=now,
        recorded_at=now,
        actor=actor.name if isinstance(actor, Actor) else actor,
        data=data,
        message_source=message.event.sender if message else None,
        message_id=message.event.id if message else None,
    )
    return id
