"""The revoker: signs this office's revocation list when it is due, and tells new neighbours.

One step:

 1. A list is due where there is none, where it says something else than the rows, where it has
    another chain than this office has now, and when half of its time is over, so that nobody is
    left with an old one. An office that revoked nothing issues an empty list.
 2. It is signed with the issuing key. Its number is higher than that of the last one, and not below
    the seconds since 1970: a node that goes on from an older backup repeats none.
 3. In one transaction, unless the rows or the list changed meanwhile: it is stored, and handed on.
 4. Verification knows it.
 5. A neighbour that is new, or was taken up again, is sent every list that concerns it.

Killed between 2 and 3, the list is signed again: nobody has seen the first. An office that may
certify nobody has no list of its own, and does 5 alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import select

from node.keys.ring import KeyRing
from node.storage.database import Session
from node.storage.revocations import RevokedCertificate
from node.workflow import audit, revocation_lists
from node.workflow.desk import Desk
from protocol import revocation_list
from protocol.keys import P256Signer
from protocol.messages import trust as messages
from protocol.messages.trust import RevocationList
from protocol.revocation import KnownList
from protocol.revocation_list import OpenedList

log = structlog.get_logger()

LASTS = timedelta(days=14)
AGAIN_AFTER = LASTS / 2


class Revoker:
    """Issues the lists of one office."""

    def __init__(self, desk: Desk, ring: KeyRing, *, incarnation: int) -> None:
        self._desk = desk
        self._ring = ring
        self._incarnation = incarnation

    async def step(self) -> bool:
        """Issue the list that is due, and tell who is new; whether there was anything to do."""
        issued = await self._issue()
        # 5.
        async with self._desk.database.writing.begin() as session:
            told = await revocation_lists.greet(session, self._desk, self._desk.clock())
        return issued or told

    async def _issue(self) -> bool:
        desk, now = self._desk, self._desk.clock()
        if desk.place.issuing is None:
            return False
        # 1.
        async with desk.database.reading() as session:
            before, rows = await self._present(session)
        # After a move it leads elsewhere, where the one before says nothing.
        fits = before is not None and before.chain.line == desk.place.certifies
        if before is not None and fits and not _is_due(before.known, rows, now):
            return False
        # 2. A passphrase takes a quarter of a second to try.
        opened = await asyncio.to_thread(self._signed, before, rows, now)
        # 3.
        async with desk.database.writing.begin() as session:
            current, entries = await self._present(session, lock=True)
            if _number(current) != _number(before) or _entries(entries) != _entries(rows):
                return True
            await revocation_lists.store(session, opened, now)
            await revocation_lists.hand_on(session, desk, opened, now)
            audit.note(
                session,
                now,
                actor="system",
                action="revocations_issued",
                number=opened.known.number,
                revoked=len(rows),
            )
        # 4.
        desk.chains.revoked = desk.chains.revoked.taking(opened.known)
        log.info("revocations.issued", number=opened.known.number, revoked=len(rows))
        return True

    async def _present(
        self, session: Session, *, lock: bool = False
    ) -> tuple[OpenedList | None, Sequence[RevokedCertificate]]:
        issuing = self._desk.place.issuing
        assert issuing is not None
        rows = await session.scalars(
            select(RevokedCertificate).order_by(RevokedCertificate.at, RevokedCertificate.serial)
        )
        list_ = await revocation_lists.stored(session, self._desk, issuing.key, lock=lock)
        return list_, rows.all()

    def _signed(
        self, before: OpenedList | None, rows: Sequence[RevokedCertificate], now: datetime
    ) -> OpenedList:
        issued_at = now.replace(microsecond=0)
        content = RevocationList(
            issuer=self._desk.node,
            number=max((_number(before) or 0) + 1, int(now.timestamp())),
            issued_at=issued_at,
            next_update=issued_at + LASTS,
            revoked=tuple(
                messages.RevokedCertificate.model_validate(entry) for entry in _entries(rows)
            ),
        )
        issuer, chain = self._ring.issuer(), self._ring.issuers()
        below_root = [c for c in chain if c.issuer != c.subject] or chain
        signer = P256Signer(issuer.key, tuple(c.public_bytes(Encoding.DER) for c in below_root))
        token = revocation_list.seal(content, signer, incarnation=self._incarnation)
        return revocation_list.open_list(token, chains=self._desk.chains)


def _number(opened: OpenedList | None) -> int | None:
    return None if opened is None else opened.known.number


def _is_due(known: KnownList, rows: Sequence[RevokedCertificate], now: datetime) -> bool:
    says = [
        {name: getattr(entry, name) for name in messages.RevokedCertificate.model_fields}
        for entry in known.revoked
    ]
    return now >= known.issued_at + AGAIN_AFTER or says != _entries(rows)


def _entries(rows: Sequence[RevokedCertificate]) -> list[dict[str, object]]:
    return [
        {name: getattr(row, name) for name in messages.RevokedCertificate.model_fields}
        for row in rows
    ]
