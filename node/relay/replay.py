"""Replaying from quarantine what an administrator asked for, one message a step:

 1. Read the oldest message that is wanted.
 2. Take its bytes in, as a delivery that arrived when it first came: the same reception, the same
    receipt to its sender. What counted before is recognised and answered again.
 3. Mark what came of it: `replayed`, for every reason for which these bytes were refused; or
    `held` again, with the code.

Killed between 2 and 3, the message is taken in again, and recognised.
"""

from __future__ import annotations

import structlog
from sqlalchemy import select, update

from node.config import RelaySettings
from node.relay.consumer import take_in
from node.relay.reception import Reception
from node.relay.transport import Delivery, Properties
from node.storage.messages import Quarantined
from node.workflow import audit
from node.workflow.desk import Desk

log = structlog.get_logger()


class Replayer:
    """Carries out what was asked of one office's quarantine."""

    def __init__(self, desk: Desk, settings: RelaySettings) -> None:
        self._desk = desk
        self._reception = Reception(desk, settings)

    async def step(self) -> bool:
        """Replay one message; whether there was one."""
        # 1.
        async with self._desk.database.reading() as session:
            row = await session.scalar(
                select(Quarantined)
                .where(Quarantined.state == "wanted")
                .order_by(Quarantined.decided_at, Quarantined.id)
                .limit(1)
            )
        if row is None:
            return False
        # 2.
        delivery = Delivery(
            row.body,
            Properties(**row.properties) if row.properties else None,
            row.queue,
            arrived_at=row.first_at,
        )
        result = await take_in(self._reception, [delivery])
        code = next(iter(result.codes), None)
        # 3.
        await self._mark(row, code)
        log.info("quarantine.replayed", id=str(row.id), peer=row.peer, code=code)
        return True

    async def _mark(self, row: Quarantined, code: str | None) -> None:
        now = self._desk.clock()
        # A discarded one stays so, also when that was decided a moment ago.
        marking = update(Quarantined).where(Quarantined.state != "discarded")
        if code is None:
            marking = marking.where(Quarantined.digest == row.digest).values(
                state="replayed",
                outcome=None,
                decided_at=row.decided_at,
                decided_by=row.decided_by,
            )
        else:
            marking = marking.where(Quarantined.id == row.id).values(state="held", outcome=code)
        async with self._desk.database.writing.begin() as session:
            await session.execute(marking)
            audit.note(
                session,
                now,
                actor=row.decided_by or "system",
                action="quarantine_replayed" if code is None else "quarantine_refused_again",
                subject=row.id,
                digest=row.digest,
                code=code,
            )
