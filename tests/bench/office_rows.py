"""What a province's office has gathered around its items after two years, written by the row.

The offices below with their messages and accounts, people in their units, calls with their answers,
cases with their replies, issues, reviews, the audit log.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import update

from node.storage import bulk
from node.storage.assignments import Assignment, Reply
from node.storage.audit import AuditRow
from node.storage.calls import Call, Callee, CallReading
from node.storage.database import Session
from node.storage.desk import Review
from node.storage.issues import Issue, Placing
from node.storage.items import Item
from node.storage.messages import Incoming, Outgoing, Quarantined
from node.storage.people import Membership, Person, Unit
from node.storage.statements import Account
from node.workflow import directory
from node.workflow.calendar import day_of
from protocol.identifiers import NodeId
from protocol.lifecycle import State
from protocol.offices import OfficeReference
from tests import authorities
from tests.factories import NOW, make_id, make_submission, make_token
from tests.node.rooms import QUICK_HASH, Room

COUNTIES = 183
"""As many offices below as the province that has most of them."""
PEOPLE, UNITS, HANDLING = 3_000, 300, 60
CALLS, ANSWERED, READERS = 200, 50, 200
CASES, OPEN, OF_THE_BUREAU = 6_000, 300, 400
ISSUES, PLACED, LARGE = 500, 8, 30
REVIEWS, REFUSED, SIGN_INS = 5_000, 500, 50_000
TEXT = "请结合本地实际认真研究，并按期反馈办理结果。" * 10
DAYS = range(0, 700, 2)
"""So many days ago, each link had messages, and both its ends counted them."""

BELOW = [
    OfficeReference(id=NodeId(f"xian-{number:03}"), name=f"第{number}县政协", level="county")
    for number in range(1, COUNTIES + 1)
]


@dataclass(frozen=True)
class Known:
    """An item, as far as others refer to it."""

    id: UUID
    state: str
    archived: bool
    source: str | None


@dataclass
class Office:
    """Writes one kind of thing after the other."""

    room: Room
    items: Sequence[Known]
    bureau: UUID
    chance: random.Random = field(default_factory=lambda: random.Random(12))
    units: list[UUID] = field(default_factory=list)
    authors: list[UUID] = field(default_factory=list)
    large: dict[str, UUID] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.now = self.room.desk.clock()

    def id(self) -> UUID:
        return self.room.desk.new_id()

    def at(self, number: int, of: int) -> datetime:
        """One of so many moments within the last two years."""
        return self.now - timedelta(days=700) * (of - number) / of

    async def neighbours(self, session: Session) -> None:
        for office in BELOW:
            await directory.know(session, office, "child")

    async def people(self, session: Session) -> None:
        for number in range(UNITS):
            self.units.append(self.id())
            bulk.insert(
                session,
                Unit,
                id=self.units[-1],
                code=f"U{number:03}",
                name=f"第{number}单位",
                kind="handling_unit" if number < HANDLING else "member_organisation",
                version=1,
            )
        for number in range(PEOPLE):
            self.authors.append(self.id())
            unit = number % UNITS
            bulk.insert(
                session,
                Person,
                id=self.authors[-1],
                username=f"author-{number:05}",
                name=f"委员{number}",
                roles=["author"],
                kind="member",
                unit=f"第{unit}单位",
                password_hash=QUICK_HASH,
                must_change=False,
                version=1,
                created_at=self.at(number, PEOPLE),
            )
            bulk.insert(
                session,
                Membership,
                id=self.id(),
                person_id=self.authors[-1],
                unit_id=self.units[unit],
                main=True,
                since=day_of(self.at(0, 1)),
            )

    async def calls(self, session: Session) -> None:
        """Each to every office below, every author and five units; the newest has most answers."""
        answers = self.chance.sample(self.items, len(self.items) // 10)
        for number in range(CALLS):
            call = self.large["call"] = self.id()
            at = self.at(number, CALLS)
            bulk.insert(
                session,
                Call,
                id=call,
                kind="solicitation",
                title=f"第{number}次约稿",
                body=TEXT,
                topics=[],
                due=at + timedelta(days=30),
                first_due=at + timedelta(days=30),
                pass_on=True,
                made_at=at,
                made_by="周编辑",
                revision=0,
            )
            peers = [(office.id, None) for office in BELOW]
            units = [(None, unit) for unit in self.chance.sample(self.units, 5)]
            for peer, unit in (*peers, *units, (None, None)):
                bulk.insert(
                    session,
                    Callee,
                    id=self.id(),
                    call_id=call,
                    peer=peer,
                    unit_id=unit,
                    message_id=None if peer is None else self.id(),
                    read_at=at if peer else None,
                )
            for reader in self.chance.sample(self.authors, READERS):
                bulk.insert(session, CallReading, call_id=call, person_id=reader, at=at)
            share = answers[:ANSWERED] if number < CALLS - 1 else answers[: len(answers) // 2]
            del answers[: len(share)]
            if share:
                rows = [{"id": item.id, "answers_id": call} for item in share]
                await session.execute(update(Item), rows)

    async def cases(self, session: Session) -> None:
        adopted = [item for item in self.items if item.state == State.ADOPTED]
        for number in range(CASES):
            is_open = number >= CASES - OPEN
            ours = number < OF_THE_BUREAU or (is_open and number % 10 == 0)
            below = not ours and number % 2 == 0
            item = self.chance.choice(adopted)
            at, id = self.at(number, CASES), self.id()
            bulk.insert(
                session,
                Assignment,
                id=id,
                item_id=item.id,
                subject=item.id,
                office=self.chance.choice(BELOW).id if below else None,
                unit_id=None if below else self.bureau if ours else self.units[number % HANDLING],
                handler="承办单位",
                lead=True,
                text=TEXT,
                due=day_of(at) + timedelta(days=90),
                state="signed_for" if is_open else "accepted",
                given_at=at,
                given_by="周编辑",
                signed_for_at=at,
                signed_for_by="冯科长",
                settled_at=None if is_open else at + timedelta(days=60),
            )
            if not is_open:
                bulk.insert(
                    session,
                    Reply,
                    id=self.id(),
                    assignment_id=id,
                    kind="reply",
                    text=TEXT,
                    degree="solved",
                    implemented=True,
                    by="冯科长",
                    at=at,
                    accepted=True,
                    decided_by="周编辑",
                    decided_at=at,
                )

    async def issues(self, session: Session) -> None:
        adopted = [item for item in self.items if item.state == State.ADOPTED]
        for number in range(ISSUES):
            issue = self.large["issue"] = self.id()
            at = self.at(number, ISSUES)
            bulk.insert(
                session,
                Issue,
                id=issue,
                series="general_issue",
                title=f"社情民意第{number}期",
                primary_recipients=["市长", "分管副市长"],
                copy_recipients=[],
                copies=50,
                state="signed",
                version=1,
                year=at.year,
                number=1_000 + number,
                label=f"〔{at.year}〕{1_000 + number}号",
                made_at=at,
                made_by="周编辑",
                signed_at=at,
                signed_by="郑秘书长",
            )
            size = PLACED if number < ISSUES - 1 else LARGE
            for position, item in enumerate(self.chance.sample(adopted, size)):
                bulk.insert(
                    session,
                    Placing,
                    issue_id=issue,
                    position=position,
                    item_id=item.id,
                    edition=1,
                )

    async def reviews(self, session: Session) -> None:
        """Most are over; the newest wait for the reviewer and the signer in turn."""
        registered = [item for item in self.items if item.state == State.REGISTERED]
        past, waiting = registered[-OPEN - REVIEWS : -OPEN], registered[-OPEN:]
        states = [{"id": item.id, "state": State.IN_REVIEW} for item in waiting]
        await session.execute(update(Item), states)
        for number, item in enumerate((*past, *waiting)):
            at, over = self.at(number, len(past) + OPEN), number < len(past)
            step = number % 2
            bulk.insert(
                session,
                Review,
                id=self.id(),
                item_id=item.id,
                edition=1,
                chain=1,
                step=step,
                role=None if over else ("reviewer", "signer")[step],
                sent_by=self.room.editor.id,
                sent_at=at,
                outcome="sent_back" if over else None,
                ended_at=at if over else None,
            )

    async def messages(self, session: Session) -> None:
        """Each item came from somewhere, went up, or was answered; and some was refused."""
        peers = [office.id for office in BELOW]
        token = _token()
        for number, item in enumerate(self.items):
            at, digest = self.at(number, len(self.items)), f"{number:064}"
            bulk.insert(
                session,
                Outgoing,
                id=self.id(),
                peer=item.source or "jiangyuan",
                name="feedback" if item.source else "submission",
                subject=item.id,
                payload=token,
                digest=digest,
                priority=3,
                state="received",
                attempts=1,
                created_at=at,
                first_sent_at=at,
                sent_at=at,
                answered_at=at,
            )
            bulk.insert(
                session,
                Incoming,
                source=item.source or "jiangyuan",
                id=self.id(),
                name="submission" if item.source else "feedback",
                subject=item.id,
                digest=digest,
                token=token,
                state="applied",
                received_at=at,
            )
            if number % 500 == 0:
                await bulk.flush(session)
        for number in range(REFUSED):
            at = self.at(number, REFUSED)
            bulk.insert(
                session,
                Quarantined,
                id=self.id(),
                digest=f"{number:064}",
                code=("envelope.signature", "item.taken", "office.unknown")[number % 3],
                detail="",
                permanent=True,
                peer=self.chance.choice(peers),
                queue="zt.yunzhou.in",
                body=token,
                properties={},
                first_at=at,
                last_at=at,
                state=("held", "discarded")[number % 2],
            )

    async def accounts(self, session: Session) -> None:
        """Both ends agree but for yesterday's messages."""
        for peer in (office.id for office in BELOW):
            for side in ("sent", "received"):
                for ago in DAYS:
                    at = self.now - timedelta(days=ago)
                    bulk.insert(
                        session,
                        Account,
                        peer=peer,
                        side=side,
                        day=day_of(at),
                        count=3,
                        digest="0" * 64,
                        stated_at=at,
                        agreed_at=at if ago else None,
                    )

    async def audit(self, session: Session) -> None:
        count = 5 * len(self.items)
        for number in range(count + SIGN_INS):
            signs_in = number % (count // SIGN_INS + 1) == 0
            item = self.items[number % len(self.items)]
            kind = ("logged_in", "login_refused") if signs_in else ("registered", "adopted")
            bulk.insert(
                session,
                AuditRow,
                at=self.at(number, count + SIGN_INS),
                actor="editor",
                action=kind[number % 7 == 0],
                subject="editor" if signs_in else str(item.id),
                detail={},
                came_from="192.0.2.7",
                seal=number // 100 + 1,
            )
            if number % 5_000 == 0:
                await bulk.flush(session)


def _token() -> bytes:
    """A message as it is kept, under a certificate whose end links tell of."""
    offices = authorities.hierarchy(now=NOW)
    data = make_submission(body=TEXT)
    return make_token(data, offices["donghu"], "yunzhou", subject=make_id(1))
