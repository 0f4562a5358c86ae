"""How far two texts agree, and in which passages. Pure.

Sentences that were moved still agree, and so does a text with the longer one that took it up: what
counts is how much of the shorter text stands in the other one. Punctuation and spaces do not count.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from node.search import words

SHINGLE = 4
SHORTEST = 8
"""Characters of a passage that says more than two people's using the same words."""

SIMILAR = 0.2
"""From which share on two texts are called similar."""


@dataclass(frozen=True)
class Passage:
    """Where the same words stand in both: places of characters, the last one not included."""

    start: int
    end: int
    other_start: int
    other_end: int


def shingles(text: str) -> frozenset[str]:
    """All that stands in the text in as many characters in a row as are compared."""
    bare = words.bare(text)
    return frozenset(bare[place : place + SHINGLE] for place in range(len(bare) - SHINGLE + 1))


def share(shingles: frozenset[str], other: frozenset[str]) -> float:
    """Which part of the shorter text stands in the other one too, from 0 to 1."""
    least = min(len(shingles), len(other))
    return len(shingles & other) / least if least else 0.0


def passages(text: str, other: str) -> list[Passage]:
    """The longest passages that agree, in the order of the first text; none overlaps there."""
    one, places = _bare(text)
    two, other_places = _bare(other)
    seeds: dict[str, list[int]] = defaultdict(list)
    for place in range(len(two) - SHORTEST + 1):
        seeds[two[place : place + SHORTEST]].append(place)
    found, place = [], 0
    while place <= len(one) - SHORTEST:
        length, other_place = _longest(one, two, place, seeds.get(one[place : place + SHORTEST]))
        if not length:
            place += 1
            continue
        found.append(
            Passage(
                places[place],
                places[place + length - 1] + 1,
                other_places[other_place],
                other_places[other_place + length - 1] + 1,
            )
        )
        place += length
    return found


def _longest(one: str, two: str, place: int, starts: list[int] | None) -> tuple[int, int]:
    best, where = 0, 0
    # A text that repeats itself for ever must not take for ever.
    for start in (starts or ())[:20]:
        length = SHORTEST
        most = min(len(one) - place, len(two) - start)
        while length < most and one[place + length] == two[start + length]:
            length += 1
        if length > best:
            best, where = length, start
    return best, where


def _bare(text: str) -> tuple[str, list[int]]:
    folded, places = words.folded(text)
    kept = [(sign, place) for sign, place in zip(folded, places, strict=True) if sign != " "]
    return "".join(sign for sign, _ in kept), [place for _, place in kept]
