"""Where in a text the words stand that somebody asked for: plain text, with marked ranges. Pure.

A range counts characters (Unicode code points) of the text beside it, the last one not included.
Whoever shows it decides how a mark looks; no markup is made here, and none is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from node.search import words
from node.search.words import Phrase

AROUND = 40
"""Characters on either side of what is marked first."""

LONGEST = 120
"""Characters of a long text that are shown."""

Range = tuple[int, int]


@dataclass(frozen=True)
class Excerpt:
    """A part of a text, and what is marked in it."""

    text: str
    marks: tuple[Range, ...]


def excerpt(text: str, phrases: Sequence[Phrase]) -> Excerpt | None:
    """The first part of the text that holds a phrase; None where none stands in it."""
    found = _marks(text, phrases)
    if not found:
        return None
    start = 0 if len(text) <= LONGEST else max(0, found[0][0] - AROUND)
    end = min(len(text), start + LONGEST)
    inside = ((max(a, start) - start, min(b, end) - start) for a, b in found if a < end)
    return Excerpt(text[start:end], tuple(inside))


def _marks(text: str, phrases: Sequence[Phrase]) -> list[Range]:
    folded, places = words.folded(text)
    found: list[Range] = []
    for run in dict.fromkeys(run for phrase in phrases for run in phrase.runs):
        at = folded.find(run)
        while at >= 0:
            end = at + len(run)
            if not run.isascii() or _is_whole(folded, at, end):
                found.append((places[at], places[end - 1] + 1))
            at = folded.find(run, end)
    return _joined(sorted(found))


def _is_whole(folded: str, start: int, end: int) -> bool:
    around = folded[start - 1 : start] + folded[end : end + 1]
    return not any(sign.isascii() and sign.isalnum() for sign in around)


def _joined(ranges: list[Range]) -> list[Range]:
    joined: list[Range] = []
    for start, end in ranges:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
