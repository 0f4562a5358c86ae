"""The asker: asks neighbours for the pieces that are missing here.

A neighbour announces files in its items (`workflow/attachments`); what comes then is drawn from
here, so a neighbour that is asked for two pieces of a file sends two, and no queue ever fills. One
step:

 1. Choose the transfers that are due: new ones, a few of each neighbour at a time; those of which
    a piece arrived; and those that were asked for in vain, after a pause that grows with each
    attempt, or once the neighbour is heard again.
 2. Mark what is asked for, so that a step that is killed is repeated after the pause.
 3. Ask. What is lost is asked for again.

A transfer that is waited for in vain is asked for one piece only, as a probe, and holds no other
one up: the neighbour may itself be waiting for the pieces.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import structlog
from sqlalchemy import and_, case, func, or_, select

from node.config import RelaySettings
from node.relay.blobs import AT_ONCE, BlobSender
from node.storage.database import Session
from node.storage.files import Transfer
from node.storage.offices import Link
from node.workflow.desk import Desk
from protocol.identifiers import NodeId
from protocol.messages.links import Blob

log = structlog.get_logger()

FILES_AT_ONCE = 4
"""Files of one neighbour of which pieces are under way."""
BATCH = 100

Wish = tuple[NodeId, Blob]


class Asker:
    """Fetches the files that neighbours announced to one office."""

    def __init__(self, desk: Desk, sender: BlobSender, settings: RelaySettings) -> None:
        self._desk = desk
        self._sender = sender
        self._settings = settings
        self.is_waiting = True
        """Whether a neighbour that is heard again is to be asked at once."""
        self.due: datetime | None = None
        """When something is asked for again, though nothing happens until then."""

    async def step(self) -> bool:
        """Ask for what is due; whether anything was."""
        now = self._desk.clock()
        async with self._desk.database.writing.begin() as session:
            # 1.
            wishes: list[Wish] = []
            busy = await _busy(session)
            for transfer in await self._due(session, now):
                source = NodeId(transfer.source)
                fresh = transfer.asked_at is None
                if not self._sender.reachable(source) or (fresh and busy[source] >= FILES_AT_ONCE):
                    continue
                busy[source] += fresh
                # 2.
                for index in self._mark(transfer, now):
                    wishes.append((source, Blob(digest=transfer.digest, index=index)))
            await session.flush()
            await self._look_ahead(session, now)
        if not wishes:
            return False
        # 3.
        confirmed = await self._sender.send(wishes, now)
        log.info("pieces.asked", asked=sum(confirmed), failed=len(confirmed) - sum(confirmed))
        return any(confirmed)

    async def _look_ahead(self, session: Session, now: datetime) -> None:
        waited = self._waited(now)
        coming = case((Transfer.again_at > now, Transfer.again_at))
        in_vain = case((and_(Transfer.attempts > 1, Transfer.asked_at > waited), Transfer.asked_at))
        query = select(func.max(Transfer.attempts), func.min(coming), func.min(in_vain))
        attempts, again_at, asked_at = (
            await session.execute(query.where(Transfer.stopped.is_(None)))
        ).one()
        self.is_waiting = attempts is not None and attempts > 1
        heard_at = None if asked_at is None else asked_at + (now - waited)
        self.due = min((at for at in (again_at, heard_at) if at is not None), default=None)

    def _waited(self, now: datetime) -> datetime:
        return now - timedelta(seconds=self._settings.piece_within)

    def _mark(self, transfer: Transfer, now: datetime) -> list[int]:
        if transfer.attempts == 0:
            others = [index for index in transfer.missing if index not in transfer.asked]
            asked = others[: AT_ONCE - len(transfer.asked)]
            transfer.asked = [*transfer.asked, *asked]
        else:
            asked = transfer.asked = transfer.missing[:1]
        transfer.attempts += 1
        transfer.asked_at = now
        transfer.again_at = now + self._patience(transfer.attempts)
        return asked

    def _patience(self, attempts: int) -> timedelta:
        # Longer than for a receipt: two pieces are two mebibytes, and a county's line may be slow.
        first, longest = self._settings.piece_within, self._settings.longest_probe
        return timedelta(seconds=min(first * 2 ** min(attempts - 1, 30), max(first, longest)))

    async def _due(self, session: Session, now: datetime) -> list[Transfer]:
        waited = self._waited(now)
        heard = and_(
            Transfer.attempts > 1, Transfer.asked_at <= waited, Link.heard_at > Transfer.asked_at
        )
        due = or_(Transfer.again_at.is_(None), Transfer.again_at <= now, heard)
        found = await session.scalars(
            select(Transfer)
            .outerjoin(Link, Link.peer == Transfer.source)
            .where(Transfer.stopped.is_(None), due)
            .order_by(Transfer.asked_at.is_(None), Transfer.started_at, Transfer.digest)
            .limit(BATCH)
            .with_for_update(of=Transfer)
        )
        return list(found)


async def _busy(session: Session) -> Counter[str]:
    """Of each neighbour, how many files are coming in."""
    rows = await session.execute(
        select(Transfer.source, func.count())
        .where(Transfer.stopped.is_(None), Transfer.asked_at.is_not(None), Transfer.attempts <= 1)
        .group_by(Transfer.source)
    )
    return Counter(dict(rows.all()))
