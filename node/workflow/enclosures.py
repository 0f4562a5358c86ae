"""Files that go with a fact about an item, or with an answer to an assignment: scans of
instructions, documents of whoever carried something out.

The signed message holds name, size and digests, as it does for an item's attachments; the pieces
are asked for on demand, office by office. Who may see the fact, or the case, may have its files.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from node.storage import bulk
from node.storage.database import Session
from node.storage.files import Enclosure
from node.workflow import attachments
from node.workflow.attachments import FileView, Named
from node.workflow.desk import Actor, Desk
from protocol.identifiers import NodeId
from protocol.messages.items import Attachment

MOST = 10


async def choose(
    session: Session,
    desk: Desk,
    actor: Actor,
    named: Sequence[Named],
    now: datetime,
    *,
    of: Sequence[UUID] = (),
) -> tuple[Attachment, ...]:
    """What the actor brought, or what one of these owners has, as a message announces it."""
    known = await session.scalars(select(Enclosure.digest).where(Enclosure.owner_id.in_(of)))
    return await attachments.choose(session, desk, actor, named, now, also=set(known))


async def take(
    session: Session,
    desk: Desk,
    owner: UUID,
    item_id: UUID | None,
    files: Sequence[Attachment],
    source: NodeId,
    now: datetime,
) -> None:
    """Write what a neighbour announced, and begin to fetch from it what is not here."""
    write(session, owner, item_id, files, source=source)
    await attachments.expect(session, desk, files, source, now)


def write(
    session: Session,
    owner: UUID,
    item_id: UUID | None,
    files: Sequence[Attachment],
    *,
    source: NodeId | None = None,
) -> None:
    """Let the fact, or the answer, have these files."""
    for position, file in enumerate(files):
        content = file.model_dump() | {"pieces": list(file.pieces)}
        bulk.insert(
            session,
            Enclosure,
            owner_id=owner,
            item_id=item_id,
            source=source,
            position=position,
            **content,
        )


async def of(session: Session, owner: UUID) -> tuple[Attachment, ...]:
    """The files of a fact or an answer, as a message announces them."""
    rows = await session.scalars(
        select(Enclosure).where(Enclosure.owner_id == owner).order_by(Enclosure.position)
    )
    return tuple(attachments.announcement(row.name, row.media_type, row) for row in rows)


async def views(session: Session, owners: Sequence[UUID]) -> dict[UUID, tuple[FileView, ...]]:
    """Their files, and how far these have come."""
    rows = await session.scalars(
        select(Enclosure)
        .where(bulk.among(session, Enclosure.owner_id, owners))
        .order_by(Enclosure.owner_id, Enclosure.position)
    )
    found: dict[UUID, tuple[FileView, ...]] = {}
    for row in rows.all():
        view = await attachments.view_one(session, row, row.source or "")
        found[row.owner_id] = (*found.get(row.owner_id, ()), view)
    return found
