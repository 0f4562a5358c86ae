"""What people did, as they saw it: attempted before it is tried, accepted when it was confirmed.

An act whose answer never came is unknown: it may have happened, once. One that was refused did
not happen. Nothing is looked up here; what became of the acts is `counting`'s question.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

EDITION = "edition"
"""The kind of a submission or a new edition; every other kind is that of a fact."""


class Effect(NamedTuple):
    """What an act leaves behind.

    `words` are unique to the act wherever its contents allow it. Who registers or forwards says
    nothing: such acts are told apart by item, and counted. An edition is known by its words alone,
    since who hands in an item does not know its id before it is confirmed.
    """

    office: str
    kind: str
    words: str = ""
    item: UUID | None = None


@dataclass
class Ledger:
    """All acts of a run."""

    attempted: int = 0
    refused: int = 0
    accepted: Counter[Effect] = field(default_factory=Counter)
    unknown: Counter[Effect] = field(default_factory=Counter)

    def attempt(self, effect: Effect) -> None:
        """It is about to be tried. Until more is known, it may have happened."""
        self.attempted += 1
        self.unknown[effect] += 1

    def accept(self, effect: Effect) -> None:
        """It was confirmed."""
        self.unknown[effect] -= 1
        self.accepted[effect] += 1

    def refuse(self, effect: Effect) -> None:
        """It was refused, or never reached the office."""
        self.unknown[effect] -= 1
        self.refused += 1
