"""What a file of evidence proves, and what must hold of all its facts together.

The rules 8, 9 and 12 of `protocol/bundle.py`, which need no signature any more: `bundle.verify`
asks them at the end, and what does not hold becomes a flaw.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from uuid import UUID

from protocol.envelope import Opened
from protocol.evidence import Merge, ProvenFact
from protocol.identifiers import NodeId
from protocol.messages.facts import FactBase, Forwarded, Merged
from protocol.messages.items import Edition
from protocol.revocation import KnownList
from protocol.trust import Path


@dataclass(frozen=True)
class Flaw:
    """What is wrong: the rule, the message's place in the file, and how."""

    rule: int
    where: str
    detail: str


@dataclass
class Spoken:
    """A message that the office sent up, with the receipt of the office above."""

    message: Opened
    receipt: Opened | None = None


@dataclass(frozen=True)
class Stated:
    """A fact, with the message that brought it to the office, or in which it states its own."""

    message: Opened
    proven: ProvenFact
    merges: tuple[Merge, ...] = ()
    """Whose word it is that the item is part of that of which the fact speaks."""


@dataclass
class Verdict:
    """What the file proves. Whatever has a flaw stands under `flaws` alone."""

    item: UUID
    office: NodeId
    path: Path | None = None
    spoken: list[Spoken] = field(default_factory=list)
    facts: list[Stated] = field(default_factory=list)
    lists: list[KnownList] = field(default_factory=list)
    flaws: list[Flaw] = field(default_factory=list)

    @property
    def passed_on(self) -> list[Stated]:
        """Offices above that state to have forwarded the item: that message is not in the file."""
        return [
            fact
            for fact in self.facts
            if isinstance(fact.proven.fact, Forwarded) and fact.proven.path != self.path
        ]

    @property
    def vouched(self) -> list[Merge]:
        """The merges that the file relies on: nobody but their offices stands for them."""
        return list(dict.fromkeys(merge for fact in self.facts for merge in fact.merges))


def demand_all_facts(verdict: Verdict) -> None:
    """Each office's facts about each item count from 1, and none says two things."""
    # 8.
    counted: dict[tuple[NodeId, UUID], dict[int, FactBase]] = {}
    for stated in verdict.facts:
        fact, about = stated.proven.fact, stated.proven.about
        first = counted.setdefault((fact.office.id, about), {}).setdefault(fact.sequence, fact)
        if first != fact:
            detail = f"{fact.office.id} states two different facts number {fact.sequence}"
            verdict.flaws.append(Flaw(8, "facts", detail))
    for (office, about), facts in counted.items():
        what = "" if about == verdict.item else f" about {about}"
        for before, after in pairwise([0, *sorted(facts)]):
            if after > before + 1:
                missing = f"{before + 1}" if after == before + 2 else f"{before + 1} to {after - 1}"
                detail = f"of the facts of {office}{what}, number {missing} is missing"
                verdict.flaws.append(Flaw(8, "facts", detail))


def demand_what_was_forwarded(verdict: Verdict) -> None:
    """The editions that the office states to have forwarded are there."""
    # 9.
    editions = {
        s.message.data.edition for s in verdict.spoken if isinstance(s.message.data, Edition)
    }
    for stated in verdict.facts:
        fact = stated.proven.fact
        is_own = stated.proven.path == verdict.path
        if not is_own or fact.through is not None:
            continue
        if isinstance(fact, Forwarded) and fact.edition not in editions:
            detail = f"edition {fact.edition} was forwarded, and its message is missing"
            verdict.flaws.append(Flaw(9, "sent", detail))


def demand_merged_before(verdict: Verdict) -> None:
    """What is said of the item as part of a combined one was said after it was merged."""
    # 12.
    merged: dict[Merge, int] = {}
    for stated in verdict.facts:
        fact = stated.proven.fact
        if isinstance(fact, Merged):
            merge = Merge(fact.office.id, stated.proven.about, fact.into)
            merged[merge] = min(merged.get(merge, fact.sequence), fact.sequence)
    for stated in verdict.facts:
        fact = stated.proven.fact
        if fact.through is None:
            continue
        since = merged.get(Merge(fact.office.id, stated.proven.about, fact.through))
        if since is None or since >= fact.sequence:
            detail = f"{fact.office.id} speaks of {fact.through}, and had not merged the item so"
            verdict.flaws.append(Flaw(12, "facts", detail))
