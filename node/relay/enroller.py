"""The enroller: welcomes the offices that an administrator approved.

One step, for one request:

 1. Where children log in to this hub's broker with passwords, draw one and keep it in the row. Over
    TLS their certificates are their logins, and there is none.
 2. Make the account, through the management API.
 3. In one transaction: the office stands in the directory, and the request is `entered`. From now
    on it has a link, and the transport declares its queues.
 4. Wait until they are declared: a child must not dial into nothing.
 5. Read the issuing key, issue, close the broker's address for the child's key, and sign the
    welcome. Nothing is written yet.
 6. In one transaction, unless somebody did it meanwhile: the request is `ready` with its welcome,
    what was issued is remembered, the link of an office that was revoked is open again, and the
    password is forgotten.
 7. A welcome that lapsed is erased.

Killed after 1, 2 or 3, the next step goes on where this one ended, with the same password. Killed
between 5 and 6, the certificates are issued again; nobody has seen the first. Two that work on one
request at once, the running node and a command, agree on the password by the row, and the first
welcome counts. The key is read for each welcome and kept in no memory.

What cannot be done (no broker, an account that belongs to somebody else) is noted in the row for
the administrator, and tried again after a pause; other requests do not wait for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import or_, select
from yarl import URL

from node.keys import confidential
from node.keys.ring import KeyRing
from node.keys.terms import ISSUING_DAYS, NODE_DAYS, term
from node.relay.broker_accounts import BrokerAccounts, new_password
from node.relay.certifier import texts
from node.storage import bulk
from node.storage.database import Session
from node.storage.enrolments import Enrolment
from node.storage.places import FormerRoot
from node.workflow import audit, directory, standing
from node.workflow.desk import Desk
from node.workflow.standing import Issued
from protocol import certificates as forms
from protocol.enrolment import Request, Welcome, examine, sign_welcome
from protocol.errors import ZhitongError
from protocol.identifiers import NodeId
from protocol.trust import issuing_office

log = structlog.get_logger()

TO_DO = ("approved", "entered")
TRIED_AGAIN_AFTER = timedelta(seconds=10)
FETCHED_WITHIN = timedelta(hours=72)


@dataclass(frozen=True)
class Gate:
    """How offices below reach this one: where they dial, and who makes their accounts.

    Without `accounts` all that `address` says is handed on as it is: no broker, one whose accounts
    an operator makes, or one account for all.
    """

    address: str | None
    accounts: BrokerAccounts | None

    @property
    def asks_for_passwords(self) -> bool:
        """Whether an account that is made here has one; over TLS a certificate opens it."""
        return (
            self.accounts is not None
            and self.address is not None
            and URL(self.address).scheme != "amqps"
        )


class Enroller:
    """Carries out what was approved at one office."""

    def __init__(
        self,
        desk: Desk,
        ring: KeyRing,
        gate: Gate,
        *,
        declared: Callable[[NodeId], bool],
        randomness: Callable[[int], bytes],
    ) -> None:
        self._desk = desk
        self._ring = ring
        self._gate = gate
        self._declared = declared
        self._randomness = randomness

    async def step(self) -> bool:
        """Welcome one office, or erase what lapsed; whether there was one."""
        now = self._desk.clock()
        query = (
            select(Enrolment)
            .where(
                Enrolment.state.in_(TO_DO),
                or_(Enrolment.tried_at.is_(None), Enrolment.tried_at < now - TRIED_AGAIN_AFTER),
            )
            .order_by(Enrolment.asked_at, Enrolment.id)
        )
        async with self._desk.database.reading() as session:
            rows = (await session.scalars(query)).all()
        for row in rows:
            try:
                if await self.carry_out(row.id):
                    return True
            except ZhitongError as error:
                await self._note_problem(row, error)
        # 7.
        return await self._erase(now)

    async def carry_out(self, id: UUID) -> bool:
        """Go on with one request; whether it is `ready` now. Raises what stands in the way."""
        async with self._desk.database.reading() as session:
            row = await session.get_one(Enrolment, id)
        if row.state == "approved":
            # 1.
            row = await self._with_password(id)
            # 2.
            if self._gate.accounts is not None:
                await self._gate.accounts.create(NodeId(row.office), row.password)
            # 3.
            row = await self._enter(id)
        if row.state == "entered":
            # 4.
            if not self._declared(NodeId(row.office)):
                return False
            # 5. A passphrase takes a quarter of a second to try.
            welcome, issued = await asyncio.to_thread(self._welcome, row)
            # 6.
            row = await self._answer(id, welcome, issued)
        return row.state == "ready"

    async def _with_password(self, id: UUID) -> Enrolment:
        async with self._desk.database.writing.begin() as session:
            row = await session.get_one(Enrolment, id, with_for_update=True)
            if row.state == "approved" and row.password is None and self._gate.asks_for_passwords:
                row.password = new_password(self._randomness)
            return row

    async def _enter(self, id: UUID) -> Enrolment:
        now = self._desk.clock()
        async with self._desk.database.writing.begin() as session:
            row = await session.get_one(Enrolment, id, with_for_update=True)
            if row.state == "approved":
                request = Request.model_validate_json(row.request)
                await directory.know(session, request.office, "child", request.region_code)
                await _keep_root(session, request, now)
                row.state = "entered"
                audit.note(
                    session, now, actor=audit.RELAY, action="office_entered", subject=row.office
                )
        return row

    async def _answer(self, id: UUID, welcome: str, issued: Sequence[Issued]) -> Enrolment:
        now = self._desk.clock()
        async with self._desk.database.writing.begin() as session:
            row = await session.get_one(Enrolment, id, with_for_update=True)
            if row.state == "entered":
                row.state, row.welcome, row.password = "ready", welcome, None
                row.lapses_at, row.problem = now + FETCHED_WITHIN, None
                await standing.admit(session, row.office, issued, now)
                audit.note(
                    session, now, actor=audit.RELAY, action="certificate_issued", subject=row.office
                )
                log.info("enrolment.ready", office=row.office)
            return row

    def _welcome(self, row: Enrolment) -> tuple[str, Sequence[Issued]]:
        request = Request.model_validate_json(row.request)
        asked = examine(request)
        now = self._desk.clock()
        issuer, above, root = self._ring.issuer(), self._ring.issuers(), self._ring.roots()[0]
        below_root = [c for c in above if c.issuer != c.subject]
        leaf = forms.node_certificate(asked.node, issuer, term(now, NODE_DAYS))
        hub = None
        if asked.issuing is not None:
            hub = forms.issuing_certificate(asked.issuing, issuer, term(now, ISSUING_DAYS))
        address = self._address(row)
        welcome = Welcome(
            office=request.office.id,
            parent=self._desk.office,
            root=_pem(root),
            node=[_pem(c) for c in (leaf, *below_root)],
            issuing=None if hub is None else [_pem(c) for c in (hub, *below_root)],
            broker=None if address is None else confidential.close(address, asked.key),
        )
        issued = [("node", leaf)] if hub is None else [("node", leaf), ("issuing", hub)]
        return sign_welcome(welcome, issuer.key), issued

    def _address(self, row: Enrolment) -> str | None:
        if self._gate.address is None or row.password is None:
            return self._gate.address
        return str(URL(self._gate.address).with_user(row.office).with_password(row.password))

    async def _note_problem(self, row: Enrolment, error: ZhitongError) -> None:
        if row.problem is None:
            log.warning("enrolment.stuck", office=row.office, code=error.code, error=error.detail)
        async with self._desk.database.writing.begin() as session:
            current = await session.get_one(Enrolment, row.id, with_for_update=True)
            if current.state in TO_DO:
                current.tried_at = self._desk.clock()
                current.problem = f"{error.detail} [{error.code}]"

    async def _erase(self, now: datetime) -> bool:
        query = select(Enrolment).where(Enrolment.state == "ready", Enrolment.lapses_at < now)
        async with self._desk.database.reading() as session:
            if (await session.scalars(query.limit(1))).first() is None:
                return False
        async with self._desk.database.writing.begin() as session:
            for row in await session.scalars(query.with_for_update()):
                row.state = "lapsed" if row.fetched_at is None else "welcomed"
                row.welcome = None
        return True


async def _keep_root(session: Session, request: Request, now: datetime) -> None:
    if request.root is None:
        return
    root = x509.load_pem_x509_certificate(request.root.encode())
    await bulk.upsert(
        session,
        FormerRoot,
        change=["certificate"],
        key=issuing_office(root).key,
        office=request.office.id,
        certificate=texts([root])[0],
        since=now,
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()
