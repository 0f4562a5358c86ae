"""The mover: puts a place in place of which this office was told, and tells the offices below.

 1. New roots stand in `root.pem` before the present ones.
 2. The issuing certificate in `issuing.pem` has its new issuers.
 3. So has the node certificate in `node.pem`.
 4. The running loops sign with the new chain.
 5. In one transaction: the place is `done`, the one before it keeps its chain, and every office
    below is stated this office's own new chain (`protocol/issuers`).

Each file is written beside its place and renamed. Killed anywhere, the step is taken anew: each
can be taken twice. What a welcome told is in the files already; what is left is 4 and 5, after
the process has started under its new parent.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from datetime import datetime

import structlog
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import select

from node.keys import file
from node.keys.ring import KeyRing
from node.keys.signer import FileSigner
from node.relay.certifier import texts
from node.storage.offices import Office
from node.storage.places import PlaceRow
from node.workflow import audit, outbox
from node.workflow.desk import Desk
from protocol import issuers
from protocol.identifiers import NodeId
from protocol.keys import P256Signer
from protocol.messages.trust import Issuers, NewIssuers
from protocol.trust import parse

log = structlog.get_logger()


class Mover:
    """Puts the places of one office in place."""

    def __init__(self, desk: Desk, ring: KeyRing, signer: FileSigner, *, incarnation: int) -> None:
        self._desk = desk
        self._ring = ring
        self._signer = signer
        self._incarnation = incarnation

    async def step(self) -> bool:
        """Put the place in place that was told last; whether there was one."""
        desk, now = self._desk, self._desk.clock()
        async with desk.database.reading() as session:
            row = await session.scalar(select(PlaceRow).where(PlaceRow.state == "arrived").limit(1))
        if row is None or row.parent != (None if desk.parent is None else desk.parent.id):
            return False
        before, present = await asyncio.to_thread(self._write, row)
        # 4.
        await asyncio.to_thread(self._signer.reload)
        desk.chains.trust([*self._ring.roots(), *_others(desk.chains.roots, self._ring.roots())])
        statement = await asyncio.to_thread(self._statement, row, now)
        # 5.
        async with desk.database.writing.begin() as session:
            current = await session.get_one(PlaceRow, row.id, with_for_update=True)
            current.state, current.chain = "done", list(present)
            former = await session.scalar(select(PlaceRow).where(PlaceRow.until == row.since))
            if former is not None and not former.chain:
                former.chain = list(before)
            if statement is not None:
                for child in await session.scalars(
                    select(Office.id).where(Office.relation == "child").order_by(Office.id)
                ):
                    content = Issuers(statement=statement)
                    outbox.post(session, desk, content, to=NodeId(child), now=now)
            audit.note(session, now, actor=audit.RELAY, action="place_taken", subject=desk.node)
        log.info("place.taken", node=desk.node, path=str(desk.place.own))
        return True

    def _write(self, row: PlaceRow) -> tuple[Sequence[str], Sequence[str]]:
        ring = self._ring
        chain = file.read_certificates(ring.node_chain)
        before = texts(chain)
        if row.statement is None:
            return (), row.chain
        # 1.
        new = [parse(base64.b64decode(text)) for text in row.roots]
        file.write_certificates(ring.root, [*new, *_others(ring.roots(), new)])
        parsed = issuers.chain_of(row.statement)
        above = [parse(der) for der in parsed]
        # 2.
        if ring.issuing_chain.exists():
            file.write_certificates(ring.issuing_chain, [ring.issuers()[0], *above])
        # 3.
        present = [chain[0], *above]
        file.write_certificates(ring.node_chain, present)
        return before, texts(present)

    def _statement(self, row: PlaceRow, now: datetime) -> str | None:
        if self._desk.place.issuing is None:
            return None
        issuer = self._ring.issuer()
        chain = [c for c in self._ring.issuers() if c.issuer != c.subject]
        content = NewIssuers(
            office=self._desk.node,
            number=max(row.number + 1, int(now.timestamp())),
            issued_at=now.replace(microsecond=0),
            roots=tuple(row.roots),
            above=row.statement if row.roots else None,
        )
        signer = P256Signer(issuer.key, tuple(c.public_bytes(Encoding.DER) for c in chain))
        return issuers.seal(content, signer, incarnation=self._incarnation).decode()


def _others(
    roots: Sequence[x509.Certificate], than: Sequence[x509.Certificate]
) -> list[x509.Certificate]:
    return [root for root in roots if root not in than]
