"""A combined item made of its originals: its authors with their shares, and a text to begin with.

Pure: what it is made of is handed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from node.errors import InputError, TooLongError
from protocol.messages.items import Author

MOST_AUTHORS = 50
MOST_TITLE = 200
MOST_BODY = 20_000
FINEST = 9_999
"""The largest number that a share may name."""

DIGITS = "〇一二三四五六七八九"


def unite(
    of_items: Sequence[Sequence[Author]], parts: Sequence[Fraction] | None
) -> tuple[Author, ...]:
    """All authors, each once. `parts` are those of the items; without them, all authors are equal.

    An item's part is divided among its authors as they had shared the item. Whoever wrote several
    of them has the sum. Raises `InputError` for too many authors, and for shares that are too fine.
    """
    shares: dict[tuple[str, str, str], Fraction] = {}
    first: dict[tuple[str, str, str], Author] = {}
    for number, authors in enumerate(of_items):
        for author in authors:
            key = author.name, author.kind, author.unit
            own = Fraction(author.share) if author.share else Fraction(1, len(authors))
            part = Fraction(0) if parts is None else parts[number]
            shares[key] = shares.get(key, Fraction(0)) + own * part
            first.setdefault(key, author)
    if len(first) > MOST_AUTHORS:
        raise InputError(f"合并后有 {len(first)} 位作者，最多 {MOST_AUTHORS} 位")
    return tuple(
        author.model_copy(update={"share": None if parts is None else _share(shares[key])})
        for key, author in first.items()
    )


def _share(share: Fraction) -> str:
    if share.denominator > FINEST:
        raise InputError("作者的份额分得太细，请改为全体作者平均分配")
    return f"{share.numerator}/{share.denominator}"


def title(titles: Sequence[str]) -> str:
    """A title to begin with."""
    rest = f"等{len(titles)}件信息的综合反映"
    return titles[0][: MOST_TITLE - len(rest)] + rest


def body(texts: Sequence[tuple[str, str]]) -> str:
    """The originals, title and text, one after the other. Raises `TooLongError`."""
    text = "\n\n".join(
        f"{_ordinal(number)}、{title}\n{body}" for number, (title, body) in enumerate(texts, 1)
    )
    if len(text) > MOST_BODY:
        raise TooLongError(f"各件正文共 {len(text)} 字，最多 {MOST_BODY} 字，请自行编写正文")
    return text


def _ordinal(number: int) -> str:
    tens, ones = divmod(number, 10)
    before = "" if tens == 0 else "十" if tens == 1 else f"{DIGITS[tens]}十"
    return before + (DIGITS[ones] if ones else "")
