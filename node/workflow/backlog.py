"""What waits for each neighbour, counted from the outbox in one query."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, literal, null, select

from node.errors import PurgedItemError
from node.storage.database import Session
from node.storage.messages import Outgoing, is_open, is_received
from protocol.messages.catalogue import LINK


@dataclass(frozen=True)
class Backlog:
    """Business messages to a neighbour by state, without those whose contents were purged here.

    `confirmed` were in a broker's hands at least once; `receipts` wait to be sent. `oldest_at` is
    when the oldest was written that is not received yet.
    """

    pending: int = 0
    sent: int = 0
    refused_temporary: int = 0
    refused_permanent: int = 0
    received: int = 0
    confirmed: int = 0
    receipts: int = 0
    oldest_at: datetime | None = None
    resend_at: datetime | None = None


NOT_PURGED = Outgoing.code.is_distinct_from(PurgedItemError.code)
"""A purge ends what was under way; it is no refusal of the neighbour's."""


class _Count(NamedTuple):
    peer: str
    link: bool
    state: str
    permanent: bool | None
    messages: int
    confirmed: int
    oldest_at: datetime | None
    resend_at: datetime | None


async def backlogs_of(
    session: Session, peer: str | None = None, *, received: bool = True
) -> dict[str, Backlog]:
    """The backlog of one neighbour, or of all; empty where nothing was ever sent.

    Without `received`, what has arrived is left out, of which there are years.
    """
    link = Outgoing.name.in_(LINK).label("link")
    query = (
        select(
            Outgoing.peer,
            link,
            Outgoing.state,
            Outgoing.permanent,
            func.count(),
            func.count(Outgoing.sent_at),
            func.min(Outgoing.created_at),
            func.min(Outgoing.resend_at),
        )
        .where(NOT_PURGED, is_open())
        .group_by(Outgoing.peer, link, Outgoing.state, Outgoing.permanent)
    )
    arrived = (
        select(
            Outgoing.peer,
            link,
            literal("received"),
            null(),
            func.count(),
            func.count(Outgoing.sent_at),
            null(),
            null(),
        )
        .where(NOT_PURGED, is_received())
        .group_by(Outgoing.peer, link)
    )
    counts: dict[str, list[_Count]] = defaultdict(list)
    for part in (query, arrived) if received else (query,):
        asked = part if peer is None else part.where(Outgoing.peer == peer)
        for row in await session.execute(asked):
            counts[row[0]].append(_Count(*row))
    return defaultdict(Backlog, {name: _backlog(found) for name, found in counts.items()})


def _backlog(counts: Sequence[_Count]) -> Backlog:
    totals: dict[str, int] = defaultdict(int)
    oldest: list[datetime] = []
    resend: list[datetime] = []
    for count in counts:
        if count.link:
            totals["receipts"] += count.messages
            continue
        totals["confirmed"] += count.confirmed
        if count.state == "refused":
            kind = "permanent" if count.permanent else "temporary"
            totals[f"refused_{kind}"] += count.messages
        else:
            totals[count.state] += count.messages
        if count.oldest_at is not None:
            oldest.append(count.oldest_at)
        if count.resend_at is not None:
            resend.append(count.resend_at)
    return Backlog(
        **totals, oldest_at=min(oldest, default=None), resend_at=min(resend, default=None)
    )
