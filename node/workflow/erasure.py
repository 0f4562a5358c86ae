"""Erasing what this office holds of an item, in the transaction of the caller:

 1. Text, title and authors of its editions.
 2. The words of its timeline; who did what, and when, stays.
 3. Its files: nothing names them any more. Those that no other item names are cleared away at once
    (`files.clear`), whole or not, and no neighbour is sent a piece.
 4. Outbox: the payloads. What was not received yet is given up.
 5. Inbox: of each token header and signature stay. What was parked waits no more.
 6. Quarantine: the same, and the message is discarded.
 7. What came back, or goes back, to a node that recovers: entered without contents; asked again.
 8. Search index: words and marks.
 9. What was said of it at the desk: opinions of checks and reviews; what was to be done, and what
    was answered; tags; drafts of a new edition; the title of an issue with nothing else in it; the
    contact data of a citizen who handed it in.

Digests stay everywhere, so both ends of a link still count the same. Messages of the purge itself
hold nothing of the item, and stay whole.
"""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import case, delete, exists, func, or_, select, update
from sqlalchemy.orm import aliased

from node.errors import PurgedItemError
from node.search import index
from node.storage import bulk
from node.storage.assignments import Assignment, Reply
from node.storage.database import Session
from node.storage.desk import Check, Review, Vote
from node.storage.drafts import Draft, DraftFile, DraftVersion
from node.storage.events import Event
from node.storage.files import Attachment, Enclosure, Offer, Order, StoredFile, Transfer, Upload
from node.storage.issues import Issue, Placing
from node.storage.items import Edition, Item
from node.storage.messages import Incoming, Outgoing, Quarantined
from node.storage.purges import NEVER_ERASED
from node.storage.recovery import Returned
from node.storage.topics import ItemTag
from node.workflow import outbox, phrases, public_receipts
from node.workflow.desk import Desk
from protocol import envelope
from protocol.messages import catalogue, event
from protocol.messages.links import ErasedMessage

WORDS = ("reason", "text", "note")
"""Members of facts and steps that people write freely."""

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
REPLAY = catalogue.type_name("replay").encode()
PAGE = 50


async def erase(
    session: Session, desk: Desk, item_id: UUID, item: Item | None, *, actor: str, now: datetime
) -> None:
    """Erase everything. The item is locked, or not known here; no message is being taken in."""
    # What this very batch brought, too.
    await bulk.flush(session)
    # 1.
    if item is not None:
        item.title, item.purged_at = phrases.ERASED, now
    await session.execute(
        update(Edition)
        .where(Edition.item_id == item_id)
        .values(title=phrases.ERASED, body=phrases.ERASED, authors=[], why=None)
    )
    # 2.
    for told in await session.scalars(select(Event).where(Event.item_id == item_id)):
        told.data = _without_words(told.data)
    # 3.
    await _forget_files(session, item_id)
    # 4.
    await _erase_outbox(session, item_id, now)
    # 5.
    rows = await session.scalars(
        select(Incoming).where(Incoming.subject == item_id, Incoming.name.not_in(NEVER_ERASED))
    )
    for row in rows:
        row.token, row.state = envelope.without_contents(row.token), "applied"
    # 6.
    await _erase_quarantine(session, item_id, actor, now)
    # 7.
    await _erase_returned(session, desk, item_id, now)
    # 8.
    await index.erase(session, item_id)
    # 9.
    await _erase_drafts(session, item_id)
    await _erase_issues(session, item_id)
    await session.execute(delete(ItemTag).where(ItemTag.item_id == item_id))
    await public_receipts.erase(session, item_id, now)
    await session.execute(update(Check).where(Check.item_id == item_id).values(opinion=None))
    cases = or_(Assignment.item_id == item_id, Assignment.subject == item_id)
    given = select(Assignment.id).where(cases)
    await session.execute(
        update(Reply).where(Reply.assignment_id.in_(given)).values(text=phrases.ERASED, reason=None)
    )
    await session.execute(update(Assignment).where(cases).values(text=phrases.ERASED))
    of_item = select(Review.id).where(Review.item_id == item_id)
    await session.execute(update(Vote).where(Vote.review_id.in_(of_item)).values(opinion=None))
    await session.flush()


async def _erase_drafts(session: Session, item_id: UUID) -> None:
    found = (await session.scalars(select(Draft.id).where(Draft.item_id == item_id))).all()
    for table in (DraftFile, DraftVersion):
        await session.execute(delete(table).where(table.draft_id.in_(found)))
    await session.execute(delete(Draft).where(Draft.id.in_(found)))


async def _erase_issues(session: Session, item_id: UUID) -> None:
    """Of an issue with this item alone: its title is that of the item, or says as much."""
    others = aliased(Placing)
    alone = ~exists().where(others.issue_id == Placing.issue_id, others.item_id != item_id)
    only = select(Placing.issue_id).where(Placing.item_id == item_id, alone)
    await session.execute(
        update(Issue).where(Issue.id.in_(only)).values(title=phrases.ERASED, reason=None)
    )


def _without_words(data: dict[str, Any]) -> dict[str, Any]:
    return {name: phrases.ERASED if name in WORDS else value for name, value in data.items()}


async def _forget_files(session: Session, item_id: UUID) -> None:
    named = set(
        await session.scalars(select(Attachment.digest).where(Attachment.item_id == item_id))
    )
    answers = (
        select(Reply.id)
        .join(Assignment, Assignment.id == Reply.assignment_id)
        .where(or_(Assignment.item_id == item_id, Assignment.subject == item_id))
    )
    enclosed = or_(Enclosure.item_id == item_id, Enclosure.owner_id.in_(answers))
    named |= set(await session.scalars(select(Enclosure.digest).where(enclosed)))
    await session.execute(delete(Attachment).where(Attachment.item_id == item_id))
    await session.execute(delete(Enclosure).where(enclosed))
    orphans = set(named)
    for table in (Attachment, Enclosure):
        others = select(table.digest).where(bulk.among(session, table.digest, named))
        orphans -= set(await session.scalars(others))
    if not orphans:
        return
    for gone in (Upload, Offer, Order):
        await session.execute(delete(gone).where(bulk.among(session, gone.digest, orphans)))
    await session.execute(
        update(StoredFile)
        .where(bulk.among(session, StoredFile.digest, orphans))
        .values(touched_at=LONG_AGO)
    )
    # Its row says that pieces of it are still to be removed.
    transfers = await session.scalars(
        select(Transfer).where(bulk.among(session, Transfer.digest, orphans))
    )
    for transfer in transfers:
        transfer.missing, transfer.asked = list(range(len(transfer.pieces))), []
        transfer.stopped = PurgedItemError.code


async def _erase_outbox(session: Session, item_id: UUID, now: datetime) -> None:
    received = Outgoing.state == "received"
    await session.execute(
        update(Outgoing)
        .where(Outgoing.subject == item_id, Outgoing.name.not_in(NEVER_ERASED))
        .values(
            payload=b"",
            state=case((received, Outgoing.state), else_="refused"),
            code=case((received, Outgoing.code), else_=PurgedItemError.code),
            permanent=case((received, Outgoing.permanent), else_=True),
            answered_at=case((received, Outgoing.answered_at), else_=now),
            resend_at=None,
        )
    )
    # 7. An answer to a node that recovers may hold it. That node asks again; nobody asks again what
    # an auditor asked.
    rows = await session.execute(
        select(Outgoing.id, Outgoing.payload).where(Outgoing.name == "replay")
    )
    answers = [id for id, payload in rows if event.decode(payload).data.get("tokens")]
    await session.execute(delete(Outgoing).where(bulk.among(session, Outgoing.id, answers)))


async def _erase_quarantine(session: Session, item_id: UUID, actor: str, now: datetime) -> None:
    last = UUID(int=0)
    while True:
        rows = (
            await session.scalars(
                select(Quarantined)
                .where(Quarantined.id > last, func.length(Quarantined.body) > 0)
                .order_by(Quarantined.id)
                .limit(PAGE)
            )
        ).all()
        for row in rows:
            last = row.id
            # Of a replay nobody can say without opening all that it carries; it is asked for again.
            payload = _payload(row.body)
            if str(item_id).encode() in payload.lower() or REPLAY in payload:
                row.body, row.state = envelope.without_contents(row.body), "discarded"
                row.decided_at, row.decided_by, row.reason = now, actor, phrases.ERASED
        if len(rows) < PAGE:
            return
        await session.flush()


def _payload(body: bytes) -> bytes:
    """What the bytes may say of an item: verified or not, well-formed or not."""
    segments = body.split(b".")
    if len(segments) != 3:
        return body
    middle = segments[1]
    try:
        return base64.urlsafe_b64decode(middle + b"=" * (-len(middle) % 4))
    except binascii.Error:
        return body


async def _erase_returned(session: Session, desk: Desk, item_id: UUID, now: datetime) -> None:
    rows = await session.scalars(select(Returned).where(Returned.token.is_not(None)))
    for row in rows.all():
        assert row.token is not None
        own = envelope.open_own(row.token, chains=desk.chains, place=desk.place)
        if own.event.subject == item_id and own.name not in NEVER_ERASED:
            row.token = None
            left = ErasedMessage(id=own.event.id, name=own.name, subject=item_id, digest=own.digest)
            await outbox.enter_erased(session, left, to=row.peer, now=now)
