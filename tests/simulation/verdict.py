"""What must hold when everything has come to rest, whatever went wrong before.

Each check is a function over what all offices hold, and says in words what it found; `CHECKS`
lists them. `demand_kept` is asked during a schedule: after a step that was killed or failed, all
that it acknowledged or answered is safe in the database.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from uuid import UUID

from sqlalchemy import select

from node.relay.transport import Delivery
from node.storage.messages import Incoming, Outgoing, Quarantined
from protocol import envelope, lifecycle
from protocol.errors import ZhitongError
from protocol.identifiers import NodeId
from protocol.lifecycle import Moment
from protocol.messages import catalogue, event
from protocol.messages.links import Receipt
from tests.simulation import losses, records
from tests.simulation.office import Office
from tests.simulation.records import All, EventRow
from tests.simulation.world import World

OF_FAULTS = {"envelope", "message.properties", "message.poison"}
"""Codes, or their beginnings, with which planned faults may end in a quarantine."""


async def reach(world: World) -> list[str]:
    """Everything that does not hold."""
    ended = {node: await records.read(office) for node, office in world.offices.items()}
    problems = [problem for check in CHECKS for problem in check(ended)]
    problems += losses.sequences_have_no_gaps(ended, world.lost)
    return problems + list(losses.deeds_kept(ended, world.done))


async def demand_kept(office: Office, acknowledged: Sequence[Delivery]) -> list[str]:
    """What was acknowledged, or is said to be received, and is not in the database."""
    async with office.database.reading() as session:
        refused = set(await session.scalars(select(Quarantined.digest)))
        rows = await session.execute(select(Incoming.source, Incoming.id))
        taken_in = {(source, id) for source, id in rows}
        answers = await session.execute(
            select(Outgoing.peer, Outgoing.payload).where(Outgoing.name == "receipt")
        )
        said = {
            (peer, entry.id)
            for peer, payload in answers
            for entry in Receipt.model_validate(event.decode(payload).data).entries
            if entry.verdict == "received"
        }
    problems = [
        f"{office.node} answers {peer} that it has {id}, before that was committed"
        for peer, id in said - taken_in
    ]
    for delivery in acknowledged:
        if hashlib.sha256(delivery.body).hexdigest() in refused:
            continue
        desk = office.desk
        try:
            opened = envelope.open_message(
                delivery.body, chains=desk.chains, place=desk.place, now=None
            )
        except ZhitongError:
            problems.append(f"{office.node} acknowledged a broken message and has forgotten it")
            continue
        identity = (opened.event.sender, opened.event.id)
        if not catalogue.is_link_type(opened.name) and identity not in taken_in:
            problems.append(f"{office.node} acknowledged {opened.name} before it was committed")
    return problems


def items_are_where_they_were_sent(ended: All) -> Iterator[str]:
    """Every item is exactly once, with every edition, at each office that it was forwarded to."""
    for node, here in ended.items():
        parent = here.office.post.parent
        for item in here.items.values():
            arrived = Counter(number for number, _ in here.came.get(item.id, ()))
            if any(times != 1 for times in arrived.values()):
                yield f"{node}: editions of {item.id} arrived {dict(arrived)} times"
            if item.source is None and arrived:
                yield f"{node}: its own item {item.id} arrived from elsewhere"
            if item.source is not None:
                below = ended[NodeId(item.source)].items.get(item.id)
                if below is None or below.forwarded is None:
                    yield f"{node}: {item.id} arrived, and {item.source} did not send it"
            if item.forwarded is None or parent is None:
                continue
            there = ended[parent.id].items.get(item.id)
            if there is None:
                yield f"{node} forwarded {item.id}, and it is not at {parent.id}"
                continue
            newest = max(ended[parent.id].came.get(item.id, ()), default=None)
            if there.source != node or newest is None or newest[0] != item.forwarded:
                yield (
                    f"{node} forwarded edition {item.forwarded} of {item.id}; {parent.id} has "
                    f"edition {newest} from {there.source}"
                )
            elif newest[1] != here.titles.get((item.id, item.forwarded)):
                yield f"{node} has another edition {item.forwarded} of {item.id} than it sent"


def facts_are_known_once(ended: All) -> Iterator[str]:
    """Each fact is exactly once at each office below, down to the author's; none is invented."""
    for node, here in ended.items():
        wanted: dict[tuple[str, UUID, int], EventRow] = {}
        for office in (node, *records.above(ended, node)):
            for fact in ended[office].facts(office):
                if fact.item in here.items and _comes_by(ended, office, node, fact.item):
                    wanted[office, fact.item, fact.sequence] = fact
        found = Counter((e.office, e.item, e.sequence) for e in here.events if e.step == 0)
        for key in wanted.keys() - found.keys():
            yield f"{node} never heard of {wanted[key].kind} {key}"
        for key in found.keys() - wanted.keys():
            yield f"{node} heard of {key}, which nobody stated"
        for row in here.events:
            key = (row.office, row.item, row.sequence)
            if row.step == 0 and key in wanted and row.data != wanted[key].data:
                yield f"{node} heard something else about {key} than was stated"
        for key, times in found.items():
            if times != 1:
                yield f"{node} has the fact {key} {times} times"


def authors_are_told_once(ended: All) -> Iterator[str]:
    """Each author has exactly one notice of each fact about the item."""
    for node, here in ended.items():
        wanted = Counter(
            (person, row.id)
            for row in here.events
            if row.step == 0 and here.items[row.item].source is None
            for person in here.authors[row.item]
        )
        if here.notices != wanted:
            missing, extra = wanted - here.notices, here.notices - wanted
            yield f"{node}: {missing.total()} notices are missing, {extra.total()} are too many"


def standings_agree(ended: All) -> Iterator[str]:
    """Whatever the order of arrival, an office stands everywhere as its own events say."""
    for node, here in ended.items():
        for item in here.items.values():
            own = [e for e in here.events if e.item == item.id and e.office == node]
            if item.state != _fold(own).state:
                yield f"{node}: {item.id} is {item.state}, and its events say {_fold(own).state}"
            for office in records.above(ended, node):
                facts = [fact for fact in ended[office].facts(office) if fact.item == item.id]
                if not facts or not _comes_by(ended, office, node, item.id):
                    continue
                standing, said = _fold(facts), item.standings.get(office)
                if said is None or said["state"] != standing.state:
                    shown = said and said["state"]
                    yield f"{node} shows {item.id} as {shown} at {office}, not {standing.state}"


def outboxes_are_answered(ended: All) -> Iterator[str]:
    """Every message is received, or refused for good with a code."""
    for node, here in ended.items():
        for row in here.outbox:
            if row.state == "received":
                continue
            if row.state != "refused" or row.code is None or row.permanent is not True:
                yield f"{node}: {row.name} to {row.peer} ends as {row.state} {row.code or ''}"


def nothing_is_refused(ended: All) -> Iterator[str]:
    """All offices are honest: nothing that one of them sent may be refused for good."""
    for node, here in ended.items():
        for row in here.outbox:
            if row.state == "refused":
                yield f"{node}: {row.name} to {row.peer} was refused: {row.code}"
        for code, peer in here.refusals:
            if code == "message.incarnation" and peer is not None and ended[NodeId(peer)].epochs:
                continue  # signed by the one that it was before
            if not code.startswith(tuple(OF_FAULTS)):
                yield f"{node} refused something as {code}"
            if code == "message.poison" and not here.office.harmed:
                yield f"{node} choked on a message, and no statement had failed"


def boxes_agree(ended: All) -> Iterator[str]:
    """What one office says was received stands in the other's inbox once, with the same bytes."""
    sent = {
        (node, row.peer, row.id, row.digest)
        for node, here in ended.items()
        for row in here.outbox
        if row.state == "received"
    }
    taken = {
        (row.source, node, row.id, row.digest) for node, here in ended.items() for row in here.inbox
    }
    for sender, receiver, id, _ in sent - taken:
        yield f"{sender} believes that {receiver} has {id}, which it has not"
    for source, receiver, id, _ in taken - sent:
        yield f"{receiver} has {id} of {source}, which does not know of it"


def nothing_is_parked(ended: All) -> Iterator[str]:
    """What came before its subject was released when that came.

    Of an item that was lost on its way up, and then with the disk of its office, the request to
    have it back goes on waiting for it.
    """
    for node, here in ended.items():
        for row in here.inbox:
            below = ended[NodeId(row.source)]
            item = below.items.get(row.subject) if row.subject else None
            lost = below.epochs and (item is None or item.forwarded is None)
            if row.state != "applied" and not (row.name == "withdrawal" and lost):
                yield f"{node}: {row.name} {row.id} is still {row.state}"


def tokens_verify(ended: All) -> Iterator[str]:
    """Every message in an inbox still proves who signed it."""
    for node, here in ended.items():
        desk = here.office.desk
        for row in here.inbox:
            try:
                opened = envelope.open_message(
                    row.token, chains=desk.chains, place=desk.place, now=None
                )
            except ZhitongError as error:
                yield f"{node}: the kept token of {row.id} does not verify: {error.code}"
                continue
            if (opened.event.sender, opened.event.id) != (row.source, row.id):
                yield f"{node}: the kept token of {row.id} is another message's"


def audit_chains_hold(ended: All) -> Iterator[str]:
    """Every deed is sealed, and every seal fits; what a neighbour has seen stands, or is lost."""
    for node, here in ended.items():
        if here.flaw is not None:
            yield f"{node}: seal {here.flaw.seal} does not fit ({here.flaw.kind})"
        if here.unsealed:
            yield f"{node}: not everything is sealed"
        for peer, (number, seen) in here.seals_seen.items():
            assert number is not None
            hash = ended[peer].seals.get(number)
            lost = hash is None and ended[peer].epochs and number < max(ended[peer].seals)
            if hash != seen and not lost:
                yield f"{node} has seen seal {number} of {peer}, which is none, or another one"


CHECKS: Sequence[Callable[[All], Iterator[str]]] = (
    items_are_where_they_were_sent,
    facts_are_known_once,
    authors_are_told_once,
    standings_agree,
    outboxes_are_answered,
    nothing_is_refused,
    boxes_agree,
    nothing_is_parked,
    tokens_verify,
    audit_chains_hold,
    losses.restored_offices_work_again,
    losses.numbers_are_given_once,
    losses.what_went_up_was_said,
)


def _fold(events: Sequence[EventRow]) -> lifecycle.Standing:
    return lifecycle.fold(Moment(row.sequence, row.step, row.kind) for row in events)


def _comes_by(ended: All, office: NodeId, node: NodeId, item: UUID) -> bool:
    """Whether the office has the item from below by way of the node."""
    at: str | None = office
    while at is not None:
        if at == node:
            return True
        here = ended[NodeId(at)].items.get(item)
        at = here.source if here is not None else None
    return False
