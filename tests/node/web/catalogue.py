"""Every text of the pages that a language needs: those of the templates, and those in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path

from babel.messages.extract import extract
from babel.messages.pofile import read_po

from node.errors import MESSAGES, NodeError
from node.web import bulk, display, forms, navigation, wording
from node.workflow import log_words, phrases

WEB = Path(display.__file__).parent
TABLES = (
    *(value for name, value in vars(phrases).items() if name.isupper()),
    *(value for name, value in vars(wording).items() if name.isupper()),
    *(value for name, value in vars(log_words).items() if name.isupper()),
    *log_words.GROUPS,
    display.THEMES,
    display.TEXTS,
    forms.WRONG,
    forms.DATES,
    forms.OTHER,
    bulk.NONE_DONE,
    bulk.SOME_DONE,
    MESSAGES,
)


def wanted() -> set[str]:
    """All of them."""
    return {*_of_templates(), *_of_tables(), *_of_errors(), *(p.word for p in navigation.PLACES)}


def translated(language: str) -> Mapping[str, str]:
    """The texts in this language's catalogue, by the Chinese ones."""
    with (WEB / "locales" / f"{language}.po").open("rb") as file:
        found = read_po(file, locale=language, abort_invalid=True)
    return {str(one.id): str(one.string) for one in found if one.id}


def _of_templates() -> Iterator[str]:
    for template in sorted((WEB / "templates").rglob("*.html")):
        source = BytesIO(template.read_bytes())
        for _, text, _, _ in extract("jinja2.ext:babel_extract", source):
            yield text if isinstance(text, str) else text[0]


def _of_tables() -> Iterator[str]:
    for table in TABLES:
        values = table.values() if isinstance(table, Mapping) else [table]
        yield from (value for value in values if isinstance(value, str))


def _of_errors() -> Iterator[str]:
    waiting: list[type[NodeError]] = [NodeError]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind.__module__.startswith("node."):
            yield kind.message
