"""Whether a message is admitted, for all that its envelope says: steps 1 and 3 of `reception`."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from sqlalchemy import select

from node.relay.errors import StaleListError
from node.storage.database import Session
from node.storage.offices import Link
from node.workflow.desk import Desk
from node.workflow.standing import SUSPENDED
from protocol.envelope import Opened
from protocol.errors import RevokedError, SuspendedError, ZhitongError
from protocol.identifiers import NodeId

log = structlog.get_logger()

GRACE = timedelta(days=7)
"""How long after the next list was due the last one still counts as current."""


def brings_list(message: Opened | ZhitongError) -> bool:
    """Whether the message brings a revocation list: those come first, and wait for no other."""
    return isinstance(message, Opened) and message.name == "revocations"


async def barred_among(session: Session, senders: set[NodeId]) -> dict[str, str]:
    """Those of the senders that this office suspended or revoked, and which of the two."""
    found = await session.execute(
        select(Link.peer, Link.barred).where(Link.peer.in_(senders), Link.barred.is_not(None))
    )
    return {peer: standing for peer, standing in found if standing is not None}


def demand_good_standing(barred: dict[str, str], message: Opened) -> None:
    """Raises `SuspendedError` or `RevokedError` where this office bars the sender."""
    standing = barred.get(message.event.sender)
    if standing is not None:
        kind = SuspendedError if standing == SUSPENDED else RevokedError
        raise kind(f"{message.event.sender} is {standing}")


def demand_current_lists(desk: Desk, message: Opened, now: datetime) -> None:
    """Raises `StaleListError` where this office wants no messages under a list long overdue.

    An office above that was never heard to issue one is not asked: there is none to be overdue.
    """
    if brings_list(message):
        return
    for issuer in message.path.issuers:
        known = desk.chains.revoked.list_of(issuer.key)
        if known is None or issuer == desk.place.issuing or now <= known.next_update + GRACE:
            continue
        if desk.stale_list == "refuse":
            raise StaleListError(f"no list of {known.issuer} since {known.issued_at}")
        log.warning("revocations.stale", issuer=known.issuer, number=known.number)
