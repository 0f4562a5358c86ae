"""From text to tokens, the same for what is stored and for what is asked.

Chinese is written without spaces, and its words have two characters more often than any other
number. So a run of characters becomes its pairs, each overlapping the next, and its last character
alone: every word of two or more characters is a phrase of pairs, and every single character the
beginning of some token. A run of ASCII letters and digits is one token.

Nothing but letters and digits is left in a token, so that no database reads syntax into it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST = 40
"""Characters of ASCII in a token; a longer run is cut, wherever it stands."""

_RUN = re.compile(f"[0-9a-z]{{1,{LONGEST}}}|[^0-9a-z ]+")


class _Folds(dict[int, str]):
    """What becomes of each character, worked out when it is first seen."""

    def __missing__(self, code: int) -> str:
        sign = chr(code)
        self[code] = "" if unicodedata.category(sign) in ("Cf", "Mn", "Me") else _fold(sign)
        return self[code]


def _fold(sign: str) -> str:
    parts = unicodedata.normalize("NFKD", sign).casefold()
    kept = (part for part in parts if unicodedata.category(part) != "Mn")
    return "".join(part if part.isalnum() else " " for part in kept)


_FOLDS = _Folds()


@dataclass(frozen=True)
class Phrase:
    """Tokens that stand one behind the other; `prefix`: of the last one, only the beginning."""

    tokens: tuple[str, ...]
    prefix: bool
    runs: tuple[str, ...]
    """The same as a person wrote it, without what stands between."""


def fold(text: str) -> str:
    """The text in small letters and plain forms; spaces for all that is no letter or digit.

    Characters that nobody sees, such as those that turn the direction of writing, are left out.
    """
    return text.translate(_FOLDS)


def bare(text: str) -> str:
    """The letters and digits of a text alone, whatever stands between them."""
    return fold(text).replace(" ", "")


def folded(text: str) -> tuple[str, list[int]]:
    """The same, and for each of its characters the place in the text that it comes from."""
    parts, places = [], []
    for place, sign in enumerate(text):
        part = _FOLDS[ord(sign)]
        parts.append(part)
        places += [place] * len(part)
    return "".join(parts), places


def tokens(text: str) -> list[str]:
    """The tokens of a text, in their order."""
    return [token for run in _RUN.findall(fold(text)) for token in _of_run(run)]


def phrases(query: str) -> tuple[Phrase, ...]:
    """What a person asks for: all of these phrases, in whatever order. Empty where there is none.

    No word and no sign has a meaning of its own.
    """
    terms = dict.fromkeys(fold(query).split())
    return tuple(_phrase(_RUN.findall(term)) for term in terms)


def _phrase(runs: list[str]) -> Phrase:
    *before, last = runs
    whole = [token for run in before for token in _of_run(run)]
    if last.isascii():
        return Phrase((*whole, last), False, tuple(runs))
    # The text may go on where the question ends.
    pairs = _of_run(last)[:-1]
    return Phrase((*whole, *(pairs or [last])), not pairs, tuple(runs))


def _of_run(run: str) -> list[str]:
    if run.isascii():
        return [run]
    return [*_pairs(run), run[-1]]


def _pairs(run: str) -> Iterator[str]:
    return (run[place : place + 2] for place in range(len(run) - 1))
