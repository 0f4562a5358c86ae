"""What must hold of offices that may have lost a disk: what they forgot, and what they said.

`verdict` asks for these checks with its own. Why each lets go what it lets go: `README.md`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from uuid import UUID

from protocol.lifecycle import TRANSITIONS, Action
from tests.simulation.records import All, above, content
from tests.simulation.world import Done, Fact

BEFORE = (Action.SUBMIT, Action.REGISTER)
"""What was done to an item before it went up: who has the item has heard of it."""


def sequences_have_no_gaps(ended: All, lost: Collection[Fact]) -> Iterator[str]:
    """An office counts its facts about an item from 1, without gaps but for what it lost itself."""
    for node, here in ended.items():
        counted: dict[UUID, list[int]] = {}
        for fact in here.facts(node):
            counted.setdefault(fact.item, []).append(fact.sequence)
        for item, numbers in counted.items():
            counting = (n for n in range(1, max(numbers) + 1) if n not in numbers)
            forgotten = [n for n in counting if Fact(node, item, n) in lost]
            if sorted(numbers + forgotten) != list(range(1, max(numbers) + 1)):
                yield f"{node} counts its facts about {item} as {sorted(numbers)}"


def deeds_kept(ended: All, done: Sequence[Done]) -> Iterator[str]:
    """What a person was told is done stands in the office's own timeline.

    Of what stood on a lost disk, what a neighbour has heard of: by a message about it, or, of what
    comes before an item goes up, by the item.
    """
    heard = {(row.source, row.id) for here in ended.values() for row in here.inbox}
    for deed in done:
        office, item, kind = deed.office, deed.item, TRANSITIONS[deed.action].kind
        kinds = {e.kind for e in ended[office].events if e.item == item and e.office == office}
        wanted = {kind}
        if deed.action is Action.WITHDRAW:
            wanted.add("withdrawal_requested")
        if kinds & wanted:
            continue
        parents = above(ended, office)[:1]
        went_up = any(item in ended[parent].items for parent in parents)
        known = any((office, id) in heard for id in deed.made)
        if not deed.lost or known or (went_up and deed.action in BEFORE):
            yield f"{office} said that {item} was {kind}, and forgot it"


def restored_offices_work_again(ended: All) -> Iterator[str]:
    """Whoever went on from a snapshot is a new incarnation, has declared it, and has recovered."""
    for node, here in ended.items():
        if here.office.recovering:
            yield f"{node} never recovered"
        for incarnation, token in here.epochs.items():
            said = content(token)
            if (said["office"], said["incarnation"]) != (node, incarnation):
                yield f"{node}: the epoch {incarnation} is declared as another"
        if max(here.epochs, default=1) != here.office.incarnation:
            yield f"{node} works as {here.office.incarnation}, which it never declared"


def numbers_are_given_once(ended: All) -> Iterator[str]:
    """No two items have the same register number of an office, whoever was told of it."""
    given: dict[tuple[str, str], set[UUID]] = {}
    for node, here in ended.items():
        for item in here.items.values():
            if item.number is not None:
                given.setdefault((node, item.number), set()).add(item.id)
        for row in here.events:
            if row.kind == "registered" and row.step == 0:
                given.setdefault((row.office, row.data["number"]), set()).add(row.item)
        for source, number, about in here.numbers_sent:
            given.setdefault((source, number), set()).add(about)
    for (office, number), items in given.items():
        if len(items) > 1:
            yield f"{office} gave the number {number} to {sorted(map(str, items))}"


def what_went_up_was_said(ended: All) -> Iterator[str]:
    """An office said that an item went up where it did, and only there; and has what it sent."""
    for node, here in ended.items():
        said: dict[UUID, int] = {}
        for row in here.facts(node):
            if row.kind == "forwarded":
                said[row.item] = max(said.get(row.item, 0), row.data["edition"])
        for item in here.items.values():
            if said.get(item.id) != item.forwarded:
                yield (
                    f"{node} said that edition {said.get(item.id)} of {item.id} went up, and "
                    f"edition {item.forwarded} did"
                )
            if here.titles.get((item.id, item.edition)) != item.title:
                yield f"{node}: the title of {item.id} is not that of edition {item.edition}"
