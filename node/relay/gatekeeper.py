"""The gatekeeper: closes the broker account of an office that is suspended or revoked.

One step, for one office below:

 1. Read whose account stands otherwise than the office's link.
 2. Close it, or open it again with the password that it had. Both can be repeated.
 3. Note it, unless the standing changed meanwhile; then the next step looks again.

Without the account closed nothing of that office counts either; it could only fill a queue. Where
the management API does not answer, it is tried again at the next look.
"""

from __future__ import annotations

import structlog
from sqlalchemy import or_, select

from node.relay.broker_accounts import BrokerAccounts
from node.relay.errors import BrokerAccountError, BrokerManagementError
from node.storage.offices import Link
from node.workflow import audit
from node.workflow.desk import Desk
from protocol.identifiers import NodeId

log = structlog.get_logger()


class Gatekeeper:
    """Looks after the accounts on one hub's broker."""

    def __init__(self, desk: Desk, accounts: BrokerAccounts) -> None:
        self._desk = desk
        self._accounts = accounts

    async def step(self) -> bool:
        """Close or open one account; whether there was one."""
        # 1.
        async with self._desk.database.reading() as session:
            link = await session.scalar(
                select(Link)
                .where(
                    or_(
                        Link.barred.is_not(None) & Link.account_closed.is_(False),
                        Link.barred.is_(None) & Link.account_closed.is_(True),
                    )
                )
                .order_by(Link.peer)
                .limit(1)
            )
        if link is None:
            return False
        # 2.
        closes = link.barred is not None
        child = NodeId(link.peer)
        try:
            if closes:
                await self._accounts.close(child)
            else:
                await self._accounts.reopen(child)
        except BrokerManagementError as error:
            log.warning("broker.account_waits", child=child, detail=error.detail)
            return False
        except BrokerAccountError as error:
            # Somebody else's, or gone: a person must look, and nothing else waits for it.
            log.error("broker.account_refused", child=child, detail=error.detail)
        # 3.
        now = self._desk.clock()
        async with self._desk.database.writing.begin() as session:
            current = await session.get_one(Link, link.peer, with_for_update=True)
            if (current.barred is not None) == closes:
                current.account_closed = closes
                action = "account_closed" if closes else "account_opened"
                audit.note(session, now, actor="system", action=action, subject=child)
        return True
