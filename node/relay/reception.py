"""Taking in a batch of deliveries, in one transaction:

 1. Open each envelope (`protocol.envelope`, steps 1 to 16). Those that fail are quarantined; they
    get no receipt, since nobody is known to have sent them. Only what claims to be secret is
    answered, so that its sender does not send it again. Revocation lists come first, also here:
    where the batch brings a newer one, everything is looked at again.
 2. The unsigned properties, where the transport carries any, agree with the signed content.
 3. The sender is a neighbour known here, neither suspended nor revoked, and its incarnation is not
    an old one. Where this office wants to know, the lists of the offices above the sender are not
    long overdue; a message that brings a list is not asked.
 4. The identity (source, id, digest) is new. A duplicate gets the stored verdict again; the same
    id with another digest is refused.
 5. Link messages are dealt with here: receipts change the outbox, statements are compared, and
    questions for a replay answered. Business messages go to the workflow, or are parked while
    their subject is unknown, or not told to be merged; one that no other message could carry on,
    or back, is refused. Of what was purged, nothing but header, signature and digest is kept.
 6. What was parked for the items that arrived, or until a merge was told, is released.
 7. Items, inbox rows and receipts are written; the senders were heard.

What is refused from step 2 on gets a negative receipt, and changes nothing but the quarantine. An
office that is suspended or revoked gets none.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import select

from node.config import RelaySettings
from node.errors import UnknownOfficeError
from node.relay import admission, quarantine, receipts, recovery, returning, window
from node.relay.errors import AlteredError, IncarnationError, PropertiesError
from node.relay.transport import CONTENT_TYPE, Delivery
from node.storage import bulk
from node.storage.database import Session, take_turn
from node.storage.messages import Incoming
from node.storage.offices import Office
from node.workflow import accounts, places, receive, revocation_lists, testimony
from node.workflow import recovery as restored
from node.workflow.desk import Desk
from node.workflow.intake import Intake, prepare
from protocol import envelope
from protocol.envelope import Opened, without_contents
from protocol.errors import (
    ChainError,
    ClassifiedError,
    ClockError,
    StrangerError,
    TooLargeError,
    ZhitongError,
)
from protocol.identifiers import NodeId
from protocol.messages import catalogue
from protocol.messages.items import MOST_CARRIED
from protocol.messages.links import Receipt, ReceiptEntry, Replay, Statement

log = structlog.get_logger()

NEIGHBOURS = ("parent", "former", "child")
AT_ONCE = 20
"""Envelopes opened without giving way to pages and connections: a few milliseconds."""


@dataclass
class Result:
    """What a batch came to. `codes` counts the refusals by their reason."""

    applied: int = 0
    parked: int = 0
    repeated: int = 0
    refused: int = 0
    link: int = 0
    superseded: bool = False
    codes: Counter[str] = field(default_factory=Counter)
    entries: dict[NodeId, list[ReceiptEntry]] = field(default_factory=lambda: defaultdict(list))

    def refuse(self, error: ZhitongError) -> None:
        """One more was refused."""
        self.refused += 1
        self.codes[error.code] += 1

    def add(self, other: Result) -> None:
        """Count the messages of another batch as well."""
        self.applied += other.applied
        self.parked += other.parked
        self.repeated += other.repeated
        self.refused += other.refused
        self.link += other.link
        self.superseded |= other.superseded
        self.codes += other.codes


class Reception:
    """Takes in batches for one office."""

    def __init__(self, desk: Desk, settings: RelaySettings) -> None:
        self._desk = desk
        self._settings = settings

    async def take_in(self, deliveries: Sequence[Delivery]) -> Result:
        """Carry out the batch and commit. Raises only what retrying singly may help against."""
        now = self._desk.clock()
        # 1.
        async with self._desk.database.reading() as session:
            await places.load(session, self._desk)
            await revocation_lists.refresh(session, self._desk)
            opened = await self._open_all(deliveries, now)
            strange = [d.body for d, m in opened if isinstance(m, StrangerError | ChainError)]
            if strange and await places.learn(session, self._desk, strange):
                opened = await self._open_all(deliveries, now)
        if revocation_lists.learn(self._desk, [m for _, m in opened if isinstance(m, Opened)]):
            opened = await self._open_all(deliveries, now)
        opened.sort(key=lambda pair: not admission.brings_list(pair[1]))
        result = Result()
        async with self._desk.database.writing.begin() as session:
            await take_turn(session, "reception")
            good: list[tuple[Delivery, Opened]] = []
            for delivery, message in opened:
                if isinstance(message, ZhitongError):
                    await quarantine.put(session, self._desk, delivery, message, now)
                    result.refuse(message)
                    if isinstance(message, ClassifiedError):
                        await _answer_classified(session, message, result)
                else:
                    good.append((delivery, message))
            if good or result.entries:
                await self._take_in(session, good, now, result)
        return result

    async def refuse(self, delivery: Delivery, error: ZhitongError) -> Result:
        """Quarantine one delivery that could not be taken in."""
        now = self._desk.clock()
        message = self._open(delivery, now)
        result = Result()
        result.refuse(error)
        async with self._desk.database.writing.begin() as session:
            await take_turn(session, "reception")
            opened = message if isinstance(message, Opened) else None
            await quarantine.put(session, self._desk, delivery, error, now, opened)
            if opened is not None and not catalogue.is_link_type(opened.name):
                result.entries[opened.event.sender].append(receipts.refused(opened, error))
                await receipts.send(session, self._desk, result.entries, now)
        return result

    async def _open_all(
        self, deliveries: Sequence[Delivery], now: datetime
    ) -> list[tuple[Delivery, Opened | ZhitongError]]:
        opened = []
        for number, delivery in enumerate(deliveries, start=1):
            opened.append((delivery, self._open(delivery, now)))
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
        return opened

    def _open(self, delivery: Delivery, now: datetime) -> Opened | ZhitongError:
        try:
            return envelope.open_message(
                delivery.body, chains=self._desk.chains, place=self._desk.place, now=now
            )
        except ClockError as error:
            if delivery.arrived_at is None:
                return error
            # What is replayed was in time when it came.
            return self._open(replace(delivery, arrived_at=None), delivery.arrived_at)
        except ZhitongError as error:
            return error

    async def _take_in(
        self,
        session: Session,
        batch: Sequence[tuple[Delivery, Opened]],
        now: datetime,
        result: Result,
    ) -> None:
        senders = {m.event.sender for _, m in batch}
        offices = await neighbours(session, senders)
        barred = await admission.barred_among(session, senders)
        known = await _known(session, [m for _, m in batch])
        business = [m for _, m in batch if not catalogue.is_link_type(m.name)]
        intake = await prepare(session, self._desk, now, business)
        intake.recovering = await restored.is_open(session)
        heard: set[str] = set()
        for delivery, message in batch:
            try:
                demand_properties(delivery, message)
                admission.demand_good_standing(barred, message)
                demand_incarnation(offices, message)
                await places.demand_draining(session, offices, message)
                admission.demand_current_lists(self._desk, message, now)
                heard.add(message.event.sender)
                await self._accept(intake, message, known, result)
            except ZhitongError as error:
                await quarantine.put(session, self._desk, delivery, error, now, message)
                result.refuse(error)
                # An office that is no neighbour here has no link on which to answer.
                office = offices.get(message.event.sender)
                if message.event.sender in barred:
                    continue
                if office is not None and (entry := _refusal(message, error, office)) is not None:
                    result.entries[message.event.sender].append(entry)
        # 6.
        await self._release(intake, result)
        # 7.
        intake.write()
        if result.entries:
            await receipts.send(session, self._desk, result.entries, now)
        if heard:
            await window.heard(session, self._settings, heard, now)

    async def _accept(
        self, intake: Intake, message: Opened, known: dict[tuple[str, UUID], str], result: Result
    ) -> None:
        identity = (message.event.sender, message.event.id)
        # 4.
        if identity in known:
            if known[identity] != message.digest:
                log.error("message.altered", peer=identity[0], message_id=str(identity[1]))
                raise AlteredError
            result.repeated += 1
            result.entries[message.event.sender].append(receipts.received(message))
            return
        # 5.
        if await self._take_link(intake, message, result):
            result.link += 1
            return
        if len(message.token) > MOST_CARRIED and not catalogue.is_link_type(message.name):
            raise TooLargeError(f"a {message.name} may have {MOST_CARRIED} characters")
        # A restored node does nothing before it knows what it did, but for what makes less of it.
        waits = (
            intake.recovering
            and message.name not in ("purge", "revocations")
            and not intake.is_purged(message)
        )
        applied = not waits and await receive.apply(intake, message)
        known[identity] = message.digest
        result.applied += applied
        result.parked += not applied
        row = {
            "source": message.event.sender,
            "id": message.event.id,
            "name": message.name,
            "subject": message.event.subject,
            "digest": message.digest,
            "token": without_contents(message.token)
            if intake.is_purged(message)
            else message.token,
            "state": "applied" if applied else "parked",
            "received_at": intake.now,
        }
        if applied:
            bulk.insert(intake.session, Incoming, **row)
        else:
            # Its subject may stand later in this very batch: step 6 must find it.
            intake.session.add(Incoming(**row))
        result.entries[message.event.sender].append(receipts.received(message))

    async def _take_link(self, intake: Intake, message: Opened, result: Result) -> bool:
        match message.data:
            case Receipt():
                await receipts.take(intake.session, self._settings, message, intake.now)
                result.superseded |= await receipts.superseded(
                    intake.session, self._desk.node, message
                )
            case Statement():
                await accounts.take(intake.session, self._desk, message, intake.now)
            case Replay(since=None):
                if not await testimony.take(intake.session, message, intake.now):
                    intake.purged |= await recovery.take(
                        intake.session, self._desk, message, intake.now
                    )
            case Replay():
                await returning.answer(intake.session, self._desk, message, intake.now)
            case _:
                return False
        return True

    async def _release(self, intake: Intake, result: Result) -> None:
        # What waited for a merge may itself tell of one above it.
        subjects, intake.awaited = {*intake.new, *intake.awaited}, set()
        while subjects and not intake.recovering:
            await self._release_for(intake, subjects, result)
            subjects, intake.awaited = intake.awaited, set()

    async def _release_for(self, intake: Intake, subjects: set[UUID], result: Result) -> None:
        await intake.session.flush()
        waiting = await intake.session.scalars(
            select(Incoming)
            .where(
                Incoming.state == "parked", bulk.among(intake.session, Incoming.subject, subjects)
            )
            .order_by(Incoming.received_at, Incoming.id)
        )
        for row in waiting.all():
            try:
                message = envelope.open_message(
                    row.token,
                    chains=self._desk.chains,
                    place=self._desk.place,
                    now=None,
                    known_since=row.received_at,
                )
                if await receive.apply(intake, message):
                    row.state = "applied"
                    result.applied += 1
            except ZhitongError as error:
                log.error("inbox.parked_refused", message_id=str(row.id), code=error.code)


def demand_properties(delivery: Delivery, message: Opened) -> None:
    """Raises `PropertiesError` where the unsigned properties disagree with what was signed."""
    # 2.
    said = delivery.properties
    if said is None:
        return
    signed = {
        "message_id": str(message.event.id),
        "type": message.event.type,
        "app_id": message.event.sender,
        "content_type": CONTENT_TYPE,
    }
    for name, value in signed.items():
        if getattr(said, name) != value:
            raise PropertiesError(f"the property {name} disagrees with the signed content")
    if said.user_id is not None and said.user_id != message.event.sender:
        raise PropertiesError("the broker's account is not that of the signed source")


def demand_incarnation(offices: dict[str, Office], message: Opened) -> None:
    """Remember the sender's incarnation. Raises for one that was replaced, or for a stranger."""
    # 3.
    office = offices.get(message.event.sender)
    if office is None:
        raise UnknownOfficeError(f"{message.event.sender} is no neighbour of this office")
    if message.incarnation < office.incarnation:
        log.error("link.old_incarnation", peer=office.id, incarnation=message.incarnation)
        raise IncarnationError
    if message.incarnation > office.incarnation:
        log.warning("link.new_incarnation", peer=office.id, incarnation=message.incarnation)
    office.incarnation = message.incarnation


def _refusal(message: Opened, error: ZhitongError, office: Office) -> ReceiptEntry | None:
    if isinstance(error, IncarnationError):
        # Whatever it said: a copy of a node that was restored elsewhere must hear that it is one.
        return receipts.refused(message, error, incarnation=office.incarnation)
    return None if catalogue.is_link_type(message.name) else receipts.refused(message, error)


async def _answer_classified(session: Session, error: ClassifiedError, result: Result) -> None:
    # 1.
    named = error.message
    if named is not None and await neighbours(session, {NodeId(named.sender)}):
        result.entries[NodeId(named.sender)].append(
            ReceiptEntry(id=named.id, digest=named.digest, verdict="refused", code=error.code)
        )


async def neighbours(session: Session, senders: set[NodeId]) -> dict[str, Office]:
    """Those of the senders to which this office has a link."""
    found = await session.scalars(
        select(Office).where(Office.id.in_(senders), Office.relation.in_(NEIGHBOURS))
    )
    return {office.id: office for office in found}


async def _known(session: Session, messages: Sequence[Opened]) -> dict[tuple[str, UUID], str]:
    senders = {message.event.sender for message in messages}
    ids = [message.event.id for message in messages]
    found = await session.execute(
        select(Incoming.source, Incoming.id, Incoming.digest).where(
            Incoming.source.in_(senders), bulk.among(session, Incoming.id, ids)
        )
    )
    return {(source, id): digest for source, id, digest in found}
