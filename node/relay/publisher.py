"""The publisher: takes what is due from the outbox, signs it, and hands it to the transport.

One step, for each neighbour in turn:

 1. Read how the link stands: what is unanswered, whether the peer is silent (`window`).
 2. Choose what is due: new messages by urgency, then age, as far as the window has room;
    refusals that were temporary and whose pause is over; what was lost, if the peer was heard
    since; or the one probe, if it is silent.
 3. Sign each with the present time, so that a message that waited is never too old; to a former
    parent under the certificates that this office had from it.
 4. Publish all at once and wait for the confirms.
 5. Mark the batch in one update. Link messages are finished now and leave the outbox; business
    messages are `sent` and wait for their receipt, which may have come already.

An office with brokers above and below has a publisher for each: see the README.

Killed anywhere, what was published and not marked is published again: the receiver recognises it.
Two publishers on one outbox would only send twice. That is why rows are not locked while the
network is waited for (see README).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import and_, case, delete, func, or_, update

from node.config import RelaySettings
from node.relay import window
from node.relay.transport import CONTENT_TYPE, Parcel, Properties, Transport
from node.relay.window import Due
from node.storage import bulk
from node.storage.messages import Outgoing
from node.workflow.desk import Desk
from protocol import envelope
from protocol.identifiers import NodeId
from protocol.keys import Signer
from protocol.messages import catalogue

log = structlog.get_logger()

AGAIN_AFTER = timedelta(seconds=5)
"""The pause after the transport did not confirm."""


NO_FORMERS: Mapping[NodeId, Signer] = {}


class Publisher:
    """Empties one office's outbox, as far as it goes to the neighbours that this one carries."""

    def __init__(
        self,
        desk: Desk,
        transport: Transport,
        signer: Signer,
        settings: RelaySettings,
        *,
        incarnation: int,
        formers: Mapping[NodeId, Signer] = NO_FORMERS,
        carries: Callable[[NodeId], bool] = window.everyone,
    ) -> None:
        self._desk = desk
        self._transport = transport
        self._signer = signer
        self._formers = formers
        self._settings = settings
        self._incarnation = incarnation
        self._carries = carries
        self._turn = 0
        self.due: datetime | None = None
        """When there is something to send again, though nothing happens until then."""

    async def step(self) -> bool:
        """Send what is due on every link; whether anything was."""
        now = self._desk.clock()
        # 1. and 2.
        async with self._desk.database.writing.begin() as session:
            standings = await window.standings(session, self._settings, now, self._carries)
            peers = [p for p in sorted(standings) if self._transport.reachable(p)]
            share = max(1, self._settings.batch // max(1, len(peers)))
            rows: list[Due] = []
            for peer in self._in_turn(peers):
                rows += await window.due(session, standings[peer], self._settings, now, share)
            times = (standing.due_at(now) for standing in standings.values())
            self.due = min((time for time in times if time is not None), default=None)
        if not rows:
            return False
        # 3. The database may have been waited for, while people did what the rows tell of.
        signed_at = self._desk.clock()
        parcels = [self._parcel(row, signed_at) for row in rows]
        # 4.
        confirmed = await self._transport.publish(parcels)
        # 5.
        await self._mark(rows, confirmed, began=now)
        if not any(confirmed):
            self.due = self._desk.clock() + AGAIN_AFTER
        return any(confirmed)

    def _in_turn(self, peers: Sequence[NodeId]) -> list[NodeId]:
        self._turn += 1
        start = self._turn % len(peers) if peers else 0
        return [*peers[start:], *peers[:start]]

    def _parcel(self, row: Due, signed_at: datetime) -> Parcel:
        token = envelope.seal(
            row.payload,
            self._formers.get(NodeId(row.peer), self._signer),
            signed_at=signed_at,
            incarnation=self._incarnation,
        )
        properties = Properties(
            message_id=str(row.id),
            type=catalogue.type_name(row.name),
            app_id=self._desk.node,
            content_type=CONTENT_TYPE,
        )
        return Parcel(NodeId(row.peer), token, properties)

    async def _mark(
        self, rows: Sequence[Due], confirmed: Sequence[bool], *, began: datetime
    ) -> None:
        now = self._desk.clock()
        pairs = list(zip(rows, confirmed, strict=True))
        link = [r.id for r, ok in pairs if ok and catalogue.is_link_type(r.name)]
        sent: dict[int, list[UUID]] = defaultdict(list)
        for r, ok in pairs:
            if ok and not catalogue.is_link_type(r.name):
                sent[r.attempts].append(r.id)
        failed = [r.id for r, ok in pairs if not ok]
        async with self._desk.database.writing.begin() as session:
            if link:
                await session.execute(
                    delete(Outgoing).where(bulk.among(session, Outgoing.id, link))
                )
            for attempts, ids in sent.items():
                overdue = now + window.patience(self._settings, attempts)
                # A refusal from before is being tried again; one that came since then stands, and
                # so does one for good: the contents may be purged.
                stands = or_(Outgoing.permanent.is_(True), Outgoing.answered_at >= began)
                refused = and_(Outgoing.state == "refused", stands)
                await session.execute(
                    update(Outgoing)
                    .where(bulk.among(session, Outgoing.id, ids), Outgoing.state != "received")
                    .values(
                        state=case((refused, "refused"), else_="sent"),
                        first_sent_at=func.coalesce(Outgoing.first_sent_at, now),
                        sent_at=now,
                        resend_at=case((refused, Outgoing.resend_at), else_=overdue),
                        attempts=Outgoing.attempts + 1,
                    )
                )
            if failed:
                await session.execute(
                    update(Outgoing)
                    .where(bulk.among(session, Outgoing.id, failed), Outgoing.state != "received")
                    .values(resend_at=now + AGAIN_AFTER)
                )
        log.info(
            "outbox.sent", sent=sum(map(len, sent.values())), link=len(link), failed=len(failed)
        )
