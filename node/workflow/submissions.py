"""Items come in: from an author at this office, or from an office below.

`submit` and `resubmit` are one transaction each:

 1. The actor's role may do this; the text fits the limits, and holds none of the office's phrases
    for secret documents, unless the author confirmed that it is none.
 2. The state allows it (`lifecycle`).
 3. Item and edition are written, with the authors who have accounts here, and the files that
    they name.
 4. The event and the audit row are written.

`receive` takes a submission or revision from below; the business key is (source, item, edition).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, StrictBool, ValidationError

from node.errors import (
    InputError,
    ItemTakenError,
    PhrasesError,
    TooLongError,
    UnsupportedTypeError,
)
from node.storage import bulk
from node.storage.database import Session
from node.storage.items import Edition, Item, ItemAuthor
from node.workflow import (
    access,
    attachments,
    audit,
    calls,
    ceilings,
    editions,
    items,
    people,
    record,
    recovery,
    tags,
    topics,
)
from node.workflow.attachments import Named
from node.workflow.desk import Actor, Desk
from node.workflow.intake import Intake
from node.workflow.tags import Tags
from node.workflow.topics import Code
from protocol import evidence, lifecycle
from protocol.envelope import Opened
from protocol.errors import LifecycleError
from protocol.lifecycle import Action, State
from protocol.messages import event
from protocol.messages.items import (
    LEVELS,
    Author,
    AuthorKind,
    Classification,
    Share,
    Urgency,
    demand_whole,
)
from protocol.messages.items import Edition as EditionMessage
from protocol.offices import Line, Record, Text

Channel = Literal["letter", "hotline", "visit", "phone", "other"]


class CoAuthor(Record):
    """Another author: by the user name of an account here, or by name, kind and unit.

    Where one author has a share, all have, and they add up to 1.
    """

    model_config = ConfigDict(extra="forbid")

    username: Line | None = None
    name: Line | None = None
    kind: AuthorKind | None = None
    unit: Line | None = None
    share: Share | None = None


class Draft(Record):
    """What an author hands in. An unknown member is a mistake of the author."""

    model_config = ConfigDict(extra="forbid", defer_build=False)

    title: Line
    body: Text
    topic: Code
    """As the office calls it (`topics`)."""
    urgency: Urgency = "normal"
    classification: Classification = "internal"
    share: Share | None = None
    """That of whoever hands it in."""
    co_authors: tuple[CoAuthor, ...] = Field(default=(), max_length=49)
    attachments: tuple[Named, ...] = Field(default=(), max_length=50)
    confirmed: StrictBool = False
    """Whether the author saw a warning about phrases, and says that nothing here is secret."""
    answers: UUID | None = None
    """The call that the item answers."""
    tags: Tags = ()
    channel: Channel | None = None
    """How it came to an editor who hands it in for others: all its authors are `co_authors`."""


def draft(content: dict[str, Any]) -> Draft:
    """A draft from what was entered. Raises `InputError`, and `ClassifiedError` for a secret."""
    try:
        return Draft.model_validate(content)
    except ValidationError as error:
        raise InputError(event.brief(error)) from error


async def submit(desk: Desk, actor: Actor, draft: Draft) -> UUID:
    """Hand in a new item at this office. Returns its id."""
    # 1.
    access.demand(actor, "submit")
    found = demand_fit(desk, draft)
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        item = await _enter(session, desk, actor, draft, desk.new_id(), now)
        _note_confirmed(session, now, actor, item, found)
    return item.id


async def submit_within(
    session: Session, desk: Desk, actor: Actor, draft: Draft, item_id: UUID, now: datetime
) -> None:
    """The same under an id that is known already, in the transaction of the caller."""
    # 1.
    access.demand(actor, "submit")
    found = demand_fit(desk, draft)
    item = await _enter(session, desk, actor, draft, item_id, now)
    _note_confirmed(session, now, actor, item, found)


async def _enter(
    session: Session, desk: Desk, actor: Actor, draft: Draft, item_id: UUID, now: datetime
) -> Item:
    if draft.channel is not None:
        access.demand(actor, "submit_on_behalf")
    # 2.
    await recovery.demand_work_allowed(session, desk.node)
    state = lifecycle.advance(Action.SUBMIT, None)
    if draft.answers is not None:
        await calls.demand_answerable(session, desk, actor, draft.answers)
    # 3.
    item = items.new(
        item_id,
        desk.office,
        now,
        state=state,
        answers_id=draft.answers,
        channel=draft.channel,
        entered_by=None if draft.channel is None else actor.id,
    )
    session.add(item)
    filed = await _filed(session, item, draft)
    authors, accounts = await _authors(session, actor, draft)
    for person in accounts:
        bulk.insert(session, ItemAuthor, item_id=item.id, person_id=person)
    editions.write(session, item, filed, number=1, authors=authors, submitted_at=now)
    await attachments.name(session, desk, actor, item, draft.attachments, now)
    # 4.
    record.own_step(
        session,
        desk,
        item,
        "submitted",
        {"edition": 1},
        state=state,
        now=now,
        actor=actor,
    )
    return item


async def _filed(session: Session, item: Item, draft: Draft) -> Draft:
    """The draft under the topic that other offices know. Raises `TopicError`."""
    topic = await topics.file(session, item, draft.topic)
    if draft.tags:
        await tags.write(session, item.id, draft.tags)
    return draft.model_copy(update={"topic": topic})


async def resubmit(desk: Desk, actor: Actor, item_id: UUID, draft: Draft) -> None:
    """Hand in a new edition of an item that this office, or one above, returned."""
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        await resubmit_within(session, desk, actor, item_id, draft, now)


async def resubmit_within(
    session: Session, desk: Desk, actor: Actor, item_id: UUID, draft: Draft, now: datetime
) -> None:
    """The same in the transaction of the caller."""
    # 1.
    access.demand(actor, "resubmit")
    found = demand_fit(desk, draft)
    if draft.channel is not None:
        raise InputError("信息怎样来的，提交之后不能更改")
    item = await items.locked(session, desk, actor, item_id, "resubmit")
    # 2.
    action, state = demand_returned(desk, item)
    # 3.
    before = await session.get_one(Edition, (item.id, item.edition))
    authors = [Author.model_validate(author) for author in before.authors]
    number = await editions.next_number(session, item.id)
    filed = await _filed(session, item, draft)
    editions.write(session, item, filed, number=number, authors=authors, submitted_at=now)
    await attachments.name(session, desk, actor, item, draft.attachments, now)
    # 4.
    record.own_step(
        session,
        desk,
        item,
        "revised" if action is Action.REVISE else "resubmitted",
        {"edition": item.edition},
        state=state,
        now=now,
        actor=actor,
    )
    _note_confirmed(session, now, actor, item, found)


def demand_returned(desk: Desk, item: Item) -> tuple[Action, State]:
    """What a new edition is for this item, and its state after it. Raises `LifecycleError`."""
    if item.source is not None:
        raise LifecycleError("cannot resubmit: only the office where it was written does that")
    above = item.state != State.RETURNED and items.returned_above(desk, item)
    action = Action.REVISE if above else Action.RESUBMIT
    return action, items.advance(desk, item, action)


async def receive(intake: Intake, message: Opened) -> None:
    """Take in a submission or a revision. Raises before anything is changed."""
    data = message.data
    if not isinstance(data, EditionMessage) or message.event.subject is None:
        raise UnsupportedTypeError
    # The forwarding office shows by whose signed message it has the item.
    carried = evidence.origins_of(message, chains=intake.desk.chains, place=intake.desk.place)
    highest = intake.highest.get(message.event.sender, LEVELS[-1])
    ceilings.demand([data.classification, *_levels(carried)], highest)
    item = intake.items.get(message.event.subject)
    if item is not None and item.source != message.event.sender:
        raise ItemTakenError
    if item is None:
        item = _new_item(intake, message, data)
        item.answers_id = await calls.answered(intake.session, data.answers, item.source or "")
    elif data.edition in intake.editions[item.id]:
        return
    newest = data.edition > max(intake.editions[item.id], default=0)
    number = editions.number_for(data.edition, intake.numbers[item.id])
    intake.editions[item.id].add(data.edition)
    intake.numbers[item.id].add(number)
    editions.write(
        intake.session,
        item,
        data,
        number=number,
        authors=data.authors,
        submitted_at=data.submitted_at,
        newest=newest,
        message=message,
        source_number=data.edition,
    )
    await attachments.receive(
        intake.session, intake.desk, item.id, number, data, message.event.sender, intake.now
    )
    before = record.standing_of(item, intake.desk.node)
    kind, state = editions.arrival(before, newest=newest)
    record.own_step(
        intake.session,
        intake.desk,
        item,
        kind,
        {"edition": number, "from": message.event.sender},
        state=state,
        now=intake.now,
        actor=message.event.sender,
        message=message,
    )


def _levels(carried: Iterable[Opened]) -> list[str]:
    return [m.data.classification for m in carried if isinstance(m.data, EditionMessage)]


def _new_item(intake: Intake, message: Opened, data: EditionMessage) -> Item:
    assert message.event.subject is not None
    item = items.new(
        message.event.subject,
        data.origin,
        intake.now,
        source=message.event.sender,
        combined=False,
    )
    intake.add(item)
    return item


async def _authors(session: Session, actor: Actor, draft: Draft) -> tuple[list[Author], list[UUID]]:
    authors, accounts = [], []
    if draft.channel is None:
        authors = [_author(actor.name, actor.kind, actor.unit, draft.share)]
        accounts = [actor.id]
    elif not draft.co_authors or draft.share is not None:
        raise InputError("代为登记时，请在 co_authors 里填写反映人；登记的人不占份额")
    for other in draft.co_authors:
        if other.username is None:
            authors.append(_author(other.name, other.kind, other.unit, other.share))
            continue
        person = await people.by_username(session, other.username)
        if person.id not in accounts:
            accounts.append(person.id)
            authors.append(_author(person.name, person.kind, person.unit, other.share))
    try:
        demand_whole(authors)
    except ValueError as error:
        raise InputError(str(error)) from error
    return authors, accounts


def _author(name: str | None, kind: str | None, unit: str | None, share: str | None) -> Author:
    try:
        return Author.model_validate({"name": name, "kind": kind, "unit": unit, "share": share})
    except ValidationError as error:
        raise InputError("每位撰稿人都须有姓名、身份和单位") from error


def demand_fit(desk: Desk, draft: Draft) -> list[tuple[str, str]]:
    """The phrases that the author confirmed. Raises `TooLongError`, `PhrasesError`."""
    demand_length(desk, title=draft.title, body=draft.body)
    return demand_confirmed(desk, draft)


def demand_length(desk: Desk, *, title: str | None, body: str | None) -> None:
    """Raises `TooLongError` where what somebody wrote is longer than the office wants it."""
    limits = desk.limits
    if title is not None and len(title) > limits.title_characters:
        raise TooLongError(f"标题有 {len(title)} 字，最多 {limits.title_characters} 字")
    if body is not None and len(body) > limits.body_characters:
        raise TooLongError(f"正文有 {len(body)} 字，最多 {limits.body_characters} 字")


def demand_confirmed(desk: Desk, draft: Draft) -> list[tuple[str, str]]:
    """The phrases of secret documents that were confirmed. Raises `PhrasesError` for others."""
    found = _phrases(desk, draft)
    if found and not draft.confirmed:
        words = "、".join(dict.fromkeys(phrase for _, phrase in found))
        raise PhrasesError(f"文中有：{words}", found=found)
    return found


def _phrases(desk: Desk, draft: Draft) -> list[tuple[str, str]]:
    texts = [("title", draft.title), ("body", draft.body)]
    texts += [("attachments", file.name) for file in draft.attachments]
    texts += [("tags", tag) for tag in draft.tags]
    found = []
    for field, text in texts:
        bare = "".join(text.split())
        found += [
            (field, phrase) for phrase in desk.limits.phrases if "".join(phrase.split()) in bare
        ]
    return found


def _note_confirmed(
    session: Session, now: datetime, actor: Actor, item: Item, found: list[tuple[str, str]]
) -> None:
    # Which ones is no secret, but part of the text: the log is read by others than the text.
    if found:
        audit.note(
            session,
            now,
            actor=actor,
            action="phrases_confirmed",
            subject=item.id,
            count=len(found),
        )
