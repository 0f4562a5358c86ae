"""Items and editions that a restored office reads back out of what it had sent up.

What is entered, and when, is decided in `workflow/rebuild`. An author is whoever has the one
account with his name, kind and unit.
"""

from __future__ import annotations

import structlog
from sqlalchemy import select

from node.storage.database import Session
from node.storage.items import Edition, Item, ItemAuthor
from node.storage.people import Person
from node.workflow import calls, editions, items, lineage, record
from node.workflow.desk import Desk
from protocol import envelope
from protocol.envelope import Opened
from protocol.lifecycle import State
from protocol.messages import event
from protocol.messages.items import Edition as EditionMessage

log = structlog.get_logger()

ACTOR = "system"
RESTORED = "由备份恢复后，从上级保存的报送件补回"


async def own_item(session: Session, message: Opened, edition: EditionMessage) -> Item:
    """An item of this office's own, out of the message by which it went up."""
    assert message.event.subject is not None
    item = items.new(
        message.event.subject,
        edition.origin,
        edition.submitted_at,
        combined=await lineage.is_combined(session, message.event.subject),
        answers_id=await calls.came_as(session, edition.answers),
    )
    session.add(item)
    if item.combined:
        # Its authors are told through their own items.
        return item
    for author in edition.authors:
        found = await session.scalars(
            select(Person.id).where(
                Person.name == author.name, Person.kind == author.kind, Person.unit == author.unit
            )
        )
        accounts = found.all()
        if len(accounts) == 1:
            session.add(ItemAuthor(item_id=item.id, person_id=accounts[0]))
        elif accounts:
            # A namesake must not read what is not his.
            log.error("recovery.author_unclear", item_id=str(item.id), accounts=len(accounts))
    return item


async def enter_edition(session: Session, desk: Desk, item: Item, edition: EditionMessage) -> None:
    """An edition of such an item."""
    newest = edition.edition >= item.edition
    editions.write(
        session,
        item,
        edition,
        number=edition.edition,
        authors=edition.authors,
        submitted_at=edition.submitted_at,
        newest=newest,
    )
    before = record.standing_of(item, desk.node)
    kind, state = editions.arrival(before, newest=newest)
    record.own_step(
        session,
        desk,
        item,
        kind,
        {"edition": edition.edition},
        state=state,
        now=edition.submitted_at,
        actor=ACTOR,
    )
    # Whom the facts that follow are told to is read from the database.
    await session.flush()


async def enter_made_here(
    session: Session, desk: Desk, item: Item, edition: EditionMessage
) -> None:
    """Enter what an editor here had made of an edition from below, and was forwarded.

    What went up as it had come is sent again by the office below. The number may meanwhile have
    been given to what came from there: that one moves on.
    """
    here = await session.get(Edition, (item.id, edition.edition))
    text = edition.title, edition.body
    if not edition.evidence or (here is not None and (here.title, here.body) == text):
        return
    came = event.decode(envelope.parse(edition.evidence[0].encode()).payload).data
    if (came["title"], came["body"]) == text:
        return
    if here is not None:
        await editions.renumber(session, here, item)
    based = select(Edition.number).where(
        Edition.item_id == item.id, Edition.source_number == came["edition"]
    )
    base = await session.scalar(based)
    if base is None:
        return
    editions.write(
        session,
        item,
        edition,
        number=edition.edition,
        authors=edition.authors,
        submitted_at=edition.submitted_at,
        newest=edition.edition > item.edition,
        editing=editions.Editing(base, None, desk.clock(), None),
    )
    record.own_step(
        session,
        desk,
        item,
        "edited",
        {"edition": edition.edition, "reason": RESTORED},
        state=State(item.state),
        now=desk.clock(),
        actor=ACTOR,
    )
