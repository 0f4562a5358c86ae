"""Counting at the end, as Jepsen's queue checker does: what was accepted, what arrived. Pure.

 1. Every act stands in the database of the office where it was done.
 2. Every decision stands on the timeline at the author's office: the ledger is compared with the
    other end, whatever the offices between believe.
 3. Every fact stands, with the same content, at each office between the one that decided and the
    author's. So an act that nobody saw confirmed happened everywhere or nowhere.
 4. Every edition that was forwarded arrived at the office above, with the same title.
 5. Every author was told of every fact.

Each of them once. What is there though nobody attempted it is unexpected; what is there more often
than it was attempted is duplicated; what is there though it was never confirmed was recovered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar
from uuid import UUID

from tests.chaos.ledger import EDITION, Effect, Ledger

Key = TypeVar("Key", bound=Hashable)


class Fact(NamedTuple):
    """A fact on the timeline of some office; `content` is all of it, `words` the act's own."""

    item: UUID
    office: str
    sequence: int
    kind: str
    words: str
    content: str

    @property
    def effect(self) -> Effect:
        """The act that it is the effect of."""
        return Effect(self.office, self.kind, self.words, self.item)


class Arrival(NamedTuple):
    """An edition of an item that came to an office, or was forwarded by one."""

    item: UUID
    edition: int
    title: str | None


class Told(NamedTuple):
    """A notice: who was told of which fact."""

    person: UUID
    item: UUID
    office: str
    sequence: int


@dataclass
class Sight:
    """What stands in one office's database. `written` are its own items, with their authors."""

    office: str
    written: dict[UUID, list[UUID]] = field(default_factory=dict)
    titles: Counter[str] = field(default_factory=Counter)
    facts: Counter[Fact] = field(default_factory=Counter)
    arrived: Counter[Arrival] = field(default_factory=Counter)
    forwarded: Counter[Arrival] = field(default_factory=Counter)
    told: Counter[Told] = field(default_factory=Counter)

    @property
    def decided(self) -> Iterator[Fact]:
        """The facts that this office decided."""
        return (fact for fact in self.facts.elements() if fact.office == self.office)


@dataclass(frozen=True)
class Tally:
    """What one comparison came to."""

    attempted: int = 0
    accepted: int = 0
    arrived: int = 0
    lost: int = 0
    duplicated: int = 0
    recovered: int = 0
    unexpected: int = 0


def compare(accepted: Counter[Key], unknown: Counter[Key], found: Counter[Key]) -> Tally:
    """How often each thing must be there, may be there besides, and is there."""
    arrived = lost = duplicated = recovered = unexpected = 0
    for key in accepted.keys() | unknown.keys() | found.keys():
        sure, perhaps, there = accepted[key], unknown[key], found[key]
        arrived += min(there, sure + perhaps)
        lost += max(0, sure - there)
        recovered += min(perhaps, max(0, there - sure))
        excess = max(0, there - sure - perhaps)
        if sure + perhaps:
            duplicated += excess
        else:
            unexpected += excess
    confirmed = accepted.total()
    return Tally(
        attempted=confirmed + unknown.total(),
        accepted=confirmed,
        arrived=arrived,
        lost=lost,
        duplicated=duplicated,
        recovered=recovered,
        unexpected=unexpected,
    )


def reckon(
    ledger: Ledger, sights: Sequence[Sight], above: Mapping[str, str | None]
) -> dict[str, Tally]:
    """Compare what was done with what is there; `above` names the parent of each office."""
    homes = {item: sight.office for sight in sights for item in sight.written}
    return {
        "acts": _acts(ledger, sights),
        "facts": _facts(ledger, sights),
        "copies": _copies(sights, homes, above),
        "items": _items(sights, above),
        "notices": _notices(sights, homes),
    }


def _acts(ledger: Ledger, sights: Sequence[Sight]) -> Tally:
    # 1.
    found: Counter[Effect] = Counter()
    for sight in sights:
        found.update(fact.effect for fact in sight.decided)
        found.update(Effect(sight.office, EDITION, title) for title in sight.titles.elements())
    return compare(ledger.accepted, ledger.unknown, found)


def _facts(ledger: Ledger, sights: Sequence[Sight]) -> Tally:
    # 2.
    found = Counter(
        fact.effect
        for sight in sights
        for fact in sight.facts.elements()
        if fact.item in sight.written
    )
    return compare(_decisions(ledger.accepted), _decisions(ledger.unknown), found)


def _decisions(effects: Counter[Effect]) -> Counter[Effect]:
    return Counter({effect: n for effect, n in effects.items() if effect.kind != EDITION})


def _copies(
    sights: Sequence[Sight], homes: Mapping[UUID, str], above: Mapping[str, str | None]
) -> Tally:
    # 3.
    wanted: Counter[tuple[str, Fact]] = Counter()
    found: Counter[tuple[str, Fact]] = Counter()
    for sight in sights:
        for fact in sight.decided:
            if fact.item in homes:
                below = _below(sight.office, homes[fact.item], above)
                wanted.update((office, fact) for office in below)
        for fact in sight.facts.elements():
            if fact.office != sight.office:
                found[sight.office, fact] += 1
    return compare(wanted, Counter(), found)


def _below(office: str, home: str, above: Mapping[str, str | None]) -> Iterator[str]:
    """The offices from the author's up to the one below this office."""
    step: str | None = home
    while step is not None and step != office:
        yield step
        step = above[step]


def _items(sights: Sequence[Sight], above: Mapping[str, str | None]) -> Tally:
    # 4.
    wanted = Counter(
        (above[sight.office], arrival) for sight in sights for arrival in sight.forwarded.elements()
    )
    found: Counter[tuple[str | None, Arrival]] = Counter(
        (sight.office, arrival) for sight in sights for arrival in sight.arrived.elements()
    )
    return compare(wanted, Counter(), found)


def _notices(sights: Sequence[Sight], homes: Mapping[UUID, str]) -> Tally:
    # 5.
    by_office = {sight.office: sight for sight in sights}
    wanted = Counter(
        Told(person, fact.item, fact.office, fact.sequence)
        for sight in sights
        for fact in sight.decided
        if fact.item in homes
        for person in by_office[homes[fact.item]].written[fact.item]
    )
    found: Counter[Told] = Counter()
    for sight in sights:
        found.update(sight.told)
    return compare(wanted, Counter(), found)
