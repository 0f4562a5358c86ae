"""Taking title and body over from a .docx. Of what else it holds nothing is kept.

A file is data of a stranger. Before its text is taken:

 1. The file is called .docx, is no larger than `MOST_BYTES`, and is a zip archive.
 2. It has few members, which unpack to little and not by much (`unpacking`).
 3. No member is a macro, and none is said to be.
 4. No member is another file that was embedded.
 5. No member takes in anything from outside of the file: a template, a picture, another text. The
    address of a hyperlink is left out; the words that it stands behind are text.
 6. Its XML is well-formed and has no document type.
 7. There is text: the first paragraph is the title, the others are the body.

What was deleted or moved away with changes tracked is no text any more; what was inserted is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from xml.parsers import expat

from node.manuscript_errors import (
    ManuscriptBombError,
    ManuscriptDamagedError,
    ManuscriptEmbeddedError,
    ManuscriptEmptyError,
    ManuscriptKindError,
    ManuscriptLinksError,
    ManuscriptMacrosError,
    ManuscriptSizeError,
)
from node.workflow import unpacking

MOST_BYTES = 20 * 1024 * 1024
LONGEST_TITLE = 200
TEXT_PART = "word/document.xml"
LIST_OF_PARTS = "[Content_Types].xml"

_ZIP = b"PK\x03\x04"
_MACROS = ("vbaproject", "vbadata", "macroenabled")
_EMBEDDED_FOLDERS = ("word/embeddings/", "word/activex/", "word/afchunk")
_EMBEDDED = ("oleobject", "/package", "/control", "/afchunk")
_WORDS = (
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    "http://purl.oclc.org/ooxml/wordprocessingml/main",
)
_ALTERNATIVE = "http://schemas.openxmlformats.org/markup-compatibility/2006 Fallback"
_GONE = frozenset({"del", "moveFrom"})
_SIGNS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}


@dataclass(frozen=True)
class Manuscript:
    """What was taken over."""

    title: str
    body: str


def read(name: str, data: bytes) -> Manuscript:
    """The file's title and body. Raises one of `manuscript_errors`. Takes a moment: no I/O."""
    # 1.
    lower = name.lower()
    if lower.endswith(".docm"):
        raise ManuscriptMacrosError
    if not lower.endswith(".docx") or not data.startswith(_ZIP):
        raise ManuscriptKindError
    if len(data) > MOST_BYTES:
        raise ManuscriptSizeError(f"最大 {MOST_BYTES // 1024 // 1024} MB")
    paragraphs = _paragraphs(data)
    # 7.
    lines = [line.rstrip() for line in "\n".join(paragraphs).splitlines()]
    text = "\n".join(lines).strip()
    if not text:
        raise ManuscriptEmptyError
    first, _, rest = text.partition("\n")
    if len(first) > LONGEST_TITLE:
        return Manuscript("", text)
    return Manuscript(first.strip(), rest.strip("\n"))


def _paragraphs(data: bytes) -> list[str]:
    names: set[str] = set()
    text = _Text()
    try:
        # 2.
        for name, chunks in unpacking.members(data):
            names.add(name)
            _demand_plain(name)
            if name == TEXT_PART:
                _parse(chunks, text)
            elif name.endswith((".xml", ".rels")):
                _parse(chunks, _Relations())
            else:
                for _ in chunks:
                    pass
    except unpacking.DamagedError as error:
        raise ManuscriptDamagedError from error
    except (unpacking.BombError, unpacking.CrowdedError) as error:
        raise ManuscriptBombError from error
    if not {TEXT_PART, LIST_OF_PARTS} <= names:
        raise ManuscriptKindError
    return text.paragraphs


def _demand_plain(name: str) -> None:
    lower = name.lower()
    # 3.
    if any(word in lower for word in _MACROS):
        raise ManuscriptMacrosError
    # 4.
    if lower.startswith(_EMBEDDED_FOLDERS):
        raise ManuscriptEmbeddedError


class _Relations:
    """Looks at the attributes of any member that is not the text, and keeps nothing."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(" ")[2]
        kind = attributes.get("Type", attributes.get("ContentType", "")).lower()
        # 3.
        if any(word in kind for word in _MACROS):
            raise ManuscriptMacrosError
        if local != "Relationship":
            return
        # 4.
        if kind.endswith(_EMBEDDED):
            raise ManuscriptEmbeddedError
        # 5.
        outside = attributes.get("TargetMode", "").lower() == "external"
        if outside and not kind.endswith("/hyperlink"):
            raise ManuscriptLinksError


@dataclass
class _Text:
    """Gathers the paragraphs of the text."""

    paragraphs: list[str] = field(default_factory=list)
    open: list[list[str]] = field(default_factory=list)
    """Paragraphs that are not closed: one that stands within another is that of a text box."""
    skipping: int = 0
    runs: int = 0
    in_text: bool = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        space, _, local = name.rpartition(" ")
        if self.skipping or name == _ALTERNATIVE or (space in _WORDS and local in _GONE):
            self.skipping += 1
        elif local == "OLEObject" or (space in _WORDS and local in ("object", "altChunk")):
            raise ManuscriptEmbeddedError
        elif space in _WORDS:
            match local:
                case "p":
                    self.open.append([])
                case "r":
                    self.runs += 1
                case "t":
                    self.in_text = True
                case _ if self.runs and local in _SIGNS:
                    self._add(_SIGNS[local])

    def end(self, name: str) -> None:
        if self.skipping:
            self.skipping -= 1
            return
        space, _, local = name.rpartition(" ")
        if space not in _WORDS:
            return
        match local:
            case "p":
                self.paragraphs.append("".join(self.open.pop()))
            case "r":
                self.runs -= 1
            case "t":
                self.in_text = False

    def characters(self, text: str) -> None:
        if self.in_text:
            self._add(text)

    def _add(self, text: str) -> None:
        if self.open and not self.skipping:
            self.open[-1].append(text)


def _parse(chunks: Iterable[bytes], of: _Text | _Relations) -> None:
    # 6.
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = of.start
    if isinstance(of, _Text):
        parser.EndElementHandler = of.end
        parser.CharacterDataHandler = of.characters
    parser.StartDoctypeDeclHandler = _doctype
    try:
        for chunk in chunks:
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise ManuscriptDamagedError from error


def _doctype(*_: object) -> None:
    raise ManuscriptDamagedError("the XML has a document type")
