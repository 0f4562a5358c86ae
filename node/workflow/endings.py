"""Ending a link: with a former parent, when everything that belongs to it is done, and with an
office below that was moved elsewhere.

To a former parent nothing is sent from the end on, and what it sends is refused; until then both go
on. What an office below was issued is revoked without a word of compromise: what is known to be
older counts as before.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, or_, select

from node.errors import InputError, UnknownOfficeError
from node.move_errors import LinkNeededError, UndrainedError
from node.storage.messages import Outgoing
from node.storage.offices import Office
from node.workflow import access, audit, links, standing
from node.workflow.desk import Actor, Desk

MOVED = "已划归其他机关"


async def end(
    desk: Desk, actor: Actor, peer: str, *, on: datetime | None = None, force: bool = False
) -> datetime:
    """Let the link end, now or on a later date; when that is.

    Raises `UndrainedError` where something has no receipt yet, and it is neither for later nor by
    force; `LinkNeededError` for the present parent, `UnknownOfficeError`, `InputError`.
    """
    access.demand(actor, "manage_links")
    now = desk.clock()
    if on is not None and on <= now:
        raise InputError("a link ends now, or on a later date")
    async with desk.database.reading() as session:
        office = await session.get(Office, peer)
    if office is not None and office.relation == "child":
        if on is not None:
            raise InputError("what an office below was issued is revoked now, or not at all")
        await standing.revoke(desk, actor, peer, MOVED)
        return now
    async with desk.database.writing.begin() as session:
        link = await links.demand(session, peer, lock=True)
        relation = (await session.get_one(Office, peer)).relation
        if relation == "parent":
            raise LinkNeededError
        if relation != "former":
            raise UnknownOfficeError(f"{peer} is no neighbour of this office")
        temporary = and_(Outgoing.state == "refused", Outgoing.permanent.is_(False))
        waits = or_(Outgoing.state.in_(("pending", "sent")), temporary)
        waiting = select(Outgoing.id).where(Outgoing.peer == peer, waits).limit(1)
        if on is None and not force and await session.scalar(waiting) is not None:
            raise UndrainedError
        link.ends_at = on or now
        audit.note(
            session,
            now,
            actor=actor,
            action="link_ended",
            subject=peer,
            on=link.ends_at.isoformat(),
        )
        return link.ends_at
