"""Comparing two texts sentence by sentence. Pure: text in, parts out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

ALIKE = 0.5
"""From this share of common characters on, a sentence counts as changed, not as exchanged."""

_SENTENCE = re.compile(r"[^。！？；!?;\n]*(?:[。！？；!?;]+[”’」』）)]*|\n+|$)")


@dataclass(frozen=True)
class Part:
    """Neighbouring sentences that are the same in both texts, or one that is in one of them only,
    or changed."""

    kind: Literal["equal", "removed", "added", "changed"]
    before: str
    after: str


def sentences(text: str) -> list[str]:
    """The text in sentences; put together they are the text."""
    return [found for found in _SENTENCE.findall(text) if found]


def compare(before: str, after: str) -> list[Part]:
    """What of one text is in the other: all of both, in their order."""
    old, new = sentences(before), sentences(after)
    parts: list[Part] = []
    for tag, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            same = "".join(old[i:j])
            parts.append(Part("equal", same, same))
        else:
            parts += _exchanged(old[i:j], new[k:m])
    return parts


def _exchanged(old: Sequence[str], new: Sequence[str]) -> Iterator[Part]:
    waiting = list(new)
    for sentence in old:
        place = next((n for n, other in enumerate(waiting) if _alike(sentence, other)), None)
        if place is None:
            yield Part("removed", sentence, "")
            continue
        for added in waiting[:place]:
            yield Part("added", "", added)
        yield Part("changed", sentence, waiting[place])
        del waiting[: place + 1]
    for added in waiting:
        yield Part("added", "", added)


def _alike(one: str, other: str) -> bool:
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    return matcher.quick_ratio() >= ALIKE and matcher.ratio() >= ALIKE
