"""The languages of the pages. The Chinese text is the key; English has a catalogue beside it."""

from __future__ import annotations

from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

CATALOGUES = Path(__file__).parent / "locales"


@cache
def texts(spoken: str) -> NullTranslations:
    """The texts in this language, out of its catalogue."""
    if spoken == "zh":
        return NullTranslations()
    from babel.messages.mofile import write_mo  # for the few who ask for another language
    from babel.messages.pofile import read_po

    with (CATALOGUES / f"{spoken}.po").open("rb") as file:
        catalogue = read_po(file, locale=spoken)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)
