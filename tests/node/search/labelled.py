"""Labelled pairs of items: how two texts came to be alike, or not.

`pairs/` holds a file for each subject, with items on four different matters of it. Of each item a
person made a copy with small edits (`edits`), an order of its sentences (`order`), and a text that
says the same in other words (`paraphrase`). Any two items of one file have the subject in common,
its words, and nothing else. As many copies again are put together here: the edited copy whose last
two sentences are those of the next item, as when somebody takes over the facts and proposes
something else; and the edited copy with its sentences from the last to the first.

The files are split in two halves. Limits in `node/search` were chosen by looking at the development
half alone; what is reported and demanded is measured on the other one, of which no text, and no
subject, was looked at.
"""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "pairs"
DEVELOPMENT = (
    "agriculture_water",
    "city_lifts",
    "city_parking",
    "economy_loans",
    "government_hotline",
    "society_elderly",
)
HELD_OUT = (
    "agriculture_produce",
    "city_ebikes",
    "economy_jobs",
    "government_support",
    "society_clinics",
    "society_schools",
)
ALIKE = ("copied", "reordered", "paraphrased")
CLASSES = (*ALIKE, "same topic")

Entry = dict[str, Any]


@dataclass(frozen=True)
class Text:
    """An item's title and body. `name` is the file and the place in it."""

    name: str
    title: str
    body: str


@dataclass(frozen=True)
class Pair:
    """Two texts, and how the second is related to the first; `also` it has words from."""

    kind: str
    first: Text
    second: Text
    also: str | None = None


def texts(files: tuple[str, ...]) -> list[Text]:
    """The items of these files, as they were first written."""
    return [base for file in files for base, _ in read(file)]


def pairs(files: tuple[str, ...]) -> list[Pair]:
    """All pairs of these files."""
    found: list[Pair] = []
    for file in files:
        entries = read(file)
        following = [*entries[1:], entries[0]]
        for (base, entry), after in zip(entries, following, strict=True):
            found += _variants(base, entry, *after)
        bases = [base for base, _ in entries]
        found += [Pair("same topic", *two) for two in itertools.combinations(bases, 2)]
    return found


def read(file: str) -> list[tuple[Text, Entry]]:
    """The items of a file, with what was made of them by hand."""
    content = tomllib.loads((FOLDER / f"{file}.toml").read_text("utf-8"))
    return [
        (Text(f"{file}/{number}", entry["title"], _joined(entry["body"])), entry)
        for number, entry in enumerate(content["text"], start=1)
    ]


def _variants(base: Text, entry: Entry, next: Text, following: Entry) -> Iterator[Pair]:
    sentences = entry["body"].split()
    edited = [_edited(sentence, entry["edits"]) for sentence in sentences]
    others = following["body"].split()
    bodies: list[tuple[str, list[str], str | None]] = [
        ("copied", edited, None),
        ("copied", edited[:-2] + others[-2:], next.name),
        ("reordered", [sentences[number - 1] for number in entry["order"]], None),
        ("reordered", edited[::-1], None),
        ("paraphrased", entry["paraphrase"].split(), None),
    ]
    for kind, parts, also in bodies:
        # Whoever writes the same once more gives it a title of his own.
        yield Pair(kind, base, Text(base.name, base.title[:8], "".join(parts)), also)


def _edited(sentence: str, edits: list[list[str]]) -> str:
    for old, new in edits:
        sentence = sentence.replace(old, new)
    return sentence


def _joined(lines: str) -> str:
    return "".join(lines.split())
