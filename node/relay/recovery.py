"""A node that was restored from a backup asks its neighbours what they have of it, and goes on.

 1. Each neighbour is asked, page by page, until its last answer came. What comes in meanwhile is
    received, and waits.
 2. The neighbours' own messages that they send again have all arrived. A neighbour that keeps us
    waiting for one is asked anew: it may have purged it since, and names it no more.
 3. Items from below are taken in: they must be there before what was done to them. What an earlier
    incarnation of a neighbour had sent, and the present one does not know of, is refused after all.
 4. This office's own messages, which came back, are turned into what they tell of (`rebuild`). One
    with which that fails goes into quarantine: the others, and people, must not wait for it.
 5. Whatever else waits is carried out, unless a message of ours was already its answer. So is a new
    edition: whether it came before the item was returned nobody knows, so it is looked at again.
 6. What was said to be forwarded is, and the other way round.
 7. The epoch is closed: people may work again, and the audit chain goes on.

A neighbour that is off for long can be waived: then step 2 does not wait for it, and what it brings
when it answers at last is entered then.

Each step is one bounded transaction; killed anywhere, the next one goes on where it was. A node
that has nothing of this to do only reads.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import delete, exists, func, or_, select

from node.relay import quarantine
from node.relay.errors import IncarnationError, PoisonError
from node.relay.transport import Delivery
from node.storage import bulk
from node.storage.database import Session, is_away, take_turn
from node.storage.items import Item
from node.storage.messages import Incoming
from node.storage.offices import Office
from node.storage.purges import NEVER_ERASED
from node.storage.recovery import Epoch, Recovery, Returned
from node.workflow import outbox, purges, rebuild, receive, recovery
from node.workflow.desk import Desk
from node.workflow.intake import prepare
from protocol import envelope
from protocol.envelope import Opened
from protocol.errors import EnvelopeError, RevokedError, SuspendedError, ZhitongError
from protocol.identifiers import NodeId, earliest
from protocol.messages.links import Replay

log = structlog.get_logger()

BATCH = 200
REBUILT_AT_ONCE = 50
ASK_AGAIN = timedelta(seconds=60)
"""Questions and answers are link messages: nobody sends them again by himself."""

ASK_ANEW = timedelta(minutes=10)
"""For all that a neighbour named to arrive, before it is asked again what there is."""

ATTEMPTS = 3
"""At entering a message that came back, where the database may be what failed."""

ITEMS = ("submission",)

Waiting = tuple[Incoming, Opened]
Identity = tuple[str, UUID]


class StuckError(Exception):
    """A message that came back could not be entered; the cause says why."""

    def __init__(self, row: Returned) -> None:
        self.identity = (row.peer, row.id)


class Recoverer:
    """Brings one restored office up to date."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.is_waiting = True
        """Whether what arrives may be what it waits for."""
        self.due: datetime | None = None
        """When a neighbour is to be asked again."""
        self._failures: Counter[Identity] = Counter()

    async def step(self) -> bool:
        """Do one bounded piece of it; whether there was any."""
        now = self._desk.clock()
        async with self._desk.database.reading() as session:
            self.is_waiting = await recovery.is_open(session)
            self.due = await _asks_again_at(session, anew=self.is_waiting)
            if not self.is_waiting and not await _has_work(session, now):
                return False
        try:
            async with self._desk.database.writing.begin() as session:
                # A batch that is being taken in parks what comes: it must not miss the end of it.
                await take_turn(session, "reception")
                return await self._step(session, now)
        except StuckError as stuck:
            await self._put_aside(stuck, now)
            return True

    async def _step(self, session: Session, now: datetime) -> bool:
        # 1.
        unanswered = list(
            await session.scalars(select(Recovery).where(Recovery.answered_at.is_(None)))
        )
        epoch = await recovery.newest_epoch(session)
        if epoch is None or await self._ask(session, epoch, unanswered, now):
            return epoch is not None
        if epoch.recovered_at is not None:
            # What a neighbour answers that nobody waited for any longer.
            return (
                await self._rebuild(session, now)
                or await rebuild.settle(session, self._desk)
                or await _forget(session)
            )
        if any(peer.waived_at is None for peer in unanswered):
            return False
        # 2.
        waited_for = await _outstanding(session)
        if waited_for:
            return await _ask_anew(session, waited_for, now)
        # 3. to 6.
        if (
            await self._apply(session, epoch, now, items=True)
            or await self._rebuild(session, now)
            or await self._apply(session, epoch, now, items=False)
            or await rebuild.settle(session, self._desk)
        ):
            return True
        # 7.
        waiting = await session.scalars(
            select(Incoming).where(
                Incoming.state == "parked", Incoming.received_at >= epoch.backup_at
            )
        )
        opened = await self._opened(session, waiting.all(), now)
        await self._current(session, epoch, opened, now)
        await recovery.close(session, now)
        await _forget(session)
        log.warning("node.recovered", node=self._desk.node, incarnation=epoch.incarnation)
        return True

    async def _ask(
        self, session: Session, epoch: Epoch, unanswered: Sequence[Recovery], now: datetime
    ) -> bool:
        asked = False
        for peer in unanswered:
            if not _is_due(peer, now):
                continue
            question = Replay(since=epoch.backup_at, after=peer.cursor)
            outbox.post(session, self._desk, question, to=NodeId(peer.peer), now=now)
            peer.asked_at = now
            asked = True
        return asked

    async def _apply(self, session: Session, epoch: Epoch, now: datetime, *, items: bool) -> bool:
        known = exists().where(Item.id == Incoming.subject)
        query = select(Incoming).where(Incoming.state == "parked")
        # A purge and its answer are about items that need not be here.
        rest = or_(known, Incoming.subject.is_(None), Incoming.name.in_(NEVER_ERASED))
        query = query.where(Incoming.name.in_(ITEMS) if items else rest)
        rows = list(await session.scalars(query.order_by(Incoming.id).limit(BATCH)))
        opened = await self._opened(session, rows, now)
        current = await self._current(session, epoch, opened, now)
        intake = await prepare(session, self._desk, now, [m for _, m in current])
        progress = len(current) < len(rows)
        for row, message in current:
            if message.name == "withdrawal" and await _was_answered(session, message):
                row.state, progress = "applied", True
                continue
            try:
                applied = await receive.apply(intake, message)
            except ZhitongError as error:
                log.error("inbox.parked_refused", message_id=str(row.id), code=error.code)
                applied = True
            if applied:
                row.state, progress = "applied", True
        intake.write()
        return progress

    async def _current(
        self, session: Session, epoch: Epoch, opened: Sequence[Waiting], now: datetime
    ) -> Sequence[Waiting]:
        """Without what an earlier incarnation of its sender had sent and the present one forgot.

        This node had forgotten the present one too, so it took in what was still under way.
        """
        found = await session.execute(
            select(Office.id, Office.incarnation).where(Office.incarnation > 1)
        )
        incarnations = dict(found.all())
        current = []
        for row, message in opened:
            outdated = message.incarnation < incarnations.get(row.source, 1)
            if (
                outdated
                and row.received_at >= epoch.backup_at
                and await session.get(Returned, (row.source, row.id)) is None
            ):
                error = IncarnationError()
                delivery = Delivery(row.token, None, "recovery")
                await quarantine.put(session, self._desk, delivery, error, now, message)
                await session.delete(row)
            else:
                current.append((row, message))
        return current

    async def _rebuild(self, session: Session, now: datetime) -> bool:
        rows = await session.scalars(
            select(Returned)
            .where(Returned.token.is_not(None))
            .order_by(Returned.id)
            .limit(REBUILT_AT_ONCE)
        )
        worked = False
        for row in rows.all():
            try:
                await rebuild.own(session, self._desk, self._own(row), now)
                row.token, worked = None, True
                # What one message enters must be seen by the next.
                await bulk.flush(session)
            except Exception as error:
                if is_away(error):
                    raise
                raise StuckError(row) from error
        return worked

    async def _put_aside(self, stuck: StuckError, now: datetime) -> None:
        """Into quarantine with it; raises while the database may be what failed."""
        cause = stuck.__cause__
        self._failures[stuck.identity] += 1
        if not isinstance(cause, ZhitongError) and self._failures[stuck.identity] < ATTEMPTS:
            raise stuck
        error = cause if isinstance(cause, ZhitongError) else PoisonError()
        async with self._desk.database.writing.begin() as session:
            await take_turn(session, "reception")
            row = await session.get_one(Returned, stuck.identity, with_for_update=True)
            if row.token is None:
                return
            delivery = Delivery(row.token, None, "recovery")
            message = None if isinstance(error, EnvelopeError) else self._own(row)
            await quarantine.put(session, self._desk, delivery, error, now, message)
            row.token = None
        log.error("recovery.stuck", peer=row.peer, message_id=str(row.id), code=error.code)

    def _own(self, row: Returned) -> Opened:
        assert row.token is not None
        return envelope.open_own(row.token, chains=self._desk.chains, place=self._desk.place)

    async def _opened(
        self, session: Session, rows: Sequence[Incoming], now: datetime
    ) -> list[Waiting]:
        """Without what was signed with a key that was revoked since, and came after the theft."""
        opened = []
        for row in rows:
            try:
                message = envelope.open_message(
                    row.token,
                    chains=self._desk.chains,
                    place=self._desk.place,
                    now=None,
                    known_since=row.received_at,
                )
            except (RevokedError, SuspendedError) as error:
                delivery = Delivery(row.token, None, "recovery")
                await quarantine.put(session, self._desk, delivery, error, now)
                await session.delete(row)
            else:
                opened.append((row, message))
        return opened


async def take(session: Session, desk: Desk, message: Opened, now: datetime) -> set[UUID]:
    """Keep what a neighbour's answer brings. An answer that nobody waits for changes nothing.

    What this node had purged, it purges again at once; which items those are.
    """
    again: set[UUID] = set()
    answer, peer = message.data, message.event.sender
    assert isinstance(answer, Replay)
    asked = await session.get(Recovery, peer)
    if asked is None or asked.answered_at is not None:
        return again
    epoch = await recovery.newest_epoch(session)
    question = message.event.causationid
    if epoch is None or question is None or question < earliest(epoch.began_at):
        # The node that asked this was lost as well, and may have lacked less.
        log.warning("recovery.old_answer", peer=peer)
        return again
    for text in answer.tokens:
        try:
            own = envelope.open_own(text.encode(), chains=desk.chains, place=desk.place)
        except ZhitongError as error:
            log.error("recovery.refused", peer=peer, code=error.code)
            continue
        if own.event.addressee == peer:
            if (item := await purges.again(session, desk, own, now)) is not None:
                again.add(item)
            known = await session.get(Returned, (peer, own.event.id))
            if known is None:
                cause = own.event.causationid
                row = Returned(peer=peer, id=own.event.id, ours=True, token=own.token, cause=cause)
                session.add(row)
                if await purges.concerns(session, own):
                    # Its contents must not lie here until everybody has answered.
                    await rebuild.own(session, desk, own, now)
                    row.token = None
    for left in answer.erased:
        await outbox.enter_erased(session, left, to=peer, now=now)
    # Once the epoch is closed, nothing waits for what is sent again.
    awaited = answer.ids if await recovery.is_open(session) else ()
    for id in awaited:
        if await session.get(Returned, (peer, id)) is None:
            session.add(Returned(peer=peer, id=id, ours=False))
    asked.asked_at = None
    if answer.more:
        asked.cursor = answer.after
        return again
    asked.answered_at = now
    asked.audit_seal = answer.audit.seal if answer.audit is not None else None
    log.warning("recovery.answered", peer=peer)
    return again


async def _asks_again_at(session: Session, *, anew: bool) -> datetime | None:
    asked_at = await session.scalar(
        select(func.min(Recovery.asked_at)).where(Recovery.answered_at.is_(None))
    )
    if asked_at is not None or not anew:
        return None if asked_at is None else asked_at + ASK_AGAIN
    answered_at = await session.scalar(select(func.min(Recovery.answered_at)))
    return None if answered_at is None else answered_at + ASK_ANEW


async def _has_work(session: Session, now: datetime) -> bool:
    """Whether there is anything for a node that has recovered, or never had to."""
    if await session.scalar(select(Returned.id).limit(1)) is not None:
        return True
    unanswered = await session.scalars(select(Recovery).where(Recovery.answered_at.is_(None)))
    return any(_is_due(peer, now) for peer in unanswered)


def _is_due(peer: Recovery, now: datetime) -> bool:
    return peer.asked_at is None or peer.asked_at <= now - ASK_AGAIN


async def _forget(session: Session) -> bool:
    """Remove what was entered; whether there was any."""
    gone = await session.scalars(delete(Returned).returning(Returned.id))
    return bool(gone.all())


async def _outstanding(session: Session) -> set[str]:
    """The neighbours of whose messages some have not arrived."""
    here = exists().where(Incoming.source == Returned.peer, Incoming.id == Returned.id)
    query = select(Returned.peer).where(Returned.ours.is_(False), ~here).distinct()
    return set(await session.scalars(query))


async def _ask_anew(session: Session, peers: set[str], now: datetime) -> bool:
    """Forget what was waited for in vain, and when it was answered; whether there was any."""
    late = await session.scalars(
        select(Recovery).where(Recovery.peer.in_(peers), Recovery.answered_at <= now - ASK_ANEW)
    )
    asked = False
    for peer in late.all():
        log.warning("recovery.asked_anew", peer=peer.peer)
        peer.asked_at, peer.answered_at, peer.cursor = None, None, None
        await session.execute(
            delete(Returned).where(Returned.peer == peer.peer, Returned.ours.is_(False))
        )
        asked = True
    return asked


async def _was_answered(session: Session, message: Opened) -> bool:
    query = select(Returned.id).where(Returned.ours, Returned.cause == message.event.id).limit(1)
    return await session.scalar(query) is not None
