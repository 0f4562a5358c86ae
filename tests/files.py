"""Files for tests: small ones of every kind, large ones whose bytes are the same in every run."""

from __future__ import annotations

import hashlib
import io
import random
import struct
import zipfile
import zlib
from collections.abc import AsyncIterator

from protocol.messages.items import PIECE

PDF = b"%PDF-1.7\n"
TYPES = '<Types><Override PartName="/{part}" ContentType="application/{kind}"/></Types>'


def pdf(size: int, seed: int = 1) -> bytes:
    """A file that begins as a PDF does, of this size."""
    return (PDF + random.Random(seed).randbytes(size))[:size]


def picture(width: int, height: int) -> bytes:
    """A PNG of this size, in one grey."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = (b"\0" + b"\x99" * width) * height
    parts = (b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def pieces_of(content: bytes) -> list[str]:
    """The digests of its pieces."""
    return [digest(content[at : at + PIECE]) for at in range(0, len(content), PIECE)]


def digest(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


async def chunks(content: bytes, size: int = 64 * 1024) -> AsyncIterator[bytes]:
    """The content as a connection brings it."""
    for at in range(0, len(content), size):
        yield content[at : at + size]


def archive(**members: str | bytes) -> bytes:
    """A ZIP; `__` in a name stands for a slash, `_` for a dot."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as made:
        for name, content in members.items():
            made.writestr(name.replace("__", "/").replace("_", "."), content)
    return target.getvalue()


def office(part: str, kind: str = "vnd.main+xml", **more: str | bytes) -> bytes:
    """An Office Open XML file whose main part has this name."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("[Content_Types].xml", TYPES.format(part=part, kind=kind))
        made.writestr(part, "<x/>")
        for name, content in more.items():
            made.writestr(name.replace("__", "/").replace("_", "."), content)
    return target.getvalue()


WORDS = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
PARAGRAPH = "<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def docx(*paragraphs: str, body: str = "", **more: str | bytes) -> bytes:
    """A document of these paragraphs, then of `body` as it is; `more` members as in `archive`."""
    text = "".join(PARAGRAPH.format(text=text) for text in paragraphs)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("[Content_Types].xml", TYPES.format(part="word/document.xml", kind="xml"))
        made.writestr(
            "word/document.xml",
            f'<w:document xmlns:w="{WORDS}"><w:body>{text}{body}</w:body></w:document>',
        )
        for name, content in more.items():
            made.writestr(name.replace("__", "/").replace("_", "."), content)
    return target.getvalue()


def compound(*streams: str) -> bytes:
    """An old Office file with streams of these names."""
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
    return head + b"".join(name.encode("utf-16-le") + b"\0\0" for name in streams)
