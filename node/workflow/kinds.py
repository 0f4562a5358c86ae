"""Which kind of file a name promises, and whether the content keeps the promise.

The extension names the kind; the content must have its signature. For Office files that is more
than the first bytes: they are containers, so their table of contents is read, and one that holds
macros is refused. Says nothing about what else may be wrong with a file: it is no virus scanner.
Reads a little at a time, and never more than the limits below.
"""

from __future__ import annotations

import codecs
import struct
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from node.errors import FileKindError

HEAD = 1024
WINDOW = 1024 * 1024
MOST_ENTRIES = 10_000
LONGEST_DIRECTORY = 4 * 1024 * 1024
LONGEST_LIST = 1024 * 1024

ZIP_END = struct.Struct("<4s4H2LH")
ZIP_END_SIGNATURE = b"PK\x05\x06"
COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
OLE_MACROS = "_VBA_PROJECT"
LIST_OF_PARTS = "[Content_Types].xml"
MACROS = (b"vbaproject", b"macroenabled", b"macrosheet", b"vbadata")
FILM = frozenset({b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"dash"})
SOUND = frozenset({b"M4A ", b"M4B "})
MORE_FILM = frozenset({b"M4V ", b"MSNV", b"3gp4", b"3gp5"})


@dataclass(frozen=True)
class Kind:
    """A kind of file: what the network calls it, and how its content is recognised."""

    media_type: str
    fits: Callable[[BinaryIO], bool]


def of_name(name: str, allowed: Collection[str]) -> Kind:
    """The kind that a file's name promises. Raises `FileKindError`."""
    extension = name.rpartition(".")[2].lower()
    if "." not in name or extension not in allowed or extension not in KINDS:
        raise FileKindError(f"可以上传的附件类型：{'、'.join(sorted(allowed))}")
    return KINDS[extension]


def demand(kind: Kind, path: Path) -> None:
    """Raises `FileKindError` unless the file's content is of this kind. Waits for the disk."""
    with path.open("rb") as file:
        fits = kind.fits(file)
    if not fits:
        raise FileKindError(f"the content is no {kind.media_type}, or it holds macros")


def _starts(*signatures: bytes) -> Callable[[BinaryIO], bool]:
    return lambda file: _head(file).startswith(signatures)


def _pdf(file: BinaryIO) -> bool:
    # Some programs write a line before the signature; readers accept it.
    return b"%PDF-" in _head(file)


def _webp(file: BinaryIO) -> bool:
    head = _head(file)
    return head.startswith(b"RIFF") and head[8:12] == b"WEBP"


def _mp3(file: BinaryIO) -> bool:
    head = _head(file)
    if head.startswith(b"ID3"):
        return True
    # A frame: eleven set bits, a version and layer 3, a bit rate and a sampling rate that exist.
    return (
        len(head) > 3
        and head[0] == 0xFF
        and head[1] & 0xE6 == 0xE2
        and head[2] & 0xF0 not in (0x00, 0xF0)
        and head[2] & 0x0C != 0x0C
    )


def _media(brands: Collection[bytes]) -> Callable[[BinaryIO], bool]:
    def fits(file: BinaryIO) -> bool:
        head = _head(file)
        return head[4:8] == b"ftyp" and head[8:12] in brands

    return fits


def _text(file: BinaryIO) -> bool:
    return any(_decodes(file, encoding) for encoding in ("utf-8-sig", "gb18030"))


def _decodes(file: BinaryIO, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for window in _windows(file):
            if any(ord(sign) < 32 and sign not in "\t\n\r\f" for sign in decoder.decode(window)):
                return False
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _office(part: str) -> Callable[[BinaryIO], bool]:
    """An Office Open XML file with this part, and no macros."""

    def fits(file: BinaryIO) -> bool:
        names = _names(file)
        if part not in names or LIST_OF_PARTS not in names:
            return False
        return not any("vbaproject" in name.lower() for name in names) and not _macros(file)

    return fits


def _ofd(file: BinaryIO) -> bool:
    return "OFD.xml" in _names(file)


def _names(file: BinaryIO) -> frozenset[str]:
    """The names in a ZIP; none where its end is odd or its directory too long to be read."""
    size = file.seek(0, 2)
    file.seek(max(0, size - ZIP_END.size - 0xFFFF))
    tail = file.read()
    at = tail.rfind(ZIP_END_SIGNATURE)
    if at < 0 or len(tail) - at < ZIP_END.size or not _head(file).startswith(b"PK\x03\x04"):
        return frozenset()
    _, *_, entries, length, offset, comment = ZIP_END.unpack_from(tail, at)
    # Exactly where and as long as it says: two readers must not see two different archives.
    end = size - len(tail) + at
    if at + ZIP_END.size + comment != len(tail) or offset + length != end:
        return frozenset()
    if entries > MOST_ENTRIES or length > LONGEST_DIRECTORY:
        return frozenset()
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return frozenset()
    # A name that stands there twice is another way to show two archives.
    return frozenset(names) if len(set(names)) == len(names) else frozenset()


def _macros(file: BinaryIO) -> bool:
    """Whether the list of parts names macros, or cannot be trusted to."""
    try:
        with zipfile.ZipFile(file) as archive, archive.open(LIST_OF_PARTS) as member:
            listed = member.read(LONGEST_LIST + 1)
    except (zipfile.BadZipFile, zlib.error, ValueError, NotImplementedError, RuntimeError, OSError):
        return True
    # UTF-16 is allowed there, and character references would spell a name unseen.
    plain = listed.replace(b"\0", b"").lower()
    return (
        len(listed) > LONGEST_LIST
        or b"&#" in plain
        or b"<!" in plain
        or any(word in plain for word in MACROS)
    )


def _compound(*streams: str) -> Callable[[BinaryIO], bool]:
    """An old Office file with one of these streams, and no macros."""

    def fits(file: BinaryIO) -> bool:
        if not _head(file).startswith(COMPOUND):
            return False
        return _mentions(file, *streams) and not _mentions(file, OLE_MACROS)

    return fits


def _mentions(file: BinaryIO, *names: str) -> bool:
    # Names in its directory are UTF-16. Text that happens to hold one is refused with it.
    wanted = [name.encode("utf-16-le") for name in names]
    rest = b""
    for window in _windows(file):
        joined = rest + window
        if any(name in joined for name in wanted):
            return True
        rest = joined[-64:]
    return False


def _head(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read(HEAD)


def _windows(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    while window := file.read(WINDOW):
        yield window


_OPEN_XML = "application/vnd.openxmlformats-officedocument"
KINDS: dict[str, Kind] = {
    "pdf": Kind("application/pdf", _pdf),
    "ofd": Kind("application/ofd", _ofd),
    "docx": Kind(f"{_OPEN_XML}.wordprocessingml.document", _office("word/document.xml")),
    "xlsx": Kind(f"{_OPEN_XML}.spreadsheetml.sheet", _office("xl/workbook.xml")),
    "pptx": Kind(f"{_OPEN_XML}.presentationml.presentation", _office("ppt/presentation.xml")),
    "doc": Kind("application/msword", _compound("WordDocument")),
    "xls": Kind("application/vnd.ms-excel", _compound("Workbook", "Book")),
    "ppt": Kind("application/vnd.ms-powerpoint", _compound("PowerPoint Document")),
    "txt": Kind("text/plain", _text),
    "csv": Kind("text/csv", _text),
    "jpg": Kind("image/jpeg", _starts(b"\xff\xd8\xff")),
    "jpeg": Kind("image/jpeg", _starts(b"\xff\xd8\xff")),
    "png": Kind("image/png", _starts(b"\x89PNG\r\n\x1a\n")),
    "gif": Kind("image/gif", _starts(b"GIF87a", b"GIF89a")),
    "webp": Kind("image/webp", _webp),
    "mp3": Kind("audio/mpeg", _mp3),
    "m4a": Kind("audio/mp4", _media(SOUND | FILM)),
    "mp4": Kind("video/mp4", _media(FILM | MORE_FILM)),
}
