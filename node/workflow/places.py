"""Where this office stands in the tree: what it learns of it, remembers of it, and asks it for.

A place is told by the welcome of a new parent (`bootstrap/moving`), or learned from the office
above when that one was moved (`protocol/issuers`). The relay puts it in place (`relay/mover`).

What belongs to an item goes to the office that was sent it, as long as the link to that lasts. A
former parent is taken at its word only about such items, and is given no others.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import exists, func, select

from node.move_errors import LinkEndedError, LinkEndingError, NotSentThereError
from node.storage.database import Session
from node.storage.messages import Outgoing
from node.storage.offices import Link, Office
from node.storage.places import FormerRoot, PlaceRow
from node.workflow import audit
from node.workflow.desk import Desk
from node.workflow.intake import Intake
from protocol import issuers
from protocol.envelope import Opened
from protocol.errors import IssuersError
from protocol.identifiers import Digest, NodeId
from protocol.messages.catalogue import is_link_type
from protocol.messages.trust import Issuers
from protocol.place import Former
from protocol.trust import IssuingOffice, Path, parse

log = structlog.get_logger()

EDITIONS = ("submission", "revision")
DRAINING = ("feedback", "note", "verdict", "purge", "purged", "revocations")
"""What a former parent may still send, beside what belongs to the link."""


async def load(session: Session, desk: Desk) -> None:
    """Have verification know where this office stands and stood."""
    for text in await session.scalars(select(FormerRoot.certificate)):
        root = parse(base64.b64decode(text))
        if root not in desk.chains.roots:
            desk.chains.trust([*desk.chains.roots, root])
    rows = (await session.scalars(select(PlaceRow).order_by(PlaceRow.since.desc()))).all()
    if not rows:
        return
    current, *before = rows
    if current.parent != _parent(desk):
        return  # The move takes effect when the process starts again.
    links = await session.execute(
        select(Link.peer, Link.ends_at)
        .join(Office, Office.id == Link.peer)
        .where(Office.relation == "former")
    )
    ends = dict(links.all())
    formers = [
        Former(path_of(desk, row), row.parent in ends, ends.get(row.parent or "")) for row in before
    ]
    desk.place.move(path_of(desk, current), formers)
    _trust(desk, current.roots)


async def learn(session: Session, desk: Desk, tokens: Iterable[bytes]) -> bool:
    """Believe what the office above proves about its own move, before its messages are looked at.

    Whether there was anything new. Stores nothing: that is `receive`'s work.
    """
    known = await _number(session)
    for token in tokens:
        text = issuers.is_statement(token)
        if text is None:
            continue
        try:
            opened = issuers.open_issuers(text, chains=desk.chains, place=desk.place, known=known)
        except IssuersError as error:
            log.warning("issuers.refused", reason=error.detail)
            continue
        desk.chains.trust([*opened.roots, *desk.chains.roots])
        desk.place.move(opened.own, [Former(desk.place.own), *desk.place.formers])
        return True
    return False


async def receive(intake: Intake, message: Opened) -> None:
    """Keep the office's new place until the relay puts it in place. Raises `IssuersError`."""
    data = message.data
    assert isinstance(data, Issuers)
    session, desk = intake.session, intake.desk
    known = await _number(session)
    opened = issuers.open_issuers(data.statement, chains=desk.chains, place=desk.place, known=known)
    own = desk.place.own
    if own == opened.own and desk.place.formers:
        own = desk.place.formers[0].own
    await enter(
        session,
        desk,
        former=own,
        present=PlaceRow(
            id=desk.new_id(),
            parent=_parent(desk),
            issuers=_plain(opened.own),
            chain=[],
            roots=[issuers.text_of(root) for root in opened.roots],
            statement=data.statement,
            number=opened.number,
            state="arrived",
            since=intake.now,
        ),
        parent=_parent(desk),
    )
    audit.note(
        session, intake.now, actor=message.event.sender, action="issuers_came", subject=desk.node
    )


async def enter(
    session: Session,
    desk: Desk,
    *,
    former: Path,
    present: PlaceRow,
    parent: str | None,
    chain: Sequence[str] = (),
) -> None:
    """Remember the present place, and the end of the one before it, with its parent and chain."""
    before = await session.scalar(
        select(PlaceRow).where(PlaceRow.until.is_(None)).with_for_update()
    )
    if before is None:
        before = PlaceRow(
            id=desk.new_id(),
            parent=parent,
            issuers=_plain(former),
            chain=list(chain),
            roots=[],
            number=0,
            state="done",
            # Before whatever came after it; when the office came there is not known any more.
            since=datetime.min.replace(year=2000, tzinfo=present.since.tzinfo),
        )
        session.add(before)
    before.until = present.since
    session.add(present)


def path_of(desk: Desk, row: PlaceRow) -> Path:
    """This office's path at a place."""
    line = tuple(IssuingOffice(NodeId(node), Digest(key)) for node, key in row.issuers)
    return Path(line, desk.node)


async def former_chains(session: Session) -> tuple[tuple[str, ...], ...]:
    """This office's certificates at its former places (DER in base64)."""
    rows = await session.scalars(
        select(PlaceRow.chain).where(PlaceRow.until.is_not(None)).order_by(PlaceRow.since)
    )
    return tuple(tuple(chain) for chain in rows if chain)


async def former_parents(session: Session, now: datetime) -> Sequence[NodeId]:
    """The former parents to which the link has not ended."""
    found = await session.scalars(
        select(Office.id)
        .join(Link, Link.peer == Office.id)
        .where(Office.relation == "former", Link.ends_at.is_(None) | (Link.ends_at > now))
        .order_by(Office.id)
    )
    return [NodeId(id) for id in found]


async def holder(session: Session, desk: Desk, item_id: UUID) -> NodeId | None:
    """The office above that was sent the item last; without one, the office above now.

    Raises `LinkEndedError` where that is a former parent, to which the link has ended.
    """
    sent_to = await last_holder(session, item_id)
    if sent_to is None or sent_to == _parent(desk):
        return None if desk.parent is None else NodeId(desk.parent.id)
    if sent_to not in await former_parents(session, desk.clock()):
        raise LinkEndedError
    return sent_to


async def next_above(session: Session, desk: Desk, item_id: UUID) -> tuple[NodeId, bool]:
    """To whom a new edition of the item goes, and whether that office has it already.

    While a former parent has it, it goes there; after that, to the present one as a new item.
    """
    assert desk.parent is not None
    present = NodeId(desk.parent.id)
    sent_to = await last_holder(session, item_id)
    if sent_to is not None and sent_to != present:
        if sent_to in await former_parents(session, desk.clock()):
            return sent_to, True
        return present, False
    return present, sent_to is not None


async def demand_draining(session: Session, offices: dict[str, Office], message: Opened) -> None:
    """Raises `LinkEndingError`, `NotSentThereError` for what a former parent may not send."""
    office = offices.get(message.event.sender)
    if office is None or office.relation != "former" or is_link_type(message.name):
        return
    if message.name not in DRAINING:
        raise LinkEndingError(f"{office.id}, a former parent, sends a {message.name}")
    if message.name in ("feedback", "note"):
        sent = exists().where(
            Outgoing.subject == message.event.subject,
            Outgoing.peer == office.id,
            Outgoing.name.in_(EDITIONS),
        )
        if not await session.scalar(select(sent)):
            raise NotSentThereError(f"{office.id} was never sent the item")


async def last_holder(session: Session, item_id: UUID) -> NodeId | None:
    """The office above that was sent the item last, whether or not its link has ended."""
    found: str | None = await session.scalar(
        select(Outgoing.peer)
        .join(Office, Office.id == Outgoing.peer)
        .where(
            Outgoing.subject == item_id,
            Outgoing.name.in_(EDITIONS),
            Office.relation.in_(("parent", "former")),
        )
        .order_by(Outgoing.created_at.desc(), Outgoing.id.desc())
        .limit(1)
    )
    return None if found is None else NodeId(found)


async def _number(session: Session) -> int:
    return await session.scalar(select(func.max(PlaceRow.number))) or 0


def _parent(desk: Desk) -> str | None:
    return None if desk.parent is None else desk.parent.id


def _plain(path: Path) -> list[list[str]]:
    return [[str(office.node), str(office.key)] for office in path.issuers]


def _trust(desk: Desk, texts: Sequence[str]) -> None:
    roots = [parse(base64.b64decode(text)) for text in texts]
    if roots and tuple(roots) != desk.chains.roots[: len(roots)]:
        rest = [root for root in desk.chains.roots if root not in roots]
        desk.chains.trust([*roots, *rest])
