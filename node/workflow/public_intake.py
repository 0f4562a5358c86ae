"""Citizens hand in what they see, without an account, where the office has opened its public form.

`submit` is one transaction:

 1. The form is open; what arrives at this moment is counted singly.
 2. A person filled it in, and the form was not used before (`challenges`).
 3. Today, neither this address nor everybody together has handed in too much.
 4. The person agreed to the handling of personal data; the text fits the limits, and holds none of
    the office's phrases for secret documents, unless that was confirmed.
 5. The item is written as that of a citizen, whose name does not stand on it, and beside it his
    record; nothing else tells from whom it came.

The receipt's code is handed out once; of it a digest is kept. Whoever has it sees what came of that
item, and nothing of another (`public_receipts`).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Annotated, Any

from pydantic import ConfigDict, Field, StrictBool, StringConstraints, ValidationError
from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError

from node.errors import InputError
from node.public_errors import ChallengeUsedError, ConsentError, TooManyError
from node.storage.database import Session
from node.storage.public import PublicSettings, PublicSubmission, UsedChallenge
from node.workflow import (
    audit,
    challenges,
    editions,
    items,
    public_settings,
    receipt_codes,
    record,
    recovery,
    submissions,
    topics,
)
from node.workflow.calendar import OFFICE_TIME, day_of
from node.workflow.challenges import Challenge, Shown
from node.workflow.desk import Desk
from node.workflow.submissions import Draft
from node.workflow.topics import Code
from protocol import lifecycle
from protocol.lifecycle import Action
from protocol.messages import event
from protocol.messages.items import Author
from protocol.offices import Line, Record, Text

CHANNEL = "public_form"
CITIZEN = Author(name="群众", kind="public_submission", unit="社会公众")
PUBLIC = "public"
"""Who did it, in the audit log."""

Phone = Annotated[Line, StringConstraints(pattern=r"^[0-9+() -]{3,40}$")]


class Letter(Record):
    """What a citizen hands in, and how he shows that he is one."""

    model_config = ConfigDict(extra="forbid", defer_build=False)

    title: Line
    body: Text
    topic: Code
    name: Annotated[Line, Field(max_length=60)] | None = None
    phone: Phone | None = None
    consent: StrictBool = False
    confirmed: StrictBool = False
    challenge: Annotated[str, StringConstraints(max_length=200)]
    answer: Annotated[str, StringConstraints(max_length=20)] | None = None
    work: Annotated[int, Field(ge=0, le=challenges.MOST_WORK)] | None = None


def letter(content: dict[str, Any]) -> Letter:
    """From what was entered. Raises `InputError`."""
    try:
        return Letter.model_validate(content)
    except ValidationError as error:
        raise InputError(event.brief(error)) from error


@dataclass(frozen=True)
class Form:
    """What the form shows."""

    challenge: Challenge
    topics: dict[str, str]
    notice: str | None


async def form(desk: Desk, *, nonce: bytes, again: str | None = None) -> Form:
    """The form with a new challenge, or with the one that it had. Raises `PublicClosedError`."""
    async with desk.database.reading() as session:
        settings = await public_settings.demand_open(session)
        table = await topics.current(session)
    if again is not None:
        challenge = challenges.again(settings.secret, again)
    else:
        challenge = challenges.make(settings.secret, nonce, desk.clock())
    choices = {entry.code: entry.name for entry in table.topics if not entry.retired}
    return Form(challenge, choices, settings.notice)


async def submit(
    desk: Desk, letter: Letter, *, came_from: str, random: Callable[[int], bytes]
) -> str:
    """Hand it in. Returns the code of the receipt, which is told nobody again."""
    now = desk.clock()
    code = receipt_codes.make(random(receipt_codes.BYTES))
    try:
        async with desk.database.writing.begin() as session:
            await _submit(session, desk, letter, code, came_from, now)
    except IntegrityError as error:
        # The same form at the same moment, on a database that does not take turns.
        raise ChallengeUsedError from error
    return code


async def _submit(
    session: Session, desk: Desk, letter: Letter, code: str, came_from: str, now: datetime
) -> None:
    # 1.
    settings = await public_settings.demand_open(session, lock=True)
    await recovery.demand_work_allowed(session, desk.node)
    # 2.
    shown = challenges.demand(
        settings.secret, letter.challenge, answer=letter.answer, work=letter.work, now=now
    )
    await _demand_unused(session, shown, now)
    # 3.
    today = day_of(now)
    address = hmac.new(
        settings.secret, f"{today} {network_of(came_from)}".encode(), sha256
    ).hexdigest()
    await _demand_few(session, settings, today, address, now)
    # 4.
    if not letter.consent:
        raise ConsentError
    draft = Draft(
        title=letter.title, body=letter.body, topic=letter.topic, confirmed=letter.confirmed
    )
    found = submissions.demand_fit(desk, draft)
    # 5.
    state = lifecycle.advance(Action.SUBMIT, None)
    item = items.new(desk.new_id(), desk.office, now, state=state, channel=CHANNEL)
    session.add(item)
    topic = await topics.file(session, item, draft.topic)
    filed = draft.model_copy(update={"topic": topic})
    editions.write(session, item, filed, number=1, authors=[CITIZEN], submitted_at=now)
    record.own_step(
        session,
        desk,
        item,
        "submitted",
        {"edition": 1},
        state=lifecycle.State(item.state),
        now=now,
        actor=PUBLIC,
    )
    session.add(
        PublicSubmission(
            item_id=item.id,
            code_digest=receipt_codes.digest(code),
            day=today,
            address_digest=address,
            name=letter.name,
            phone=letter.phone,
            consented_at=now,
        )
    )
    session.add(UsedChallenge(nonce=shown.nonce, expires_at=shown.expires_at))
    audit.note(
        session,
        now,
        actor=PUBLIC,
        action="public_submitted",
        subject=item.id,
        came_from=came_from,
        confirmed=len(found),
    )


def network_of(address: str) -> str:
    """What counts as one place: a whole /64 of IPv6, which one subscriber has to himself."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv4Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ip_network((parsed, 64), strict=False))


async def _demand_unused(session: Session, shown: Shown, now: datetime) -> None:
    await session.execute(delete(UsedChallenge).where(UsedChallenge.expires_at < now))
    if await session.get(UsedChallenge, shown.nonce) is not None:
        raise ChallengeUsedError


async def _demand_few(
    session: Session, settings: PublicSettings, today: date, address: str, now: datetime
) -> None:
    """Raises `TooManyError`, until tomorrow."""
    came = select(func.count()).where(PublicSubmission.day == today)
    from_there = came.where(PublicSubmission.address_digest == address)
    for query, most in ((from_there, settings.per_address), (came, settings.per_day)):
        if (await session.scalar(query) or 0) >= most:
            midnight = datetime.combine(today + timedelta(days=1), datetime.min.time(), OFFICE_TIME)
            raise TooManyError(retry_after=max(1, int((midnight - now).total_seconds()) + 1))
